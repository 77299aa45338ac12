"""How soon `adwright mcp` answers an MCP client, and what its relaying adds to a call, beside the alternatives."""

import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp_types.version import LATEST_HANDSHAKE_VERSION

from tests.bench.load import Load, Request
from tests.bench.processes import SETTLED, cpu_seconds, settle, started
from tests.bench.table import Row

START_TARGET, RELAY_TARGET = 0.2, 1.2
OURS = [sys.executable, "-m", "server.cli.main", "mcp", "--no-open"]
HELLO = """
    from fastmcp import FastMCP

    server = FastMCP("hello")

    @server.tool
    def hello(name: str) -> str:
        return f"Hello, {name}"

    server.run(show_banner=False, log_level="CRITICAL")
"""
OPENING = {
    "protocolVersion": LATEST_HANDSHAKE_VERSION, "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"},
}  # fmt: skip

ASKED = {"name": "whoami", "arguments": {}}


def measure(*, quick: bool) -> list[Row]:
    rounds, calls = (2, 50) if quick else (7, 1000)
    return [*_starts(rounds), *_relayed(3 if quick else 7, calls)]


@dataclass
class Stdio:
    """An MCP client's end of a pipe."""

    process: "subprocess.Popen[bytes]"
    started: float
    _last: int = 0

    def ask(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        assert self.process.stdout is not None
        self._last += 1
        self._write({"jsonrpc": "2.0", "id": self._last, "method": method, "params": params})
        while line := self.process.stdout.readline():
            message: dict[str, Any] = json.loads(line)
            if message.get("id") == self._last:
                if "result" not in message:
                    raise RuntimeError(f"{method} was refused: {message}")
                return message
        raise RuntimeError("the server ended")

    def opened(self) -> "Stdio":
        self.ask("initialize", OPENING)
        self._write({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return self

    def _write(self, message: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()


@contextmanager
def _stdio(command: list[str], variables: dict[str, str]) -> Iterator[Stdio]:
    known = {name: value for name, value in os.environ.items() if not name.startswith("ADWRIGHT_")}
    environment = known | {"ADWRIGHT_ANALYTICS": "off"} | variables
    started = time.perf_counter()
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
    )
    with process:
        try:
            yield Stdio(process, started)
        finally:
            process.kill()


def _starts(rounds: int) -> list[Row]:
    """Wall time, as a person waits for it; and the CPU time of the process, which a busy machine blurs less."""
    with tempfile.TemporaryDirectory() as name:
        peer = Path(name) / "hello.py"
        peer.write_text(textwrap.dedent(HELLO), encoding="utf-8")
        ours: list[tuple[float, float]] = []
        theirs: list[tuple[float, float]] = []
        for number in range(rounds + 1):
            directory = Path(name) / f"data{number}"
            with _stdio(OURS, {"ADWRIGHT_DATA": str(directory)}) as client:
                ours.append(_first_list(client))
                _end_owner(directory)
            with _stdio([sys.executable, str(peer)], {}) as client:
                theirs.append(_first_list(client))
    (wall, cpu), (peer_wall, peer_cpu) = (
        [statistics.median(side) for side in zip(*found[1:], strict=True)] for found in (ours, theirs)
    )
    what = "start to first tools/list, beside fastmcp"
    return [
        Row(f"adwright mcp: {what}", "ms wall", wall, peer_wall, START_TARGET),
        Row(f"adwright mcp: {what}", "ms CPU", cpu, peer_cpu, START_TARGET),
    ]


def _first_list(client: Stdio) -> tuple[float, float]:
    client.opened().ask("tools/list", {})
    return (time.perf_counter() - client.started) * 1e3, cpu_seconds(client.process.pid) * 1e3


def _end_owner(directory: Path) -> None:
    """The owner that a first command starts outlives it; the next round begins without one."""
    pid = _served(directory)["pid"]
    os.kill(pid, 15)
    give_up = time.monotonic() + 15
    while Path(f"/proc/{pid}").exists() and time.monotonic() < give_up:
        time.sleep(0.02)


def _served(directory: Path) -> dict[str, Any]:
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up:
        try:
            told: dict[str, Any] = json.loads((directory / "serve.json").read_bytes())
        except (FileNotFoundError, ValueError):
            told = {}
        if told.get("token"):
            return told
        time.sleep(0.02)
    raise RuntimeError(f"no owner came up in {directory}")


def _relayed(batches: int, calls: int) -> list[Row]:
    """The same tools/call of the same server, over the pipe and over HTTP."""
    with tempfile.TemporaryDirectory() as name, started(["tests.bench.sides", "ours", name]) as server:
        key = server.told["keys"][0]
        bridge = {"ADWRIGHT_URL": server.url, "ADWRIGHT_API_KEY": key}
        by_sdk = asyncio.run(_by_sdk(bridge, server.process.pid, batches, calls))
        with _stdio(OURS, bridge) as client:
            client.opened().ask("tools/call", ASKED)
            load, request = Load(server.url, 1), _over_http(key)
            pids = (client.process.pid, server.process.pid)
            piped, direct = [], []
            for _ in range(batches + 1):
                piped.append(_cost(calls, pids, lambda: client.ask("tools/call", ASKED)))
                direct.append(_cost(calls, pids, lambda: load.one(request)))
            load.close()
    what = "relayed tools/call, beside HTTP,"
    return [
        Row(f"adwright mcp: {what} by the SDK's client", "µs wall", *by_sdk.wall, RELAY_TARGET),
        Row(f"adwright mcp: {what} by the SDK's client", "µs CPU", *by_sdk.cpu, RELAY_TARGET),
        # No bound: whoever reads an answer has a client, whose own HTTP costs more than its pipe.
        Row(f"adwright mcp: {what} by a client of bare bytes", "µs CPU", _median(piped), _median(direct)),
    ]


class BySdk(NamedTuple):
    """What a call took over the pipe, and over HTTP."""

    wall: tuple[float, float]
    cpu: tuple[float, float]


async def _by_sdk(bridge: dict[str, str], server: int, batches: int, calls: int) -> BySdk:
    """As an agent's host calls: its client takes part on both sides."""
    command, *arguments = OURS
    parameters = StdioServerParameters(
        command=command, args=arguments, env={**os.environ, "ADWRIGHT_ANALYTICS": "off", **bridge}
    )
    bearer = {"authorization": f"Bearer {bridge['ADWRIGHT_API_KEY']}"}
    times: tuple[list[float], list[float]] = ([], [])
    costs: tuple[list[float], list[float]] = ([], [])
    others = _children()
    async with (
        httpx2.AsyncClient(headers=bearer) as http,
        Client(stdio_client(parameters)) as piped,
        Client(streamable_http_client(f"{bridge['ADWRIGHT_URL']}/mcp", http_client=http)) as direct,
    ):
        pids = (server, *(_children() - others))
        for _ in range(batches + 1):
            for client, took, spent in zip((piped, direct), times, costs, strict=True):
                begun, before = time.perf_counter(), _spent(pids)
                for _ in range(calls):
                    await client.call_tool("whoami", {})
                took.append((time.perf_counter() - begun) * 1e6 / calls)
                await asyncio.sleep(SETTLED)
                spent.append((_spent(pids) - before) * 1e6 / calls)
    return BySdk((_median(times[0]), _median(times[1])), (_median(costs[0]), _median(costs[1])))


def _children() -> set[int]:
    """The processes that this one started and that live."""
    tasks = Path("/proc/self/task").iterdir()
    return {int(pid) for task in tasks for pid in (task / "children").read_text(encoding="ascii").split()}


def _median(batches: list[float]) -> float:
    """The first only warms up."""
    return statistics.median(batches[1:])


def _cost(calls: int, pids: tuple[int, ...], call: Callable[[], object]) -> float:
    """CPU µs a call, of everyone that takes part."""
    before = _spent(pids)
    for _ in range(calls):
        call()
    settle()
    return (_spent(pids) - before) * 1e6 / calls


def _spent(pids: tuple[int, ...]) -> float:
    mine = resource.getrusage(resource.RUSAGE_SELF)
    return sum(map(cpu_seconds, pids)) + mine.ru_utime + mine.ru_stime


def _over_http(key: str) -> Request:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": ASKED}).encode()
    headers = {
        "authorization": f"Bearer {key}", "content-type": "application/json",
        "accept": "application/json, text/event-stream", "mcp-protocol-version": LATEST_HANDSHAKE_VERSION,
    }  # fmt: skip
    return Request.of("POST", "/mcp", headers, body)
