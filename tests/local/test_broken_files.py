"""Files that somebody broke: one sentence that names the file, what is wrong and what to do, and exit code 2.

The commands run in this process, as `mlestate.cli.main` with the words of a command line. Not proved: a disk that fills
up in the middle of a run, and what Pulumi's own engine makes of a provider that stops with such a sentence.
"""

import copy
import gc
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlestate import cli
from mlestate.errors import InputError
from mlestate.local import store as stores
from mlestate.local.session import rehearse
from mlestate.local.state import State
from mlestate.local.store import Store
from tests.conftest import ROOT
from tests.local.toy_stack import Group, Options, Thing, ToyStack

MINIMAL = ROOT / "examples" / "aws-minimal.yaml"
FAULTS = "MLESTATE_LOCAL_FAULTS"


@dataclass(frozen=True)
class Ended:
    code: object
    error: str


@pytest.fixture
def mlestate(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ended]:
    def run(*words: str | Path) -> Ended:
        monkeypatch.setattr(sys, "argv", ["mlestate", *map(str, words)])
        monkeypatch.setattr(gc, "freeze", lambda: None)  # this process goes on
        monkeypatch.setattr(gc, "set_threshold", lambda *_: None)
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return Ended(ended.value.code, capsys.readouterr().err)

    return run


def local(command: str, folder: Path) -> list[str | Path]:
    asked = [] if command == "preview" else ["--yes"]
    return ["local", command, MINIMAL, "--engine", "embedded", *asked, "--state", folder]


@pytest.fixture(scope="module")
def exported() -> str:
    """A state that an estate's plan exports."""
    return json.dumps(rehearse(MINIMAL).state.export())


def refused(ended: Ended, *words: str | Path) -> None:
    assert ended.code == 2, ended
    assert len(ended.error.splitlines()) == 1, f"one sentence: {ended.error}"
    for word in words:
        assert str(word) in ended.error, ended.error
    for raw in ("Traceback", "Errno", "codec", "Error:"):
        assert raw not in ended.error, "no words of Python's own"


@contextmanager
def unwritable(path: Path) -> Iterator[None]:
    """A file or folder that nobody, root included, may write."""
    mode = path.stat().st_mode
    as_root = os.geteuid() == 0
    if as_root:
        subprocess.run(["chattr", "+i", str(path)], check=True)
    else:
        path.chmod(mode & 0o555)
    try:
        yield
    finally:
        if as_root:
            subprocess.run(["chattr", "-i", str(path)], check=True)
        else:
            path.chmod(mode)


# Folders


@pytest.mark.parametrize("command", ["preview", "up", "refresh", "destroy"])
@pytest.mark.parametrize("place", ["/proc/x", "/dev/null", "file", "file/below"])
def test_a_state_folder_that_cannot_be_one_is_refused(
    command: str, place: str, tmp_path: Path, mlestate: Callable[..., Ended]
) -> None:
    (tmp_path / "file").write_text("")
    folder = tmp_path / place  # an absolute place stands for itself
    refused(mlestate(*local(command, folder)), folder, "cannot be made", "name one that can be written")


@pytest.mark.parametrize("command", ["preview", "up", "destroy"])
def test_a_state_folder_that_cannot_be_written_is_refused(
    command: str, tmp_path: Path, mlestate: Callable[..., Ended]
) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    with unwritable(folder):
        refused(mlestate(*local(command, folder)), folder, "protected against changes")
    assert list(folder.iterdir()) == []


def test_a_state_whose_files_cannot_be_written_or_read_is_refused(tmp_path: Path) -> None:
    state = State.in_folder(tmp_path, "dev", passphrase="p")
    with unwritable(tmp_path), pytest.raises(InputError, match=f"{tmp_path} cannot be written"):
        ToyStack(state=state).up(lambda: None)
    (tmp_path / "dev.json").mkdir()
    with pytest.raises(InputError, match=r"dev\.json cannot be read: it is a folder, not a file; restore it"):
        state.export()


# The local cloud


def garbage(file: Path) -> None:
    file.write_bytes(b"no database, whatever its name says " * 100)


