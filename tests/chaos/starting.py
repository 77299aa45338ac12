"""Starting a process of the product: as a user's shell would, or forked from one that has loaded the product already.

A start takes two seconds of processor time, nearly all of it imports, and chaos starts an owner for every kill.
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from multiprocessing import get_context
from multiprocessing.forkserver import ensure_running
from pathlib import Path
from typing import Protocol

from server.process.spawning import module

_LOADED = ["server.app", "server.process.owner", "server.cli.serve", "server.cli.main", "server.process.background"]
_CONTEXT = get_context("forkserver")
_CONTEXT.set_forkserver_preload(_LOADED)


def load() -> None:
    """Begin to load the product, beside whatever else is being started."""
    ensure_running()


class Running(Protocol):
    """Not every process here is a child of ours, yet of each we are told how it ended."""

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None: ...


def command(name: str, arguments: Sequence[str], directory: Path, environment: Mapping[str, str]) -> Running:
    """`python -m name arguments`, its output in the directory's chaos.log."""
    with (directory / "chaos.log").open("ab") as log:
        return subprocess.Popen(
            module(name, *arguments), cwd=directory, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )


class Forked:
    """`main(arguments)` of a module that is loaded already, in a process of its own."""

    def __init__(self, name: str, arguments: Sequence[str], directory: Path, environment: Mapping[str, str]) -> None:
        self._process = _CONTEXT.Process(target=_run, args=(name, list(arguments), directory, dict(environment)))
        self._process.start()

    @property
    def pid(self) -> int:
        return self._process.pid or 0

    def poll(self) -> int | None:
        return self._process.exitcode


def _run(name: str, arguments: list[str], directory: Path, environment: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(directory)
    log = os.open("chaos.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for standard in (1, 2):
        os.dup2(log, standard)
    sys.exit(sys.modules[name].main(arguments))
