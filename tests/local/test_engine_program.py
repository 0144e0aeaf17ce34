"""Programs: functions and folders, their errors, and several of them in one process."""

import asyncio
import gc
import sys
import threading
from pathlib import Path

import pulumi
import pydantic
import pytest

from mlestate.errors import InputError
from tests.local.toy_stack import Thing, ToyStack, messages


@pytest.fixture
def toys() -> ToyStack:
    return ToyStack(config={"toys:size": "3"})


def folder(path: Path, main: str, **modules: str) -> Path:
    path.mkdir()
    (path / "__main__.py").write_text(main)
    for name, text in modules.items():
        (path / f"{name}.py").write_text(text)
    return path


def test_a_folder_with_a_main_is_a_program(toys: ToyStack, tmp_path: Path) -> None:
    main = "import pulumi, helper\npulumi.export('size', helper.size())\n"
    helper = "import pulumi\ndef size():\n    return pulumi.Config().require_int('size')\n"
    before = list(sys.path), Path.cwd(), set(sys.modules)
    assert toys.up(folder(tmp_path / "one", main, helper=helper)).outputs == {"size": 3}
    assert (list(sys.path), Path.cwd()) == before[:2]
    assert "helper" not in sys.modules, "two programs may have modules of one name"
    other = folder(tmp_path / "two", main, helper="def size():\n    return 'another'\n")
    assert toys.up(other).outputs == {"size": "another"}


def test_code_that_runs_when_a_value_is_known_may_still_import(toys: ToyStack, tmp_path: Path) -> None:
    main = (
        "import pulumi\nfrom tests.local.toy_stack import Thing\n"
        "def late(arn):\n    import helper\n    return helper.SUFFIX + arn\n"
        "pulumi.export('late', Thing('thing').arn.apply(late))\n"
    )
    assert toys.up(folder(tmp_path / "one", main, helper="SUFFIX = '!'\n")).outputs == {"late": "!toy:nowhere:thing-1"}


def test_a_folder_without_a_main_is_refused(toys: ToyStack, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no Pulumi program: there is no __main__\.py in it"):
        toys.up(tmp_path)


def test_an_exception_is_one_message_with_the_programs_lines_kept_aside(toys: ToyStack, tmp_path: Path) -> None:
    main = "def wrong():\n    raise ValueError('the moon is full')\nwrong()\n"
    result = toys.up(folder(tmp_path / "one", main), fails=True)
    (diagnostic,) = result.diagnostics
    assert diagnostic.message == "the moon is full"
    assert "Traceback" not in diagnostic.message
    text = "".join(diagnostic.traceback)
    assert "raise ValueError('the moon is full')" in text
    assert "pulumi/runtime" not in text, "the user's lines, not the SDK's"


def test_an_exception_in_an_apply_is_the_programs(toys: ToyStack) -> None:
    def program() -> None:
        pulumi.export("x", Thing("thing").arn.apply({"another": 1}.__getitem__))

    assert messages(toys.up(program, fails=True)) == ["'toy:nowhere:thing-1'"]
    assert "thing" in toys.resources(), "what was made before is kept"


def test_errors_of_the_users_configuration_pass_through(toys: ToyStack) -> None:
    class Settings(pydantic.BaseModel):
        size: int

    with pytest.raises(pydantic.ValidationError):
        toys.up(lambda: Settings(size="large"))

    def program() -> None:
        raise InputError("estate.yaml: no such file")

    with pytest.raises(InputError, match="no such file"):
        toys.up(program)


def test_a_program_that_ends_the_process_is_a_failure_only_with_an_exit_code(toys: ToyStack) -> None:
    assert messages(toys.up(lambda: sys.exit(3), fails=True)) == ["the program ended with exit code 3"]
    toys.up(lambda: sys.exit(0))


def test_an_asynchronous_program_is_awaited(toys: ToyStack) -> None:
    async def program() -> None:
        await asyncio.sleep(0.01)
        pulumi.export("arn", await Thing("thing").arn.future())

    assert toys.up(program).outputs == {"arn": "toy:nowhere:thing-1"}


def test_the_program_sees_its_stack(toys: ToyStack) -> None:
    def program() -> None:
        names = (pulumi.get_organization(), pulumi.get_project(), pulumi.get_stack())
        pulumi.export("names", "/".join(names))

    assert toys.up(program).outputs == {"names": "organization/toys/dev"}


def test_runs_in_parallel_threads_do_not_see_each_other() -> None:
    stacks = [ToyStack(config={"toys:size": str(number)}) for number in range(4)]
    together = threading.Barrier(4, timeout=10)
    outputs: dict[int, object] = {}

    def run(number: int) -> None:
        def program() -> None:
            together.wait()
            Thing(f"thing-{number}")
            pulumi.export("size", pulumi.Config().require_int("size"))

        outputs[number] = stacks[number].up(program).outputs["size"]

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outputs == {number: number for number in range(4)}
    assert [sorted(stack.cloud.things) for stack in stacks] == [[f"thing-{number}-1"] for number in range(4)]


def test_nothing_of_a_run_stays_behind(toys: ToyStack) -> None:
    def program() -> None:
        for number in range(5):
            Thing(f"thing-{number}")

    root = pulumi.runtime.get_root_resource()
    toys.up(program)
    assert pulumi.runtime.get_root_resource() is root
    assert threading.active_count() == len(threading.enumerate())
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("pulumi")]
    gc.collect()
    assert not [one for one in gc.get_objects() if isinstance(one, Thing)], "a run's resources are freed with it"


def test_a_run_may_be_started_from_inside_an_event_loop(toys: ToyStack) -> None:
    async def outer() -> object:
        return await asyncio.to_thread(toys.up, lambda: pulumi.export("x", 1))

    asyncio.run(outer())
    assert toys.resources()["toys-dev"]["outputs"] == {"x": 1}
