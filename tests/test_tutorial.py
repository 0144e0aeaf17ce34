"""docs/tutorial.md, run as a reader runs it: its commands in their order, in one shell, over real HTTP."""

import http.client
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import boto3  # type: ignore[import-untyped]  # it ships no types
import pytest

from mlestate.config import loads
from mlestate.errors import InputError
from tests.aws.account import CONTROL, Account
from tests.aws.account.people import REGION
from tests.aws.account.server import Served, open_account
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "tutorial.md").read_text()
SKIPPED = "…"
LIMIT_SECONDS = 1500

FRAMES = re.compile(r"[│╭╮╰╯─\s]+")
MARK = "=== step {} ended in {} ==="


@dataclass(frozen=True)
class Step:
    """A block of commands, and what the page shows of what they print."""

    commands: str
    shown: str | None


def steps() -> list[Step]:
    """The blocks that are marked as bash; a block of text right behind one is what it prints."""
    found = re.findall(r"^```bash\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", PAGE, re.DOTALL | re.MULTILINE)
    return [Step(commands, shown or None) for commands, shown in found]


def words(text: str) -> str:
    """A text without the frames of panels and without its breaks of lines, which are as a terminal is wide."""
    return FRAMES.sub(" ", text).strip()


def agrees(shown: str, printed: str) -> bool:
    """Whether the page shows what was printed, but for what it leaves out."""
    pattern = ".*?".join(re.escape(part) for part in words(shown).split(SKIPPED))
    return re.fullmatch(pattern, words(printed)) is not None


def ran(folder: Path) -> list[tuple[int, str]]:
    """How each block ended, and what it printed."""
    for name in (".venv", "components", "docs", "tests"):
        (folder / name).symlink_to(Path(sys.executable).parents[1] if name == ".venv" else ROOT / name)
    script = "".join(
        f'{step.commands}\nended=$?; echo; echo "{MARK.format(number, "$ended")}"\n'
        for number, step in enumerate(steps())
    )
    environment: Mapping[str, str] = {
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "PATH": os.environ["PATH"],
        "PYTHONDONTWRITEBYTECODE": "",
    }
    try:
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LIMIT_SECONDS,
        )
    finally:
        if (folder / ".mlestate" / "account" / "config").exists():
            subprocess.run([sys.executable, "-m", "tests.aws.account", "stop"], cwd=folder, check=True)
    parts = re.split(rf"\n{re.escape(MARK).replace(re.escape('{}'), '(.*?)')}\n", done.stdout)
    return [(int(code), printed) for printed, code in zip(parts[::3], parts[2::3], strict=False)]


@pytest.mark.slow
def test_the_commands_of_the_page_run_and_print_what_it_shows(tmp_path: Path) -> None:
    """Not run is `make demo`, which sets up what runs this test."""
    done = ran(tmp_path)
    wrong = [
        f"$ {step.commands}ended in {code}; the page shows\n{step.shown}and it printed\n{printed}"
        for step, (code, printed) in zip(steps(), done, strict=True)
        if code != 0 or (step.shown is not None and not agrees(step.shown, printed))
    ]
    assert not wrong, "\n\n".join(wrong)
    left = {each.name for each in tmp_path.iterdir() if not each.is_symlink()}
    assert left <= {".mlestate", ".cache"}, "the last commands take away what the first ones made"


