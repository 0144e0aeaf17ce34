"""Running a Pulumi program in process, in a context and an event loop of its own: nothing of it stays behind."""

import asyncio
import contextvars
import inspect
import re
import runpy
import sys
import threading
import traceback
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeAlias

import pulumi
import pydantic
from pulumi.runtime import Settings, configure, run_in_stack, set_all_config
from pulumi.runtime.settings import ROOT

from mlestate.config.errors import ConfigError
from mlestate.errors import InputError
from mlestate.local.monitor import refusal
from mlestate.local.stack import Stack

Program: TypeAlias = Callable[[], object] | Path

# What the SDK says of a feature that the engine left out of those it supports.
_UNSUPPORTED: Final = re.compile(r"The Pulumi CLI does not support (?P<what>.+?)\. Please update the Pulumi CLI\.")
_USERS_OWN: Final = (InputError, ConfigError, pydantic.ValidationError)
_one_path_program = threading.RLock()


class ProgramFailed(Exception):
    """The program raised. The message is for the user; `lines` is the traceback without the SDK's part."""

    def __init__(self, message: str, lines: tuple[str, ...]) -> None:
        super().__init__(message)
        self.lines = lines


def run(program: Program, stack: Stack, *, monitor: Any, engine: Any, preview: bool) -> None:
    """Run a program to its end.

    Raises ProgramFailed when it fails; errors in what the user configured (pydantic's and ours) come through.
    """

    def in_own_context() -> None:
        ROOT.set(None)
        set_all_config(dict(stack.config), list(stack.secret_config))
        configure(
            Settings(
                project=stack.project,
                stack=stack.name,
                monitor=monitor,
                engine=engine,
                parallel=stack.parallel,
                dry_run=preview,
                organization=stack.organization,
                root_directory=str(program) if isinstance(program, Path) else "",
            )
        )
        with asyncio.Runner() as runner:
            loop = runner.get_loop()
            # The SDK leaves futures of what failed unobserved; the failure itself was reported.
            loop.set_exception_handler(lambda _loop, _context: None)
            loop.set_default_executor(ThreadPoolExecutor(max_workers=stack.parallel, thread_name_prefix="pulumi"))
            runner.run(run_in_stack(_entry(program)))

    with _importable(program):
        try:
            contextvars.copy_context().run(in_own_context)
        except _USERS_OWN:
            raise
        except SystemExit as error:
            if error.code not in (None, 0):
                raise ProgramFailed(f"the program ended with exit code {error.code}", ()) from error
        except Exception as error:  # whatever a user's program raises is reported as its failure
            unsupported = _UNSUPPORTED.search(str(error))
            message = refusal(unsupported["what"]) if unsupported else str(error) or type(error).__name__
            raise ProgramFailed(message, tuple(_own_lines(error))) from error


def _entry(program: Program) -> Callable[[], Awaitable[None]]:
    start: Callable[[], Any] = program if not isinstance(program, Path) else _main(program)

    async def entry() -> None:
        started = start()
        if inspect.isawaitable(started):
            await started
        # Let the registrations begin: else the SDK, seeing none, waits on every output there is, again and again.
        await asyncio.sleep(0)

    return entry


def _main(folder: Path) -> Callable[[], Any]:
    main = folder / "__main__.py"
    if not main.is_file():
        raise InputError(f"{folder} holds no Pulumi program: there is no __main__.py in it")
    return lambda: runpy.run_path(str(main), run_name="__main__")


@contextmanager
def _importable(program: Program) -> Iterator[None]:
    """Let a program in a folder import what lies beside it, and forget those modules afterwards.

    Such programs run one at a time: the import path and `__main__` belong to the process.
    """
    if not isinstance(program, Path):
        yield
        return
    folder = str(program.resolve())
    with _one_path_program:
        before = set(sys.modules)
        sys.path.insert(0, folder)
        try:
            yield
        finally:
            sys.path.remove(folder)
            for name in set(sys.modules) - before:
                origin = getattr(sys.modules[name], "__file__", None)
                if origin is not None and Path(origin).is_relative_to(folder):
                    del sys.modules[name]


def _own_lines(error: BaseException) -> Iterator[str]:
    """The traceback without the frames of the SDK and of the event loop."""
    hidden = (str(Path(pulumi.__file__).parent), str(Path(asyncio.__file__).parent), __file__)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(hidden)]
    yield from traceback.format_list(frames)
    yield from traceback.format_exception_only(error)
