"""Separation of duties over keys: who administers a key does not use it."""

from collections.abc import Iterable, Iterator
from typing import Final

from mlestate_policies.any.grants import (
    AZURE_GRANTS,
    GCP_GRANTS,
    KEY_GRANTS,
    Grant,
    azure_grants,
    by_holder,
    gcp_grants,
)
from mlestate_policies.any.principals import HELD, Identity, identities, linked
from mlestate_policies.any.reach import refers
from mlestate_policies.aws.documents import Document, reaches
from mlestate_policies.resources import Estate, Resource
from mlestate_policies.rules import Findings, Undecided, Violation, stack_rule
from mlestate_policies.settings import Settings

KEY: Final = "aws:kms/key:Key"
KEY_POLICY: Final = "aws:kms/keyPolicy:KeyPolicy"
ALIAS: Final = "aws:kms/alias:Alias"
_ADMINISTER: Final = ("kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:DisableKey")
_USE: Final = ("kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey")
_GCP_ADMINISTER: Final = ("cloudkms.cryptoKeys.setIamPolicy", "cloudkms.cryptoKeyVersions.destroy")
_GCP_USE: Final = ("cloudkms.cryptoKeyVersions.useToDecrypt", "cloudkms.cryptoKeyVersions.useToEncrypt")
_VAULTS: Final = "Microsoft.KeyVault/vaults"
_AZURE_ADMINISTER: Final = (f"{_VAULTS}/delete", f"{_VAULTS}/keys/delete", f"{_VAULTS}/keys/write")
_AZURE_USE: Final = tuple(f"{_VAULTS}/keys/{each}/action" for each in ("decrypt", "encrypt", "wrap", "unwrap"))


@stack_rule(
    "ML-STK-07",
    {
        KEY: ("policy",),
        KEY_POLICY: ("keyId", "policy"),
        "aws:iam/rolePolicy:RolePolicy": HELD["aws:iam/rolePolicy:RolePolicy"],
        **{token: GCP_GRANTS[token][:2] for token in ("gcp:projects/iAMMember:IAMMember",)},
        **KEY_GRANTS,
        **{token: AZURE_GRANTS[token] for token in ("azure-native:authorization:RoleAssignment",)},
    },
    "No principal both administers and uses a key",
    why="Who can let himself in and read, or destroy what he has read, is held by nothing.",
    fix="Give kms:PutKeyPolicy, kms:ScheduleKeyDeletion and kms:DisableKey to other principals than kms:Decrypt; on "
    "Google Cloud cloudkms.admin to others than cryptoKeyEncrypterDecrypter; on Azure let the vault be managed by "
    "others than those with Key Vault Crypto User, and assign neither Administrator nor Crypto Officer for good.",
    severity="high",
    sources=("prowler iam_role_kms_enforce_separation_of_duties",),
    evidences=("ISO 42001 A.3.2", "PIPEDA 4.7", "EU AI Act 15"),
)
def keys_are_administered_by_others(estate: Estate, settings: Settings) -> Findings:
    keys = estate.of(KEY)
    held = identities(estate) if keys else []
    for key in keys:
        yield from _aws(estate, key, held)
    grants = _over_keys(gcp_grants(estate, keys=True), "cloudkms")
    yield from _granted(grants, _GCP_ADMINISTER, _GCP_USE)
    yield from _granted(_over_keys(azure_grants(estate), "microsoft.keyvault"), _AZURE_ADMINISTER, _AZURE_USE)


