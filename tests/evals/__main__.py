"""`./dev eval`: what the chats do with the tasks of tests/evals/tasks.toml, offline, by the demo's planner, or live."""

import argparse
import asyncio
import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from agent.model import ModelSettings
from server.analytics.client import Address
from server.process.files import write_private
from server.settings import Settings
from tests.evals import retrieval
from tests.evals.grading import Failure
from tests.evals.report import NOT_RUN, Report
from tests.evals.running import Outcome, Tasks
from tests.evals.seen import Spent
from tests.evals.store import pipes_of, shop_at
from tests.evals.task import Book, Task, book
from tests.world import KEYS
from tools.errors import InvalidRequest

EXAMPLES = """examples:
  ./dev eval                                 all tasks against their own trajectories, and each way of doing them wrong
  ./dev eval --task pause-one                one of them
  ./dev eval --planner                       what the demo's scripted model makes of them, honestly
  ANTHROPIC_API_KEY=… ./dev eval --live --k 5 --budget 10
                                             Claude, each task five times, until ten dollars are spent
  ./dev eval --json                          one JSON object on stdout

Ctrl-C ends a run, and what was measured by then is reported. The exit code is 1 where something failed. docs/evals.md
tells what is checked. Live runs use ANTHROPIC_API_KEY, ANTHROPIC_MODEL, ANTHROPIC_EFFORT and ANTHROPIC_BASE_URL.
"""


def main(
    arguments: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ, held: Book | None = None
) -> int:
    held = held or book()
    given = _parsed(arguments, held)
    tasks = [task for task in held.tasks if not given.task or task.id in given.task]
    model = _model(environment) if given.live else None
    report = Report(
        "live" if model else "planner" if given.planner else "offline",
        model.model if model else "the sandbox's planner" if given.planner else "scripted trajectories",
        runs=given.k if model else 1,
        found=retrieval.found(held),
    )

    def keep() -> None:
        if model:
            output = Path(given.output)
            output.parent.mkdir(parents=True, exist_ok=True)
            write_private(output, _json(report))

    outcomes = _outcomes(held, tasks, report, model, given.budget)
    measure(report, outcomes, wanted=len(tasks) * report.runs, keep=keep)
    report.notes.append(f"written to {given.output}" if model else NOT_RUN)
    keep()
    sys.stdout.write(_json(report) if given.json else f"{report.text()}\n")
    return 0 if report.passed else 1


def measure(report: Report, outcomes: Iterator[Outcome], *, wanted: int, keep: Callable[[], None]) -> None:
    """Until there are no more, or a person has had enough."""
    try:
        for outcome in outcomes:
            report.outcomes.append(outcome)
            sys.stderr.write(f"{outcome.task}: {'pass' if outcome.passed else 'FAIL'}\n")
            keep()
    except KeyboardInterrupt:
        report.notes.append(f"interrupted: {len(report.outcomes)} of {wanted} runs were made")


def _parsed(arguments: Sequence[str] | None, held: Book) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./dev eval", description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--live", action="store_true", help="a real model answers; offline where there is no key")
    how.add_argument("--planner", action="store_true", help="the sandbox's planner answers, unscripted")
    parser.add_argument("--task", action="append", metavar="ID", help="only this task; may be given several times")
    parser.add_argument("--k", type=_positive, default=1, metavar="N", help="live: so many runs of each task (1)")
    parser.add_argument("--budget", type=float, default=5.0, metavar="USD", help="live: begin no run beyond this (5)")
    parser.add_argument("--output", default=".dev/evals.json", metavar="FILE", help="live: where results are kept")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    given = parser.parse_args(arguments)
    if unknown := set(given.task or ()) - {task.id for task in held.tasks}:
        parser.error(f"there is no task {', '.join(sorted(unknown))}; docs/evals.md tells where they are")
    return given


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("a number from 1")
    return int(text)


def _model(environment: Mapping[str, str]) -> ModelSettings | None:
    given = {name: value for name, value in environment.items() if name.startswith("ANTHROPIC_") and value}
    try:
        settings = Settings.read(Path(), {"ENCRYPTION_KEYS": KEYS, **given})
    except InvalidRequest as wrong:
        raise SystemExit(wrong.message) from None
    if settings.anthropic_api_key is None:
        return None
    return ModelSettings(
        api_key=settings.anthropic_api_key,
        base_url=settings.anthropic_base_url,
        model=settings.anthropic_model,
        effort=settings.anthropic_effort,
    )


def _outcomes(
    held: Book, tasks: Sequence[Task], report: Report, model: ModelSettings | None, budget: float
) -> Iterator[Outcome]:
    """Round by round, so that what a budget or an impatient person cuts off is a round and not some tasks."""
    with contextlib.ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        needed = any(held.worlds[task.world].shop for task in tasks)
        shop = stack.enter_context(shop_at(directory / "analytics")) if needed else None
        for _ in range(report.runs):
            for task in tasks:
                if model is not None and (spent := report.spent.cost or 0.0) >= budget:
                    report.notes.append(
                        f"stopped: ${spent:.2f} of ${budget:.2f} are spent, {len(report.outcomes)} runs made"
                    )
                    return
                yield asyncio.run(_outcome(Tasks(held, directory), task, report.mode, model, shop))


async def _outcome(tasks: Tasks, task: Task, mode: str, model: ModelSettings | None, shop: Address | None) -> Outcome:
    """An error of a run is its outcome: the others are run all the same."""
    async with contextlib.AsyncExitStack() as stack:
        if shop is not None:
            tasks = Tasks(tasks.book, tasks.directory, await stack.enter_async_context(pipes_of(shop)))
        try:
            return await (tasks.offline(task) if mode == "offline" else tasks.once(task, model=model))
        except Exception as error:  # noqa: BLE001 - told as what it is, in the report
            return Outcome(task.id, (Failure("run", f"{type(error).__name__}: {error}"),), Spent(), 0)


def _json(report: Report) -> str:
    return json.dumps(report.shown(), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    sys.exit(main())
