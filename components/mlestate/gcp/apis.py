"""The Google APIs that a part calls, enabled in its project."""

import pulumi_gcp.projects as projects

from mlestate.part import Part

__all__ = ["enable"]


def enable(part: Part, *apis: str) -> list[projects.Service]:
    """Enable APIs (``storage``, ``bigquery``, ...) for a part; its children depend on the result.

    Each part enables what it uses, so that any slice can be deployed on its own. Enabling twice is harmless, and
    disabling is refused: another part, another estate or another team may use the same API of the same project.
    Google's own order stays: `serviceusage` and `cloudresourcemanager` must be on before Pulumi can enable anything.
    """
    return [
        projects.Service(
            part.named(api),
            service=f"{api}.googleapis.com",
            disable_on_destroy=False,
            disable_dependent_services=False,
            opts=part.child(),
        )
        for api in apis
    ]