def _aws(estate: Estate, key: Resource, held: Iterable[Identity]) -> Findings:
    places = [(key, "policy")]
    places += [(each, "policy") for each in estate.of(KEY_POLICY) if key in linked(estate, each, "keyId", KEY)]
    documents: list[Document] = []
    for owner, path in places:
        node = owner.at(path)
        if (document := Document.of(node)) is not None:
            documents.append(document)
        elif node.unknown or (not node.document().absent and not node.document().complete):
            yield Undecided(path, owner.urn)
            return
    for name in sorted({each for document in documents for each in _people(document)}):
        own = [_of(document, name) for document in documents]
        if (administers := _first(own, _ADMINISTER)) and (uses := _first(own, _USE)):
            who = "everyone" if name == "*" else "a principal that it names"
            yield Violation("policy", f"policy: {who} may {administers} and {uses}; no one may do both", key.urn)
    arn = key.at("arn").text
    if not arn or (documents and not any(map(_delegates, documents))):
        return
    alias = _alias(estate, key)
    for identity in held:
        administers = next((each for each in _ADMINISTER if _may(identity, each, arn, alias)), "")
        uses = next((each for each in _USE if _may(identity, each, arn, alias)), "")
        if administers and uses and not identity.unknown:
            yield Violation(
                "",
                f"{identity.name} may {administers} and {uses} with {key.name}; no one may do both",
                identity.resource.urn,
            )
        yield from identity.unknown


def _may(identity: Identity, action: str, arn: str, alias: str) -> bool:
    return identity.may(action, arn, kms__ResourceAliases=alias)


def _alias(estate: Estate, key: Resource) -> str:
    for alias in estate.of(ALIAS):
        if key in linked(estate, alias, "targetKeyId", KEY) or key.at("arn").text == alias.at("targetKeyArn").text:
            return alias.at("name").text or "alias/"
    return "alias/"


def _people(document: Document) -> Iterator[str]:
    """The roles and users that a key's policy names, or everyone; an account stands for what its policies say."""
    for statement in document.allowing:
        for principal in statement.principals:
            named = principal.kind == "AWS" and (":role/" in principal.value or ":user/" in principal.value)
            if named or (principal.value == "*" and not statement.conditions):
                yield principal.value


def _of(document: Document, name: str) -> Document:
    """What a document says of one principal."""
    return Document(
        tuple(
            statement
            for statement in document.statements
            if not statement.principals or any(each.value in (name, "*") for each in statement.principals)
        )
    )


def _first(documents: Iterable[Document], actions: Iterable[str]) -> str:
    documents = tuple(documents)
    return next((action for action in actions if reaches(documents, action)), "")


def _delegates(document: Document) -> bool:
    """Whether a key's policy leaves to the policies of the account who administers and who uses it."""
    account = [
        statement
        for statement in document.allowing
        if any(each.value.endswith(":root") for each in statement.principals)
    ]
    return all(
        any(statement.reaches(action) for statement in account if not statement.conditions)
        for action in (_ADMINISTER[0], _USE[0])
    )


def _over_keys(grants: Iterable[Grant], service: str) -> list[Grant]:
    """The grants that can be over keys."""
    return [
        each
        for each in grants
        if not each.within or any(not kind or kind.lower().startswith(service) for kind in each.within)
    ]


def _granted(grants: list[Grant], administer: tuple[str, ...], use: tuple[str, ...]) -> Findings:
    yield from (Undecided(path, grant.resource.urn) for grant in grants for path in grant.unknown)
    for held in by_holder(grants).values():
        known = [grant for grant in held if grant.path not in grant.unknown]
        for one in known:
            administers = next(filter(one.may, administer), "")
            for other in known:
                uses = next(filter(other.may, use), "")
                if administers and uses and _together(one, other):
                    through = "" if other is one else f", by {one.resource.name},"
                    yield Violation(
                        other.path,
                        f"{other.path}: who holds this may {uses} and{through} {administers}; no one may do both",
                        other.resource.urn,
                    )


def _together(one: Grant, other: Grant) -> bool:
    """Whether two grants can be over one key: not those over two different things."""
    places = [each.resource.at("scope").text.lower() for each in (one, other)]
    if all(places):
        return places[0].startswith(places[1]) or places[1].startswith(places[0])
    if not one.targets or not other.targets or set(one.targets) & set(other.targets):
        return True
    pairs = [(a, b) for a in one.targets for b in other.targets]
    return any(refers(a, b) or refers(b, a) for a, b in pairs)  # a key and its ring, a vault and its group
