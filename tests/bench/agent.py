"""What the agent's loop costs a model call, beside the SDK's bare stream helper against the same stand-in."""

import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator

import httpx2

from tests.agent.talk import calls, text
from tests.bench.agent_sides import CALLS_A_TURN
from tests.bench.processes import started
from tests.bench.table import Row

TARGET = 1.3
TURNS = 50
WORDS = "Northwind is your workspace, and three ad accounts are connected to it. " * 12


def measure(*, quick: bool) -> list[Row]:
    batches, turns = (3, 5) if quick else (9, 20)
    with tempfile.TemporaryDirectory() as name, started(["tests.bench.stand_in", name]) as stand_in:
        known = httpx2.get(f"{stand_in.url}/").json()["anthropic"]
        with _side("ours", known) as ours, _side("bare", known) as bare:
            costs = _interleaved([ours, bare], known["url"], batches, turns)
        crowd = _crowd(known)
    turns_at_once = f"{TURNS} turns at once on one core"
    return [
        Row("a model call in a turn of three, beside the SDK's stream helper", "ms CPU", costs[0], costs[1], TARGET),
        Row(f"{turns_at_once}: events dropped or doubled of {crowd['expected']:,}", "events", crowd["wrong"], None, 0),
        Row(
            f"{turns_at_once}, each followed by two who leave and come back",
            "ms CPU a turn",
            crowd["cpu"] / TURNS * 1e3,
        ),
        Row(f"{turns_at_once}: events brought to followers", "a second", crowd["expected"] / crowd["wall"]),
    ]


def _crowd(known: dict[str, str]) -> dict[str, float]:
    _script(known["url"], TURNS + 1)
    command = [sys.executable, "-m", "tests.bench.agent_crowd", known["url"], known["api_key"], str(TURNS)]
    found: dict[str, float] = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    return found


@contextlib.contextmanager
def _side(name: str, known: dict[str, str]) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "tests.bench.agent_sides", name, known["url"], known["api_key"]]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


def _interleaved(sides: list["subprocess.Popen[str]"], url: str, batches: int, turns: int) -> list[float]:
    """Median CPU ms a model call of each side, measured in turns; the first batch of each only warms up."""
    costs: list[list[float]] = [[] for _ in sides]
    for _ in range(batches + 1):
        for side, spent in zip(sides, costs, strict=True):
            _script(url, turns)
            assert side.stdin is not None
            assert side.stdout is not None
            side.stdin.write(f"{turns}\n")
            side.stdin.flush()
            spent.append(json.loads(side.stdout.readline())["cpu"] * 1e3 / (turns * CALLS_A_TURN))
    return [statistics.median(spent[1:]) for spent in costs]


def _script(url: str, turns: int) -> None:
    said = [calls(("whoami", {}), thinking=WORDS), calls(("list_connections", {}), thinking=WORDS), text(WORDS)]
    httpx2.post(f"{url}/script", json={"turns": said * turns}).raise_for_status()
    httpx2.delete(f"{url}/requests").raise_for_status()
