"""The bridge as clients run it: a process with the real product behind it."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from server.bridge.main import LINE_LIMIT, Lines
from server.cli.main import main
from server.process.client import running
from server.process.files import read_json
from server.process.ownership import is_held, wait_until_free

META = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}


def test_lines_are_found_wherever_the_pieces_are_cut() -> None:
    found: list[bytes] = []
    lines = Lines(found.append, lambda: found.append(b"too long"))
    for piece in (b'{"a"', b":1}\n\n {}\r\n", b"last"):
        lines.feed(piece)
    lines.end()
    assert found == [b'{"a":1}', b"{}", b"last"]


def test_a_line_beyond_the_limit_is_reported_once_and_the_next_one_read() -> None:
    found: list[bytes] = []
    lines = Lines(found.append, lambda: found.append(b"too long"))
    for _ in range(LINE_LIMIT // 1_000_000 + 2):
        lines.feed(b"x" * 1_000_000)
    lines.feed(b"\nnext\n")
    assert found == [b"too long", b"next"]


class Bridge:
    def __init__(self, directory: Path, *options: str, **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "server.cli.main", "mcp", "--data", str(directory), *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **environment},
        )  # fmt: skip
        self._id = 0

    def write(self, line: bytes) -> None:
        assert self.process.stdin
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def read(self) -> Any:
        assert self.process.stdout
        return json.loads(self.process.stdout.readline())

    def ask(self, method: str, **params: Any) -> Any:
        self._id += 1
        self.write(json.dumps({"jsonrpc": "2.0", "id": self._id, "method": method, "params": params}).encode())
        answer = self.read()
        assert answer["id"] == self._id
        return answer["result"]

    def call(self, tool: str, **arguments: Any) -> Any:
        return self.ask("tools/call", name=tool, arguments=arguments, _meta=META)

    def end(self) -> tuple[int, str]:
        """Exit status and what it said on stderr."""
        _, said = self.process.communicate(timeout=30)
        return self.process.returncode, said.decode()


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name in ("ADWRIGHT_DATA", "ADWRIGHT_URL", "ADWRIGHT_API_KEY", "PUBLIC_URL", "BROWSER", "DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ADWRIGHT_IDLE_SECONDS", "1")
    path = tmp_path / "data"
    yield path
    for name, file in (("owner", "serve.json"), ("sandbox", "sandbox.json")):
        if is_held(path / f"{name}.lock"):
            os.kill(int(read_json(path / file)["pid"]), signal.SIGKILL)
            assert wait_until_free(path / f"{name}.lock", 2)


@pytest.mark.slow
def test_discovery_comes_first_and_a_kill_of_the_owner_is_survived(directory: Path) -> None:
    bridge = Bridge(directory)
    try:
        hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
        assert bridge.ask("initialize", **hello)["serverInfo"]["name"] == "adwright"
        assert running(directory) is None, "it answered before its server was up"
        assert any(tool["name"] == "whoami" for tool in bridge.ask("tools/list")["tools"])
        assert bridge.call("whoami")["structuredContent"]["code"] == "conflict", "nobody owns the directory yet"
        assert main(["users", "create", "ann@example.com", "--role", "owner", "--data", str(directory)]) == 0
        assert bridge.call("whoami")["structuredContent"]["via"] == "mcp"
        assert bridge.ask("tools/call", name="whoami", arguments={})["structuredContent"]["via"] == "mcp"

        os.kill(int(read_json(directory / "serve.json")["pid"]), signal.SIGKILL)
        assert wait_until_free(directory / "owner.lock", 2)
        bridge.write(b"this is not JSON")
        assert bridge.read()["error"]["code"] == -32700
        assert bridge.ask("tools/call", name="whoami", arguments={})["structuredContent"]["via"] == "mcp"
        assert bridge.end() == (0, "")
    finally:
        bridge.process.kill()
        bridge.process.wait()
    assert wait_until_free(directory / "owner.lock", 10), "its owner ends after it"


@pytest.mark.slow
def test_a_person_is_taken_to_the_page_by_a_link_that_shows_nowhere_else(directory: Path, tmp_path: Path) -> None:
    browser, opened = tmp_path / "browser", tmp_path / "opened"
    browser.write_text(f'#!/bin/sh\necho "$1" >> {opened}\necho noise\n', encoding="utf-8")
    browser.chmod(browser.stat().st_mode | stat.S_IXUSR)
    demo = subprocess.Popen(
        [sys.executable, "-m", "server.cli.main", "demo", "--data", str(directory), "--no-open"],
        stdout=subprocess.DEVNULL,
    )
    bridge = None
    try:
        _appears(directory / "demo.json", demo)
        bridge = Bridge(directory, BROWSER=f"{browser} %s")
        campaigns = bridge.call("list_campaigns", status="ACTIVE")["structuredContent"]["items"]
        refused = bridge.call("update_campaign", campaign_id=campaigns[0]["campaign_id"], status="PAUSED")
        approval = refused["structuredContent"]["approval"]
        _appears(opened, demo)
        assert bridge.call("get_approval", approval_id=approval["id"])["structuredContent"]["status"] == "pending"
        status, said = bridge.end()
        link = opened.read_text(encoding="utf-8").splitlines()
        assert len(link) == 1
        token = link[0].partition("token=")[2]
        assert len(token) > 20
        assert token not in json.dumps(refused) + said
        assert status == 0
    finally:
        for process in (demo, *([bridge.process] if bridge is not None else [])):
            process.terminate()
            process.wait(6)
    assert not is_held(directory / "sandbox.lock"), "a clean stop ends the sandbox"


def _appears(path: Path, process: "subprocess.Popen[bytes]") -> None:
    give_up = time.monotonic() + 30
    while not path.exists():
        assert process.poll() is None
        assert time.monotonic() < give_up
        time.sleep(0.05)
