"""`python -m tests.chaos --rounds N [--ingest | --chat]`: real processes are killed, and the promises are judged."""

import argparse
import asyncio
import contextlib
import json
import os
import secrets
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import httpx2

from server.process.files import tail
from tests.chaos import chat, ingest, starting
from tests.chaos.actions import Round, Town
from tests.chaos.database import File, Schema
from tests.chaos.harness import Owner, Sandbox, Violation, plain_environment
from tests.chaos.people import People
from tests.chaos.wishes import Wishes


@dataclass
class Result:
    seed: int
    passed: int = 0
    seconds: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)
    approvals: Counter[str] = field(default_factory=Counter)
    violation: str = ""
    history: list[str] = field(default_factory=list)
    log: str = field(default="", repr=False)

    @property
    def closing(self) -> str:
        return f"{self.passed} passed, {int(bool(self.violation))} failed"

    def lines(self) -> list[str]:
        """The closing line is the last."""
        title = f"round {self.passed + 1} of seed {self.seed}, in seconds:"
        return [
            *([title, *self.history, "", self.log, "", "VIOLATED", self.violation, ""] if self.violation else []),
            f"seed {self.seed}: {self.passed} rounds in {self.seconds:.0f} s",
            _told("", self.counts),
            _told("approvals: ", self.approvals),
            self.closing,
        ]


def _told(title: str, counts: Counter[str]) -> str:
    return title + ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))


async def play(rounds: int, seed: int, workers: int = 1) -> Result:
    """Stops at the first violation: what follows would only tell of its consequences."""
    result, began = Result(seed), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="adwright-chaos-") as path:
        starting.load()
        directory = Path(path)
        sandbox = await Sandbox.start(directory, plain_environment())
        database = File(directory) if workers == 1 else Schema(os.environ["ADWRIGHT_TEST_DATABASE_URL"])
        environment = plain_environment() | sandbox.settings() | {"ADWRIGHT_IDLE_SECONDS": "3600", **database.settings}
        owner = Owner(directory, environment, workers=workers)
        people = People(owner, sandbox)
        try:
            await owner.start(background=False)
            await people.move_in()
            accounts = {account["id"]: account["currency"] for account in sandbox.known["accounts"]}
            town = Town(database, owner, people, Wishes(accounts), counts=result.counts)
            await _rounds(town, rounds, result)
            result.log = tail(directory / "chaos.log")
            with contextlib.suppress(httpx2.TransportError):  # the owner may be what failed
                result.approvals = Counter(row["status"] for row in await people.listed("/approvals"))
        finally:
            await people.leave()
            await owner.end()
            await sandbox.end()
            database.drop()
    result.seconds = time.monotonic() - began
    return result


async def _rounds(town: Town, rounds: int, result: Result) -> None:
    for number in range(1, rounds + 1):
        try:
            await Round(town, Random(f"{result.seed}/{number}")).run()
        except Exception as broken:  # noqa: BLE001 - whatever breaks a round is told with the round's history
            kept = isinstance(broken, Violation)
            result.violation = str(broken) if kept else "".join(traceback.format_exception(broken))
            result.history = town.events
            return
        result.passed = number


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="./dev chaos", description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=None, help="what is done; when exactly, no seed can say")
    parser.add_argument(
        "--workers", type=int, default=1, help="processes that serve, on the PostgreSQL of ADWRIGHT_TEST_DATABASE_URL"
    )
    parser.add_argument("--ingest", action="store_true", help="kill while events are sent: acknowledged is counted")
    parser.add_argument(
        "--chat", action="store_true", help="kill while turns run: every event once, every turn ends told"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")
    arguments = parser.parse_args(argv)
    seed = secrets.randbelow(1_000_000) if arguments.seed is None else arguments.seed
    if arguments.ingest or arguments.chat:
        playing = chat.play(arguments.rounds, seed, arguments.workers) if arguments.chat else None
        broken, lines = asyncio.run(playing or ingest.play(arguments.rounds, seed))
        sys.stdout.write("\n".join(lines) + "\n")
        return broken
    result = asyncio.run(play(arguments.rounds, seed, arguments.workers))
    shown = vars(result) | {"closing": result.closing}
    sys.stdout.write(json.dumps(shown) + "\n" if arguments.json else "\n".join(result.lines()) + "\n")
    return 1 if result.violation else 0


if __name__ == "__main__":
    sys.exit(main())
