"""The state as a Pulumi checkpoint: its fields, its order, its secrets, in and out.

Not proved here: that the Pulumi CLI takes it (tests/pulumi does, where the CLI is).
"""

import base64
import hashlib
import json
import math
from pathlib import Path
from typing import Any

import pulumi
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from google.protobuf.struct_pb2 import Struct

from mlestate.errors import InputError
from mlestate.local.properties import from_json, to_json
from mlestate.local.state import State
from tests.local.toy_stack import STACK, Group, Options, Thing, ToyStack, steps


def program() -> None:
    group = Group("group")
    first = Thing("first", Options(parent=group), size=1, ratio=0.5, on=True, empty=None, list=[1, "a", {"b": 2}])
    Thing("second", Options(protect=True), link=first.arn, secret=pulumi.Output.secret("hush"))
    pulumi.export("secret", pulumi.Output.secret("hush"))


def resources(state: State, **options: Any) -> dict[str, dict[str, Any]]:
    return {one["urn"].rsplit("::", 1)[-1]: one for one in state.export(**options)["deployment"]["resources"]}


def decrypt(checkpoint: dict[str, Any], sealed: str, passphrase: str) -> str:
    """As Pulumi's crypt.go does it, written from its description."""
    salt = checkpoint["deployment"]["secrets_providers"]["state"]["salt"].split(":")[1]
    key = hashlib.pbkdf2_hmac("sha256", passphrase.encode(), base64.b64decode(salt), 1_000_000, 32)
    _version, nonce, text = sealed.split(":")
    return AESGCM(key).decrypt(base64.b64decode(nonce), base64.b64decode(text), None).decode()


def test_the_checkpoint_has_pulumis_fields() -> None:
    toys = ToyStack()
    toys.up(program)
    exported = toys.state.export()
    assert exported["version"] == 3
    assert exported["deployment"]["manifest"] | {"time": ""} == {"time": "", "magic": "", "version": ""}
    stored = resources(toys.state)
    first = dict(stored["first"])
    assert first.pop("created") == first.pop("modified")
    assert first == {
        "urn": f"{STACK}::my:index:Group$toy:index:Thing::first",
        "custom": True,
        "id": "first-1",
        "type": "toy:index:Thing",
        "inputs": {
            "name": first["inputs"]["name"],
            "size": 1,
            "ratio": 0.5,
            "on": True,
            "list": [1, "a", {"b": 2}],
        },
        "outputs": {**first["inputs"], "arn": "toy:nowhere:first-1", "token": "token of first-1"},
        "parent": f"{STACK}::my:index:Group::group",
        "provider": f"{STACK}::pulumi:providers:toy::default::{stored['default']['id']}",
        "propertyDependencies": {"list": [], "on": [], "ratio": [], "size": []},
    }
    assert {"protect", "dependencies", "propertyDependencies"} <= stored["second"].keys()


def test_a_resource_stands_after_all_it_refers_to() -> None:
    toys = ToyStack()
    toys.up(program)
    toys.up(lambda: Thing("zero", Options(depends_on=[Thing("first")])), fails=True)

    def ordered() -> None:
        program()
        Thing("aaa", Options(depends_on=[Thing("zzz")]))

    toys.up(ordered)
    seen: set[str] = set()
    for one in toys.state.export()["deployment"]["resources"]:
        needed = {one.get("parent"), *one.get("dependencies", [])} - {None}
        assert needed <= seen, f"Pulumi refuses a state in which {one['urn']} comes before what it needs"
        seen.add(one["urn"])


def test_a_state_without_secrets_derives_no_key() -> None:
    toys = ToyStack()
    toys.up(lambda: Thing("thing"))
    assert "secrets_providers" not in toys.state.export()["deployment"]


def test_secrets_are_encrypted_as_pulumi_does() -> None:
    toys = ToyStack(state=State.in_memory(passphrase="open sesame"))
    toys.up(program)
    exported = toys.state.export()
    assert "hush" not in json.dumps(exported)
    provider = exported["deployment"]["secrets_providers"]
    assert provider["type"] == "passphrase"
    version, salt, proof = provider["state"]["salt"].split(":", 2)
    assert (version, len(base64.b64decode(salt))) == ("v1", 8)
    assert decrypt(exported, proof, "open sesame") == "pulumi", "by this word Pulumi knows the right passphrase"
    sealed = resources(toys.state)["second"]["inputs"]["secret"]["ciphertext"]
    assert decrypt(exported, sealed, "open sesame") == '"hush"'
    shown = resources(toys.state, show_secrets=True)["second"]["inputs"]["secret"]
    assert shown["plaintext"] == '"hush"'


def test_no_file_ever_holds_a_secret_in_clear(tmp_path: Path) -> None:
    toys = ToyStack(state=State.in_folder(tmp_path, "dev", passphrase="p"))
    seen: list[bytes] = []
    toys.events = Files(tmp_path, seen)
    toys.up(program)
    assert any(b"ciphertext" in text for text in seen), "the journal was read while the run went on"
    assert not [text for text in seen + Files(tmp_path, []).read() if b"hush" in text]


