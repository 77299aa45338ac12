"""Directories whose processes do not outlive the test."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from server.process.asking import ask
from server.process.client import Owner, connect
from server.process.files import read_json
from server.process.ownership import Record, is_held, wait_until_free

STAND_IN = [sys.executable, "-m", "tests.server.process.start_stand_in"]
SECONDS = 20.0


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name in (
        "ADWRIGHT_DATA",
        "ADWRIGHT_URL",
        "ADWRIGHT_API_KEY",
        "PUBLIC_URL",
        "ENCRYPTION_KEYS",
        "ENCRYPTION_KEY",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ADWRIGHT_IDLE_SECONDS", "0.4")
    path = tmp_path / "data"
    yield path
    for name in ("owner", "child"):
        kill(path, name)


def kill(directory: Path, name: str = "owner") -> None:
    """As kill -9 does, and only while the lock says that the pid is still its."""
    if is_held(directory / f"{name}.lock"):
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(read_json(directory / f"{'serve' if name == 'owner' else name}.json")["pid"]), signal.SIGKILL)
        assert wait_until_free(directory / f"{name}.lock", 2)


def status(url: str, method: str, path: str, token: str = "") -> int:
    answered, connection = ask(url, method, path, token)
    connection.close()
    return answered


@contextlib.contextmanager
def in_foreground(directory: Path) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """An owner that a person started: its address and its process."""
    process = subprocess.Popen([*STAND_IN, "--foreground", str(directory)])
    try:
        give_up = time.monotonic() + SECONDS
        while not (record := Record.read(directory)).token:
            assert process.poll() is None
            assert time.monotonic() < give_up
            time.sleep(0.02)
        yield record.url, process
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def start(directory: Path) -> Iterator[Callable[[], Owner]]:
    """Connects as a command does, to the stand-in."""
    opened: list[Owner] = []

    def connected() -> Owner:
        opened.append(connect(directory, command=STAND_IN, seconds=SECONDS))
        return opened[-1]

    yield connected
    for owner in opened:
        owner.close()
