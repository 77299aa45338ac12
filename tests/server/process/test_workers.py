"""Several real processes on one socket: they answer together, and end together, whatever ends the owner."""

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
from server.process.ownership import Record, is_held
from tests.database import settings_in

pytestmark = [pytest.mark.slow, pytest.mark.postgresql]
SECONDS = 60.0


def until(met: Callable[[], bool], seconds: float = SECONDS) -> None:
    give_up = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < give_up, f"not within {seconds} s"
        time.sleep(0.02)


def workers(owner: int) -> list[int]:
    with contextlib.suppress(FileNotFoundError):
        children = Path(f"/proc/{owner}/task/{owner}/children").read_text(encoding="utf-8").split()
        return [int(pid) for pid in children if b"process.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    return []


def answers(url: str) -> bool:
    try:
        status, connection = ask(url, "GET", "/livez", seconds=2)
    except ConnectionError:
        return False
    connection.close()
    return status == 200


def runs(pid: int) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    return False


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[tuple["subprocess.Popen[bytes]", Path]]:
    """Of three processes, all of which answer."""
    directory = tmp_path / "data"
    known = {name: value for name, value in os.environ.items() if not name.startswith(("ADWRIGHT_", "DATABASE_"))}
    process = subprocess.Popen(
        [sys.executable, "-m", "server.cli.main", "serve", "--data", str(directory), "--workers", "3"],
        env=known | settings_in(tmp_path) | {"ADWRIGHT_ANALYTICS": "off"},
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        until(lambda: Record.read(directory).pid == process.pid)
        until(lambda: len(workers(process.pid)) == 2)
        yield process, directory
    finally:
        process.kill()
        process.wait(10)


def test_a_kill_of_the_owner_ends_all_and_frees_the_port(owner: tuple["subprocess.Popen[bytes]", Path]) -> None:
    process, directory = owner
    url, others = Record.read(directory).url, workers(process.pid)

    process.send_signal(signal.SIGKILL)
    process.wait(10)

    until(lambda: not answers(url) and not any(map(runs, others)), 2)
    assert not is_held(directory / "owner.lock")


def test_a_worker_that_dies_is_replaced_and_a_stop_takes_all_along(
    owner: tuple["subprocess.Popen[bytes]", Path],
) -> None:
    process, directory = owner
    url, others = Record.read(directory).url, workers(process.pid)

    os.kill(others[0], signal.SIGKILL)
    until(lambda: len(workers(process.pid)) == 2 and others[0] not in workers(process.pid))
    assert answers(url)
    others = workers(process.pid)
    process.send_signal(signal.SIGTERM)

    assert process.wait(10) == 0
    assert not any(map(runs, others))
    assert not answers(url)
