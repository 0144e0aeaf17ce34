"""The making and changing of the local cloud's objects, by the rows of facts of each cloud."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from pulumi.runtime.proto import provider_pb2

from mlestate.local import azure, schema
from mlestate.local.kind import Facts, Kind, Naming, Need, Replacement, replacements
from mlestate.local.markers import SECRET, SIGNATURE, UNKNOWN
from mlestate.local.store import CloudObject, Store
from mlestate.local.wire import has_unknown, is_secret, is_unknown, revealed

_BUCKET = "aws:s3/bucket:Bucket"
NOTHING = Replacement(frozenset(), frozenset())

# What is taken to replace a resource of an unlisted type: what it is called and where it is.
_PLACES = ("name", "location", "region", "project", "resourceGroupName")
# Outputs that follow from an input which may change: not known before that one is.
_FOLLOWING = ("tagsAll", "effectiveLabels", "pulumiLabels")
_AUTONAMING = provider_pb2.CheckRequest.AutonamingOptions


class Refusal(Exception):
    """The cloud will not do it; `where` is the property in which the reason lies."""

    def __init__(self, sentence: str, where: str = "") -> None:
        super().__init__(sentence)
        self.where = where


class CloudFacts(Protocol):
    """What `aws`, `gcp` and `azure` have in common."""

    KINDS: Mapping[str, Kind]
    COMMON: Mapping[str, Any]
    NAMINGS: Mapping[str, Naming]
    NAMING: Naming
    NEEDS: Mapping[str, tuple[Need, ...]]
    HOLDERS: Mapping[str, tuple[tuple[str, str, str, str], ...]]
    DELETES_WITHIN: bool

    def place(self, config: Mapping[str, Any], inputs: Mapping[str, Any]) -> dict[str, Any]: ...
    def locked(self, resource: str, inputs: Mapping[str, Any]) -> str | None: ...
    def refused(self, resource: str, inputs: Mapping[str, Any]) -> list[schema.Failure]: ...
    def changed(self, resource: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str | None: ...
    def unjudged(self, resource: str, inputs: Mapping[str, Any]) -> Iterator[str]: ...
    def invoke(
        self, function: str, arguments: Mapping[str, Any], config: Mapping[str, Any]
    ) -> dict[str, Any] | None: ...


class Maker:
    """Makes the objects of one package. `config` is the provider's configuration, set before anything is made."""

    def __init__(self, package: str, facts: CloudFacts, store: Store) -> None:
        self.package, self.facts, self.store = package, facts, store
        self.config: Mapping[str, Any] = {}
        self._azure = package == "azure-native"
        self._replacements = replacements("azure" if self._azure else package)
        self._kinds: dict[str, Kind] = dict(facts.KINDS)

    def type(self, token: str) -> schema.ResourceType:
        return schema.resource_type(token)

    def knows(self, token: str) -> bool:
        """Whether the type has a row of facts and one in the table of replacements."""
        return token in self.facts.KINDS and token in self._replacements

    def kind(self, token: str) -> Kind:
        kind = self._kinds.get(token)
        if kind is None:
            kind = self._kinds[token] = self._generic(token)
        return kind

    # Names

    def autonamed(self, token: str) -> str | None:
        """The property that the real provider fills with a name when a program leaves it out."""
        name = self.kind(token).name
        inputs = self.type(token).inputs
        return name if name and name in inputs.fields and name not in inputs.required else None

    def named(self, token: str, request: provider_pb2.CheckRequest, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """The inputs that Check adds: an automatic name and the note that it is one. Raises Refusal.

        The notes are those of the real providers: `__defaults` (pulumi-terraform-bridge, pkg/tfbridge/schema.go) and
        `__createBeforeDelete` (pulumi-azure-native).
        """
        key = self.autonamed(token)
        if key is None or (inputs.get(f"{key}Prefix") or inputs.get("namePrefix")):
            return {}
        olds = request.olds.fields
        old = olds[key].string_value if key in olds else ""
        if inputs.get(key) is not None:
            # `ignoreChanges` on an automatic name puts the old one into the program's inputs: still automatic.
            return self._note(key) if inputs[key] == old and self._is_noted(olds, key) else {}
        if old and (self._azure or self._is_noted(olds, key)):
            return {key: old, **(self._note(key) if self._is_noted(olds, key) else {})}
        naming = self._naming(token)
        if request.HasField("autonaming"):
            if request.autonaming.mode == _AUTONAMING.DISABLE:
                raise Refusal("automatic naming is disabled but no explicit name was provided", key)
            if request.autonaming.mode == _AUTONAMING.ENFORCE or naming.style != "uuid":
                return {key: request.autonaming.proposed_name, **self._note(key)}
        logical = request.urn.rpartition("::")[2]
        for orphan in self._orphans(token, request.urn):
            if _same(orphan.inputs, self.store.sealed(dict(inputs)), key):
                return {key: orphan.inputs[key], **self._note(key)}
        seed = request.randomSeed.hex() or f"{request.urn}#{self.store.births(request.urn)}"
        try:
            name = naming.propose(logical, seed, inputs)
        except ValueError as error:
            raise Refusal(str(error), key) from None
        return {key: name, **({} if self._azure and naming.style == "copy" else self._note(key))}

    def misnamed(self, token: str, inputs: Mapping[str, Any]) -> Refusal | None:
        """The refusal of a physical name that the cloud does not take."""
        key = self.kind(token).name
        given = inputs.get(key) if key else None
        name = revealed(given)
        naming = self.facts.NAMINGS.get(token)
        if naming is None or key is None or not isinstance(name, str) or is_unknown(name):
            return None
        sentence = naming.refusal(name)
        if sentence and is_secret(given):
            sentence = sentence.replace(repr(name), "[secret]")
        return Refusal(sentence, key) if sentence else None

    def _naming(self, token: str) -> Naming:
        naming = self.facts.NAMINGS.get(token)
        if naming is None and self._azure and self._parents(token):
            return azure.COPY
        return naming or self.facts.NAMING

    def _note(self, key: str) -> dict[str, Any]:
        return {"__createBeforeDelete": True} if self._azure else {"__defaults": [key]}

    def _is_noted(self, olds: Mapping[str, Any], key: str) -> bool:
        if self._azure:
            return "__createBeforeDelete" in olds
        return "__defaults" in olds and any(item.string_value == key for item in olds["__defaults"].list_value.values)

    def fixed_name(self, token: str, inputs: Mapping[str, Any]) -> bool:
        """Whether a replacement must delete first, for two cannot have the name.

        The bridge does so when an auto-nameable property was given by the program (pulumi-terraform-bridge,
        pkg/tfbridge/schema.go `nameRequiresDeleteBeforeReplace`); a name that is always given (a feature group's) makes
        it no difference, and the replacement then fails as in the cloud. azure-native deletes first unless it made the
        name up (`__createBeforeDelete`).
        """
        if self._azure:
            return inputs.get("__createBeforeDelete") is not True
        key = self.autonamed(token)
        return key is not None and inputs.get(key) is not None and key not in (inputs.get("__defaults") or ())

    # Changes

    def replacement(self, token: str) -> Replacement:
        row = self._replacements.get(token)
        if row is None:
            names = {self.kind(token).name or "name", *_PLACES}
            if self._azure:
                names.update(self.type(token).inputs.required)
                names.difference_update({"properties", "sku", "kind"})
            row = Replacement(frozenset((name,) for name in names), frozenset())
        return row

    # Objects

    def home(self, token: str, properties: Mapping[str, Any]) -> str:
        """The account (project, subscription) of an object, and its region where it has one: ids are unique there."""
        here = self.facts.place(self.config, revealed(dict(properties)))
        return f"{here['owner']}/{here['region']}" if "region" in self.type(token).inputs.fields else str(here["owner"])

    def find(self, token: str, identity: str, properties: Mapping[str, Any]) -> CloudObject | None:
        """The object that an engine means by an id; `properties` say where it is."""
        return self.store.get(token, identity, self.home(token, properties))

    def preview(self, token: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """What Create would return as far as it is known before: the inputs, and unknowns for what the cloud makes."""
        kind, declared = self.kind(token), self.type(token)
        outputs = _said(declared, inputs)
        for key in (*kind.generates, kind.name, *kind.outputs, *self.facts.COMMON):
            if key in declared.outputs and key not in outputs and (key in kind.outputs or self._always(declared, key)):
                outputs[key] = UNKNOWN
        for key, more in kind.nested.items():
            if more and isinstance(outputs.get(key), dict) and SIGNATURE not in outputs[key]:
                outputs[key] = {**outputs[key], **dict.fromkeys(more, UNKNOWN)}
        if self._azure and "identity" in outputs:
            outputs["identity"] = UNKNOWN  # ARM answers in another shape than it asks for
        return outputs

    def create(self, token: str, urn: str, inputs: Mapping[str, Any]) -> tuple[CloudObject, dict[str, Any]]:
        """Make an object, or take over the one that a run made which died before it could say so. Raises TakenError.

        Taken over is only what the same resource made from the same inputs and no engine has spoken of since.
        """
        sealed = self.store.sealed(dict(inputs))
        for orphan in self._orphans(token, urn):
            if orphan.inputs == sealed:
                return orphan, self.store.unsealed(orphan.properties, self._answer(orphan, inputs))
        seed = f"{urn}#{self.store.births(urn)}"
        facts = self._facts(token, urn, inputs, seed)
        self._refuse_missing(token, facts)
        kind = self.kind(token)
        made = CloudObject(
            type=token,
            id=facts["id"],
            urn=urn,
            slot=self._slot(kind, facts),
            home=self.home(token, inputs),
            owner=facts["owner"],
            seed=seed,
            inputs=sealed,
            properties={},
        )
        outputs = self._outputs(token, inputs, facts)
        made = dataclasses.replace(made, properties=self.store.sealed(outputs))
        self.store.create(made, overwrite=not kind.taken)
        return made, outputs

    def update(
        self, found: CloudObject, inputs: Mapping[str, Any], olds: Mapping[str, Any], *, preview: bool
    ) -> dict[str, Any]:
        """The outputs after an update in place. What others changed behind Pulumi's back and the program does not say
        stays; in a preview what the cloud made stays known.
        """
        token = found.type
        then = self._outputs(token, found.inputs, self._facts(token, found.urn, found.inputs, found.seed, found.id))
        outputs = self._outputs(token, inputs, self._facts(token, found.urn, inputs, found.seed, found.id))
        stored = self.store.unsealed(found.properties, dict(olds))
        for key, value in stored.items():
            if (key not in inputs and key not in found.inputs and value != then.get(key)) or (
                key not in inputs and outputs.get(key) == UNKNOWN and key not in _FOLLOWING
            ):
                outputs[key] = value
        if not preview:
            sealed = self.store.sealed(dict(inputs))
            self.store.replace(
                dataclasses.replace(found, inputs=sealed, properties=self.store.sealed(outputs), settled=True)
            )
        return outputs

    def refusal(self, token: str, urn: str, inputs: Mapping[str, Any], holder: CloudObject) -> str:
        """The cloud's own words for a name that is taken."""
        facts = self._facts(token, urn, inputs, f"{urn}#")
        if token == _BUCKET and holder.owner != facts["owner"]:
            return facts.text(
                "BucketAlreadyExists: The requested bucket name is not available. The bucket namespace is shared by "
                "all users of the system. Please select a different name and try again. (bucket {bucket})"
            )
        return facts.text(self.kind(token).taken)

    def kept(self, found: CloudObject) -> str | None:
        """Why the cloud will not delete the object, or None when it will."""
        sentence: str | None = self.facts.locked(found.type, found.inputs)
        if sentence:
            return sentence.format(id=found.id)
        for other, pointer, own, words in self.facts.HOLDERS.get(found.type, ()):
            value = found.id if own == "id" else found.properties.get(own)
            if any(_speaks_of(made.properties.get(pointer), value) for made in self.store.of(other)):
                return str(words).format(id=found.id)
        return None

    def _refuse_missing(self, token: str, facts: Facts) -> None:
        for need in self.facts.NEEDS.get(token, ()):
            for identity in need.ids(facts):
                homes = {each: self.home(each, {"region": facts["region"]}) for each in need.types}
                if not any(self.store.get(each, identity, home) for each, home in homes.items()):
                    raise Refusal(need.refusal.format(id=identity))

    def _slot(self, kind: Kind, facts: Facts) -> str | None:
        if not kind.unique or not kind.taken:
            return None
        slot = facts.text(kind.unique)
        return slot.lower() if self._azure else slot  # ARM compares names without regard to case

    def _orphans(self, token: str, urn: str) -> list[CloudObject]:
        return [made for made in self.store.made_by(token, urn) if not made.settled]

    def _answer(self, orphan: CloudObject, inputs: Mapping[str, Any]) -> dict[str, Any]:
        facts = self._facts(orphan.type, orphan.urn, inputs, orphan.seed, orphan.id)
        return self._outputs(orphan.type, inputs, facts)

    def _facts(self, token: str, urn: str, inputs: Mapping[str, Any], seed: str, known_id: str | None = None) -> Facts:
        """Everything that the texts of a row may speak of."""
        said = revealed(dict(inputs))
        kind = self.kind(token)
        facts = Facts(seed, said, self.facts.place(self.config, said))
        for key, text in kind.generates.items():
            if not said.get(key):
                facts[key] = facts.text(text)
        if kind.name and not said.get(kind.name):
            prefix = said.get(f"{kind.name}Prefix") or said.get("namePrefix")
            if prefix:
                facts[kind.name] = f"{prefix}{facts['digits']:26}"
        if self._azure and "location" not in said and "location" not in self.config:
            self._place_in_group(facts)
        facts["id"] = known_id or facts.text(kind.id)
        if self._azure:
            facts["leaf"] = facts["id"].rpartition("/")[2]
            facts["armType"] = azure.arm_type(facts["id"])
            facts["apiVersion"] = self.type(token).api_version or ""
        return facts

    def _place_in_group(self, facts: Facts) -> None:
        """azure-native puts a resource that names no location where its resource group is."""
        group = self.store.get("azure-native:resources:ResourceGroup", facts.text(azure.GROUP))
        if group is not None:
            facts["location"] = group.properties.get("location", facts["location"])

    def _outputs(self, token: str, inputs: Mapping[str, Any], facts: Facts) -> dict[str, Any]:
        """The outputs of an object: what was said, and what the cloud adds. Secrets stay marked where they came in."""
        kind, declared = self.kind(token), self.type(token)
        outputs, unknown = _said(declared, inputs), has_unknown(inputs)
        for key in (*kind.generates, *((kind.name,) if kind.name else ())):
            if key in declared.outputs and key not in outputs and facts[key] != "":
                outputs[key] = facts[key]
        for key, row in kind.outputs.items():
            if key not in outputs and key in declared.outputs:
                value = facts.value(row, unknown)
                if value is not None:
                    outputs[key] = value
        for key, row in self.facts.COMMON.items():
            if key not in outputs and self._always(declared, key):
                outputs[key] = facts.value(row, unknown)
        for key, more in kind.nested.items():
            if more and isinstance(outputs.get(key), dict) and SIGNATURE not in outputs[key]:
                outputs[key] = {**outputs[key], **{name: facts.text(text) for name, text in more.items()}}
        if self._azure:
            azure.shaped(outputs, facts)
        self._mark(outputs, inputs, facts)
        return outputs

    def _always(self, declared: schema.ResourceType, key: str) -> bool:
        """Whether a common output is in every answer: what the SDK promises, and an Azure resource's location."""
        return key in declared.promised or (self._azure and key == "location" and key in declared.outputs)

    def _mark(self, outputs: dict[str, Any], inputs: Mapping[str, Any], facts: Facts) -> None:
        """A made-up output that repeats a secret input is a secret, too."""
        secrets = [
            text
            for key, value in inputs.items()
            if is_secret(value) and isinstance(text := facts.get(key), str) and text
        ]
        if not secrets:
            return
        for key, value in outputs.items():
            if key not in inputs and any(secret in str(value) for secret in secrets):
                outputs[key] = {SIGNATURE: SECRET, "value": value}

    def _parents(self, token: str) -> list[str]:
        """The required texts of a type: where it stands, as far as a type tells."""
        inputs = self.type(token).inputs
        return [key for key in inputs.required if inputs.fields[key] is schema.STRING and key != "resourceGroupName"]

    def _generic(self, token: str) -> Kind:
        """A row for a type without one: found by its name and its parents, answering with placeholders."""
        declared = self.type(token)
        inputs = declared.inputs
        last = token.rpartition(":")[2]
        names = ("name",) if not self._azure else (f"{last[0].lower()}{last[1:]}Name", "resourceName", "name")
        name = next((key for key in names if inputs.fields.get(key) is schema.STRING), None)
        parents = [key for key in self._parents(token) if key != name]
        if self._azure:
            module = token.split(":")[1]
            path = "/".join(f"{key}/{{{key}}}" for key in parents if key.endswith("Name"))
            own = f"{last}/{{{name}}}" if name else f"{last}/{{uuid}}"
            identity = "/".join(part for part in (azure.GROUP, "providers", f"Microsoft.{module}", path, own) if part)
        elif name:
            identity = "/".join(f"{{{key}}}" for key in (*parents, name))
        else:
            identity = "{uuid}"
        outputs: dict[str, Any] = {
            key: "{id}" if value == "" else value for key, value in declared.placeholders.items() if key != name
        }
        if "arn" in outputs:
            service = token.split(":")[1].split("/")[0]
            outputs["arn"] = f"arn:{{partition}}:{service}:{{region}}:{{account}}:{last}/{{id}}"
        for key in self.facts.COMMON:
            outputs.pop(key, None)
        words = f"AlreadyExists: {token} {{id}} already exists" if name else ""
        return Kind(identity, outputs, name, "{owner}/{region}/{id}" if words else "", words)


def _said(declared: schema.ResourceType, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs that come back as outputs."""
    return {key: value for key, value in inputs.items() if key in declared.outputs and value is not None}


def _same(then: Mapping[str, Any], now: Mapping[str, Any], name: str) -> bool:
    """Whether inputs are equal but for an automatic name and the note of it."""
    return {key: value for key, value in then.items() if key != name and not key.startswith("__")} == dict(now)


def _speaks_of(pointer: Any, value: Any) -> bool:
    return value in pointer if isinstance(pointer, list) else pointer == value