class Files(list[Any]):
    """A listener's list that reads every file in the folder at each event."""

    def __init__(self, folder: Path, seen: list[bytes]) -> None:
        super().__init__()
        self.folder, self.seen = folder, seen

    def read(self) -> list[bytes]:
        return [path.read_bytes() for path in self.folder.iterdir()]

    def append(self, event: Any) -> None:
        self.seen += self.read()


def test_the_passphrase_of_an_exported_state_is_taken_from_where_pulumi_takes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE", raising=False)
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE_FILE", raising=False)
    toys = ToyStack(state=State.in_memory(passphrase="p"))
    toys.up(program)
    exported = toys.state.export()
    with pytest.raises(
        InputError, match=r"resources\[0\]` \(\S+toys-dev\): the passphrase does not open this state's secrets"
    ):
        State.in_memory().import_(exported)
    own = tmp_path / "passphrase"
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE_FILE", str(own))
    with pytest.raises(InputError, match="passphrase cannot be read: there is no such file; name a file that holds"):
        State.in_memory().import_(exported)
    own.write_text("p\n")
    taken = State.in_memory()
    taken.import_(exported)
    assert resources(taken, show_secrets=True) == resources(toys.state, show_secrets=True)
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "wrong")
    with pytest.raises(InputError, match="the passphrase does not open this state's secrets"):
        State.in_memory().import_(exported)


def resources_of(checkpoint: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["urn"].rsplit("::", 1)[-1]: one for one in checkpoint["deployment"]["resources"]}


@pytest.mark.parametrize("show_secrets", [True, False])
@pytest.mark.parametrize("in_folder", [True, False])
def test_an_exported_state_goes_on_elsewhere(tmp_path: Path, show_secrets: bool, in_folder: bool) -> None:
    toys = ToyStack(state=State.in_memory(passphrase="p"))
    toys.up(program)
    exported = json.loads(json.dumps(toys.state.export(show_secrets=show_secrets)))
    passphrase = "another" if show_secrets else "p"
    state = State.in_memory(passphrase=passphrase)
    if in_folder:
        state = State.in_folder(tmp_path, "dev", passphrase=passphrase)
    state.import_(exported)
    elsewhere = ToyStack(state=state, cloud=toys.cloud)
    assert elsewhere.preview(program).changes == {"same": 4}
    assert steps(elsewhere.up(program)) == []
    mine, theirs = (resources(one, show_secrets=True) for one in (toys.state, elsewhere.state))
    assert mine == theirs, "nothing is lost on the way"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda state: state.update(version=2), "only version 3"),
        (lambda state: state["deployment"]["resources"][-1].update(viewOf="urn:x"), "uses 'viewOf'"),
        (lambda state: state["deployment"]["secrets_providers"].update(type="awskms"), "encrypted by 'awskms'"),
    ],
    ids=["another version", "views", "another secrets provider"],
)
def test_a_state_that_cannot_be_read_is_refused(change: Any, sentence: str) -> None:
    toys = ToyStack(state=State.in_memory(passphrase="p"))
    toys.up(program)
    exported = toys.state.export()
    change(exported)
    with pytest.raises(InputError, match=sentence):
        State.in_memory(passphrase="p").import_(exported)


def test_a_file_that_is_no_checkpoint_is_named(tmp_path: Path) -> None:
    (tmp_path / "dev.json").write_text("{nonsense")
    with pytest.raises(InputError, match=r"dev\.json is not a Pulumi checkpoint"):
        State.in_folder(tmp_path, "dev", passphrase="p").export()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be made"):
        State.in_folder(tmp_path / "file" / "folder", "dev", passphrase="p")
    with pytest.raises(InputError, match="cannot be a file name"):
        State.in_folder(tmp_path, "../dev", passphrase="p")


@pytest.mark.parametrize("number", [0.0, -1.5, 2.0**60, 1e300, float("inf"), float("-inf"), float("nan")])
def test_every_number_survives_the_file(number: float) -> None:
    properties = Struct()
    properties.fields["number"].number_value = number
    stored = json.loads(json.dumps(to_json(properties, lambda text: {"plaintext": text}), allow_nan=False))
    back = from_json(stored, dict).fields["number"].number_value
    assert back == number or (math.isnan(back) and math.isnan(number))


def test_a_secret_that_was_tampered_with_is_noticed() -> None:
    toys = ToyStack(state=State.in_memory(passphrase="p"))
    toys.up(program)
    exported = toys.state.export()
    value = resources_of(exported)["second"]["inputs"]["secret"]
    value["ciphertext"] = value["ciphertext"][:-8] + "AAAAAAA="
    with pytest.raises(InputError, match="the file was changed"):
        State.in_memory(passphrase="p").import_(exported)
