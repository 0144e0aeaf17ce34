"""The Pulumi program: one estate file to the resources of its estate. The only page that reads the stack's config.

`mlestate:estate` is the path of the file (from this folder; default `estate.yaml`), `mlestate:scope` the slice of it
that this stack deploys (`hub` or an environment; left out, all of it), `mlestate:<key>` what the file calls
`secret:<key>`. An account, project or subscription that the
file leaves out is taken from the provider's own setting of the stack.
"""

from pathlib import Path

import pulumi

from mlestate.config import load
from mlestate.errors import InputError
from mlestate.estate import Estate

settings = pulumi.Config("mlestate")
# `pulumi config set --path` keeps what looks like a number as one, and its leading zeros are lost.
accounts = [str(account).zfill(12) for account in pulumi.Config("aws").get_object("allowedAccountIds") or ()]
homes = {
    "aws": next(iter(accounts), None),
    "gcp": pulumi.Config("gcp").get("project"),
    "azure": pulumi.Config("azure-native").get("subscriptionId"),
}


def secret(key: str) -> pulumi.Output[str]:
    """What `secret:<key>` in the file stands for."""
    try:
        return settings.require_secret(key)
    except pulumi.ConfigMissingError as error:
        raise InputError(
            f"the estate's file names secret:{key}, and this stack has none of that name. Set it with: "
            f"pulumi config set --secret mlestate:{key}"
        ) from error


try:
    config = load(Path(settings.get("estate") or "estate.yaml"), homes=homes).config
    estate = Estate(config, secret, scope=settings.get("scope"))
except InputError as error:
    raise pulumi.RunError(str(error)) from error
pulumi.export("hub", estate.hub)
pulumi.export("environments", estate.environments)
