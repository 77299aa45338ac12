"""The sandbox as a process of its own: one a directory, found again after a kill, gone without a trace after a stop."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep

import httpx2
import pytest

from tests.server.sandbox.graph_client import GraphClient

_WAIT = 15.0
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    running: list[subprocess.Popen[str]] = []

    def run(data: Path, *flags: str, **environment: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-m", "server.sandbox", "--data", str(data), *flags],
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | environment,
        )
        running.append(process)
        return process

    yield run
    for process in running:
        process.kill()
        process.communicate(timeout=_WAIT)


def announced(data: Path, process: "subprocess.Popen[str]") -> str:
    deadline = monotonic() + _WAIT
    while monotonic() < deadline and process.poll() is None:
        if (data / "sandbox.json").exists():
            found = json.loads((data / "sandbox.json").read_bytes())
            if found["pid"] == process.pid:
                return str(found["url"])
        sleep(0.01)
    raise AssertionError(f"never served; exit code {process.poll()}")


def test_it_announces_itself_and_takes_the_announcement_away(tmp_path: Path, start: Start) -> None:
    process = start(tmp_path)
    url = announced(tmp_path, process)

    assert (tmp_path / "sandbox.json").stat().st_mode & 0o777 == 0o600
    assert httpx2.post(f"{url}/alive").json() == {"alive": True}

    process.send_signal(signal.SIGTERM)
    assert process.wait(_WAIT) == 0
    assert not (tmp_path / "sandbox.json").exists()


def test_a_kill_loses_neither_port_nor_writes(tmp_path: Path, start: Start) -> None:
    first = start(tmp_path)
    url = announced(tmp_path, first)
    with httpx2.Client(base_url=url) as http:
        graph = GraphClient(http)
        campaign = graph.create(graph.us)
    first.kill()
    first.wait(_WAIT)

    again = announced(tmp_path, start(tmp_path))

    assert again == url
    with httpx2.Client(base_url=again) as http:
        assert GraphClient(http).get(campaign, fields="name")["name"] == "Spring"


def test_a_directory_has_one_sandbox(tmp_path: Path, start: Start) -> None:
    url = announced(tmp_path, start(tmp_path))

    second = start(tmp_path)

    assert second.wait(_WAIT) == 1
    assert "another sandbox serves" in second.communicate()[1]
    assert httpx2.get(f"{url}/alive").status_code == 200


def test_a_taken_port_is_one_clear_line(tmp_path: Path, start: Start) -> None:
    url = announced(tmp_path / "a", start(tmp_path / "a"))

    second = start(tmp_path / "b", "--port", url.rpartition(":")[2])

    assert second.wait(_WAIT) == 1
    assert "choose another --port" in second.communicate()[1]


def test_left_alone_it_ends(tmp_path: Path, start: Start) -> None:
    process = start(tmp_path, "--seconds-without-owner", "1")

    assert process.wait(_WAIT) == 0
    assert not (tmp_path / "sandbox.json").exists()


def test_a_quota_that_is_no_number_is_refused(tmp_path: Path, start: Start) -> None:
    process = start(tmp_path, SANDBOX_META_CALLS_PER_HOUR="many")

    assert process.wait(_WAIT) == 1
    assert "SANDBOX_META_CALLS_PER_HOUR must be" in process.communicate()[1]