def torn(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.truncate(file.stat().st_size // 2 // 4096 * 4096)


def of_another_program(file: Path) -> None:
    file.unlink()
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE objects (name TEXT)")
    connection.close()


def a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


DATABASES = {
    "garbage": (garbage, "file is not a database", "remove the state folder"),
    "torn": (torn, "malformed", "restore it from a copy"),
    "another program's": (of_another_program, "no such column", "remove the state folder"),
    "a folder": (a_folder, "unable to open", "name another state folder"),
}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The database of a local cloud with things in it, written out whole."""
    folder = tmp_path_factory.mktemp("filled")
    store = Store(folder)
    for number in range(200):
        store.create(made(number), overwrite=False)
    with sqlite3.connect(folder / "cloud.db") as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return (folder / "cloud.db").read_bytes()


def made(number: int) -> stores.CloudObject:
    urn = f"urn:pulumi:dev::p::aws:s3/bucket:Bucket::b{number}"
    return stores.CloudObject(
        "aws:s3/bucket:Bucket", f"b{number}", "", urn, f"b{number}", "", urn, {"x": "y" * 200}, {}
    )


@pytest.mark.parametrize("command", ["preview", "up", "refresh", "destroy"])
@pytest.mark.parametrize("how", DATABASES)
def test_a_broken_database_is_named(
    how: str, command: str, filled: bytes, tmp_path: Path, mlestate: Callable[..., Ended]
) -> None:
    file = tmp_path / "cloud" / "cloud.db"
    file.parent.mkdir()
    file.write_bytes(filled)
    spoil, *words = DATABASES[how]
    spoil(file)
    refused(mlestate(*local(command, tmp_path)), file, *words)


def test_a_database_that_another_process_holds_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "_WAIT", 0.05)
    store = Store(tmp_path)
    other = sqlite3.connect(tmp_path / "cloud.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    for attempt in (lambda: store.create(made(1), overwrite=False), lambda: Store(tmp_path)):
        with pytest.raises(InputError, match=r"cloud\.db cannot be used: database is locked; another process holds it"):
            attempt()
    other.execute("ROLLBACK")
    other.close()
    store.create(made(1), overwrite=False)
    assert [one.id for one in store.objects()] == ["b1"], "it goes on once the other has ended"


def test_a_database_that_may_not_be_written_is_named(filled: bytes, tmp_path: Path) -> None:
    file = tmp_path / "cloud.db"
    file.write_bytes(filled)
    with (
        unwritable(file),
        pytest.raises(
            InputError, match=r"cloud\.db cannot be used: .*readonly database; make it and its folder writable"
        ),
    ):
        Store(tmp_path)


def test_an_object_or_a_salt_that_was_damaged_is_named(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.create(made(1), overwrite=False)
    with sqlite3.connect(tmp_path / "cloud.db") as connection:
        connection.execute("UPDATE objects SET inputs = '{cut o'")
    connection.close()
    with pytest.raises(InputError, match=r"cloud\.db: aws:s3/bucket:Bucket b1 is damaged; restore it"):
        store.objects()
    (tmp_path / "cloud.salt").write_bytes(b"short")
    with pytest.raises(InputError, match=r"cloud\.salt has 5 bytes where 16 are needed"):
        Store(tmp_path)


# States

URN = "urn:pulumi:plan::p::aws:s3/bucket:Bucket::b"
SOUND: dict[str, Any] = {"urn": URN, "type": "aws:s3/bucket:Bucket", "custom": True}
PROVIDER = {"urn": "urn:pulumi:plan::p::pulumi:providers:aws::aws", "type": "pulumi:providers:aws", "custom": True}


def state_of(*resources: Any, **deployment: Any) -> str:
    return json.dumps({"version": 3, "deployment": {"resources": list(resources), **deployment}})


BROKEN_STATES: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "it is empty"),
    "cut off": (state_of(SOUND)[:-9], "it is not JSON (line 1, column"),
    "no text": (b"\xff\xfe\x00\x01", "it is not UTF-8 text (byte 1)"),
    "nested": ("[" * 100_000, "nested too deeply"),
    "a long number": ("9" * 5000, "a number that is too long"),
    "a list": ("[]", "it is an empty list, not a Pulumi state"),
    "a number": ("7", "it is the number 7, not a Pulumi state"),
    "another version": ('{"version": 2, "deployment": {}}', "the state has version 2; only version 3"),
    "no version": ('{"resources": [{"foo": 1}]}', "the state has no version; only version 3"),
    "no deployment": ('{"version": 3}', "it has no `deployment`"),
    "null for a deployment": ('{"version": 3, "deployment": null}', "`deployment` is null where an object is needed"),
    "a word for resources": ('{"version": 3, "deployment": {"resources": "x"}}', "`deployment.resources` is 'x' where"),
    "a number for a resource": (state_of(SOUND, 4), "`deployment.resources[1]`: it is the number 4 where an object"),
    "no fields": (state_of({"foo": 1}), "`deployment.resources[0]`: it has no `urn`"),
    "no type": (state_of({"urn": URN, "custom": True}), f"`deployment.resources[0]` ({URN}): it has no `type`"),
    "no custom": (state_of({"urn": URN, "type": "a:b:C"}), f"({URN}): it has no `custom`"),
    "a number for a URN": (state_of(SOUND | {"urn": 5}), "`urn` is the number 5 where a URN"),
    "a bad URN": (state_of(SOUND, SOUND | {"urn": "urn:b"}), "resources[1]` (urn:b): `urn` is 'urn:b' where a URN"),
    "half a character": (state_of(SOUND | {"id": "\ud800"}), f"({URN}): `id` is '\\ud800' where a text is needed"),
    "a word for inputs": (state_of(SOUND | {"inputs": "x"}), "`inputs` is 'x' where an object is needed"),
    "bad dependencies": (
        state_of(SOUND | {"dependencies": ["x"]}),
        "`dependencies` is a list of 1 where a list of URNs",
    ),
    "a bad provider": (state_of(SOUND | {"provider": "aws"}), "`provider` is 'aws' where a provider's URN and id"),
    "an open secret": (
        state_of(SOUND | {"inputs": {"a": {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}}}),
        f"({URN}): its inputs hold a value that is not written as Pulumi writes it",
    ),
    "a number beyond": (state_of(SOUND | {"outputs": {"a": 10**400}}), f"({URN}): its outputs hold a value"),
    "a bad pending operation": (
        state_of(pending_operations=[{"type": "creating", "resource": {"urn": URN}}]),
        f"`deployment.pending_operations[0]`.resource ({URN}): it has no `type`",
    ),
    "a bad salt": (
        state_of(secrets_providers={"type": "passphrase", "state": {"salt": "v1"}}),
        "`deployment.secrets_providers`.state.salt is not one",
    ),
    "a view": (state_of(SOUND | {"viewOf": URN}), f"({URN}): it uses 'viewOf'"),
}
ACCOUNTS: dict[str, tuple[Any, str]] = {
    "no account": ([], "`allowedAccountIds` is an empty list where a list with an account id is needed"),
    "no account as text": ("[]", "`allowedAccountIds` is '[]' where a list with"),
    "a number for an account": ([5], "`allowedAccountIds` is a list of 1 where a list with"),
    "no JSON for accounts": ("[", "`allowedAccountIds` is '[' where a list with"),
}
AGAINST = BROKEN_STATES | {
    how: (state_of(PROVIDER | {"inputs": {"allowedAccountIds": given}}), says)
    for how, (given, says) in ACCOUNTS.items()
}


@pytest.mark.parametrize("how", AGAINST)
def test_a_broken_state_to_plan_against_is_named(how: str, tmp_path: Path, mlestate: Callable[..., Ended]) -> None:
    content, says = AGAINST[how]
    file = tmp_path / "before.json"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    refused(mlestate("plan", MINIMAL, "--against", file), f"--against {file}: ", says)


@pytest.mark.parametrize("place", ["no-such.json", "."])
def test_a_state_to_plan_against_that_is_no_file_is_named(
    place: str, tmp_path: Path, mlestate: Callable[..., Ended]
) -> None:
    ended = mlestate("plan", MINIMAL, "--against", tmp_path / place)
    refused(ended, f"--against {tmp_path / place} cannot be read: ", "write one with: pulumi stack export")


@pytest.mark.parametrize("how", BROKEN_STATES)
def test_a_broken_state_file_is_named_and_stays_as_it_was(
    how: str, tmp_path: Path, mlestate: Callable[..., Ended]
) -> None:
    content, says = BROKEN_STATES[how]
    file = tmp_path / "embedded" / "local.json"
    file.parent.mkdir()
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    before = file.read_bytes()
    refused(mlestate(*local("up", tmp_path)), file, says)
    assert file.read_bytes() == before, "what can still be mended by hand is not written over"
    assert Store(tmp_path / "cloud").objects() == [], "nothing is created"


def test_null_stands_for_what_is_left_out(exported: str) -> None:
    """As Go writes lists and maps that are nil."""
    document = json.loads(exported)
    for resource in document["deployment"]["resources"]:
        resource.update({key: None for key in ("aliases", "parent", "protect", "inputs") if key not in resource})
        resource["propertyDependencies"] = dict.fromkeys(resource.get("inputs") or {}) or None
    document["deployment"]["pending_operations"] = None
    state = State.in_memory()
    state.import_(document)
    assert len(state.resources) == len(document["deployment"]["resources"])
    assert all(list(resource.references()) is not None for resource in state.resources)


def sample() -> dict[str, Any]:
    """A small state that uses most fields, with a secret in the open and an operation that was begun."""
    toys = ToyStack()

    def program() -> None:
        group = Group("group")
        first = Thing("first", Options(parent=group, protect=True), size=1.5, list=[1, {"b": None}])
        Thing("second", Options(ignore_changes=["x"], depends_on=[group]), link=first.arn, s=pulumi.Output.secret("h"))

    toys.up(program)
    with toys.state.session():
        toys.state.begin("creating", toys.state.resources[-1])
    return toys.state.export(show_secrets=True)


SAMPLE = sample()
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from places(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from places(item, (*path, index))


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(list(places(SAMPLE))[1:]), st.none() | JSON_VALUES, st.booleans())
def test_whatever_stands_in_a_state_it_is_read_or_refused(path: tuple[str | int, ...], value: Any, cut: bool) -> None:
    """One place at a time; what is read can be written again, so nothing that passes breaks a run's end."""
    document = copy.deepcopy(SAMPLE)
    holder: Any = document
    for step in path[:-1]:
        holder = holder[step]
    if cut:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    state = State.in_memory(passphrase="p")
    try:
        state.import_(document, "this state")
    except InputError as error:
        told = str(error)
    else:
        told = ""
    assert not told or told.startswith("this state: ")
    json.dumps(state.export(show_secrets=True), ensure_ascii=False).encode()


# Journals


def entry(number: int, text: str) -> str:
    return f"line {number} of the journal {{journal}} cannot be applied: {text}"


JOURNALS = {
    "no JSON": ('{"drop": [1]}\n{"drop": [2\n{"drop": [3]}\n', entry(3, "it is not JSON (line 1, column")),
    "no text": ('{"drop": [1]}\n\udcff\n', entry(3, "it is not UTF-8 text")),
    "an empty line": ('\n{"drop": [1]}\n', entry(2, "it is empty")),
    "a number": ("5\n", entry(2, "it is not an entry that a run writes")),
    "no pairs": ('{"put": [7]}\n', entry(2, "it is not an entry that a run writes")),
    "a bad resource": ('{"put": [[1, {"urn": "x"}]]}\n', entry(2, "resource (x): `urn` is 'x' where a URN")),
    "an unknown beginning": ('{"begin": {}}\n', entry(2, "it is not an entry that a run writes")),
}


@pytest.mark.parametrize("how", JOURNALS)
def test_the_bad_line_of_a_journal_is_named(how: str, tmp_path: Path, mlestate: Callable[..., Ended]) -> None:
    lines, says = JOURNALS[how]
    state = State.in_folder(tmp_path / "embedded", "local", passphrase="local")
    with pytest.raises(RuntimeError, match="dies"), state.session():
        raise RuntimeError("a run that dies leaves its journal")
    journal = tmp_path / "embedded" / "local.journal"
    with journal.open("a", encoding="utf-8", errors="surrogateescape") as opened:
        opened.write(lines)
    before = journal.read_bytes()
    ended = mlestate(*local("up", tmp_path))
    refused(ended, says.format(journal=journal), "remove it to go on from the end of the last finished run")
    assert journal.read_bytes() == before, "it is kept to be mended"


@pytest.mark.parametrize("first", ["5", "{cut", "[]"])
def test_a_bad_first_line_of_a_journal_is_named(first: str, tmp_path: Path) -> None:
    (tmp_path / "dev.journal").write_text(f'{first}\n{{"drop": [1]}}\n')
    with pytest.raises(InputError, match=r"line 1 of the journal \S+dev\.journal cannot be applied"):
        State.in_folder(tmp_path, "dev", passphrase="p").export()


# Faults


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("{bad", "it is not JSON (line 1, column 2"),
        ("[]", "the whole is [] where an object is needed; write such as"),
        ('{"crate": {}}', "no operation 'crate'; there are check, create"),
        ('{"create": 5}', "create is 5 where an object is needed"),
        ('{"create": {"*": "fail"}}', "create * is 'fail' where an object is needed"),
        ('{"create": {"*": {"explode": 1}}}', "create *: no fault 'explode'; there are die, fail, slow, times"),
        ('{"create": {"*": {"slow": "1"}}}', "create *: slow is '1'; it has to be a number of seconds"),
        ('{"create": {"*": {"slow": -1}}}', "create *: slow is -1; it has to be a number of seconds"),
        ('{"create": {"*": {"die": "now"}}}', "create *: die is 'now'; it has to be 'before' or 'after'"),
        ('{"create": {"*": {"times": 0.5}}}', "create *: times is 0.5; it has to be a whole number"),
    ],
)
@pytest.mark.parametrize("command", ["up", "destroy"])
def test_faults_that_cannot_be_read_are_refused(
    given: str, says: str, command: str, tmp_path: Path, mlestate: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FAULTS, given)
    refused(mlestate(*local(command, tmp_path)), f"{FAULTS}: ", says)