def test_every_block_of_the_page_is_run_or_is_shown() -> None:
    kinds = re.findall(r"^```([a-z]+)$", PAGE, re.MULTILINE)
    assert kinds.count("bash") == len(steps())
    assert kinds.count("text") == sum(step.shown is not None for step in steps()), "a text belongs to the block above"
    assert set(kinds) == {"bash", "text", "sh"}
    assert re.findall(r"^```sh\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE) == ["make demo\n"]


@pytest.mark.parametrize("shown", [step.shown for step in steps() if step.shown])
def test_what_the_page_shows_says_more_than_it_leaves_out(shown: str) -> None:
    kept = [line for line in shown.splitlines() if len(words(line.replace(SKIPPED, ""))) > 10]
    assert len(kept) * 2 > shown.count(SKIPPED), "left out is what differs from run to run, and little else"


def test_a_text_agrees_with_its_own_frame_and_width_alone() -> None:
    printed = "╭─ churn ──╮\n│ in use  version 2 since 12:00 │\n╰─╯\ndone\n"
    assert agrees("in use version 2\n  since …\ndone", printed.replace("churn", ""))
    assert not agrees("in use version 2\n  since …\ndone", printed), "nothing may stand before"
    assert not agrees("╭ churn ╮ in use version 3 since … done", printed)
    assert not agrees("╭ churn ╮ in use version 2 since 12:00", printed), "nor behind"


# the account that is served

ESTATE = loads((ROOT / "docs" / "tutorial" / "estate.yaml").read_text()).config
JSON = {"Content-Type": "application/json"}
ROLE = "arn:aws:iam::123456789012:role/mlestate/acme/acme-hub-approver"


def served(asks: list[tuple[str, str, Mapping[str, str], str]]) -> list[tuple[int, str]]:
    """What an empty account answers to requests that nobody signed: status and body of each."""
    answers: list[tuple[int, str]] = []

    def ask(served: Served) -> None:
        for method, path, headers, body in asks:
            connection = http.client.HTTPConnection(urlsplit(served.endpoint).netloc, timeout=60)
            connection.request(method, path, body, {**headers})
            answer = connection.getresponse()
            answers.append((answer.status, answer.read().decode()))
            connection.close()

    with Account() as account:
        while_serving(Served(account, ESTATE, []), ask)
    return answers


def while_serving(served: Served, work: Callable[[Served], None]) -> None:
    """Do something in another thread, as another process would, and then stop."""

    def run() -> None:
        try:
            work(served)
        finally:
            served.do(served.stop)

    served.serve(0, lambda: threading.Thread(target=run).start())


def test_the_account_takes_nothing_from_strangers_and_names_what_it_has_not() -> None:
    credential = (
        "AWS4-HMAC-SHA256 Credential=KEY/20261124/ca-central-1/{}/aws4_request, SignedHeaders=host, Signature=0"
    )
    answers = served(
        [
            ("GET", "/", {}, ""),
            ("GET", "/", {"Authorization": credential.format("ec2")}, ""),
            ("POST", CONTROL, {**JSON, "Host": "evil.example"}, '{"act": "stop"}'),
            ("POST", CONTROL, {"Content-Type": "text/plain"}, '{"act": "stop"}'),
            ("POST", CONTROL, JSON, '{"act": "dance"}'),
            ("POST", CONTROL, JSON, '{"act": "wait", "hours": 1}'),
            ("POST", CONTROL, JSON, '{"act": "alarm", "name": "none", "state": "ALARM"}'),
            ("POST", CONTROL, JSON, "no JSON"),
        ]
    )
    assert [status for status, _ in answers] == [501, 501, 403, 400, 400, 400, 400, 400]
    assert "has no service 'ec2'" in answers[1][1]
    assert "there is no act 'dance'; there are alarm, answer" in json.loads(answers[4][1])["message"]
    assert "no alarm is called none" in answers[6][1]


def test_whoever_signs_a_request_is_who_did_it() -> None:
    """A key that nobody was given is nobody's; signatures are not verified."""
    said: list[str] = []

    def act(served: Served, *keys: Mapping[str, str]) -> None:
        for key in keys:
            sagemaker = boto3.client("sagemaker", region_name=REGION, endpoint_url=served.endpoint, **key)
            name = f"group-{len(said)}"
            sagemaker.create_model_package_group(ModelPackageGroupName=name)
            described = sagemaker.describe_model_package_group(ModelPackageGroupName=name)
            said.append(described["CreatedBy"]["IamIdentity"]["Arn"].rpartition(":")[2])
            sagemaker.close()

    with Account() as account:
        given = account.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="ana@acme.example")["Credentials"]
        ana = {
            "aws_access_key_id": given["AccessKeyId"],
            "aws_secret_access_key": given["SecretAccessKey"],
            "aws_session_token": given["SessionToken"],
        }
        stranger = {"aws_access_key_id": "AKIAUNKNOWN", "aws_secret_access_key": "x"}
        while_serving(Served(account, ESTATE, []), lambda served: act(served, ana, stranger))
    assert said == ["assumed-role/acme-hub-approver/ana@acme.example", "assumed-role/nobody/AKIAUNKNOWN"]


def test_an_estate_of_another_account_is_not_served() -> None:
    """The commands would refuse it: its account is not that of the credentials."""
    elsewhere = ESTATE.model_copy(update={"region": "eu-west-1"})
    with pytest.raises(InputError, match="123456789012 in ca-central-1, and acme lies in 123456789012 in eu-west-1"):
        open_account(elsewhere, {}).__enter__()
