"""Every task, offline: its right trajectory passes in the real world, and each way of doing it wrong is caught."""

from pathlib import Path

import pytest

from server.analytics.client import TinybirdClient
from tests.evals.running import Outcome, Tasks
from tests.evals.task import Task, book

BOOK = book()


def told(outcome: Outcome) -> str:
    lines = [f"{each.check}: {each.why}" for each in outcome.failures]
    return "\n".join([*lines, *(f"overlooked: {each}" for each in outcome.overlooked), *outcome.made, *outcome.answers])


def of_worlds(*, shop: bool) -> list[Task]:
    return [task for task in BOOK.tasks if BOOK.worlds[task.world].shop is shop]


@pytest.mark.parametrize("task", of_worlds(shop=False), ids=lambda task: task.id)
async def test_a_task_is_done_right_one_way_and_wrong_in_all_others(task: Task, tasks: Tasks) -> None:
    outcome = await tasks.offline(task)

    assert outcome.passed, told(outcome)
    assert outcome.tried >= 8


@pytest.mark.slow
@pytest.mark.parametrize("task", of_worlds(shop=True), ids=lambda task: task.id)
async def test_so_is_a_task_about_the_shop(task: Task, shop: TinybirdClient, tmp_path: Path) -> None:
    outcome = await Tasks(BOOK, tmp_path, shop).offline(task)

    assert outcome.passed, told(outcome)
    assert outcome.tried >= 8


def test_the_tasks_are_many_and_of_every_kind() -> None:
    kinds = [(task.surface, task.kind) for task in BOOK.tasks]

    assert len(BOOK.tasks) >= 40
    assert min(kinds.count(("ads", kind)) for kind in ("read", "change", "refuse")) >= 8
    assert kinds.count(("analytics", "read")) >= 8
    assert kinds.count(("analytics", "refuse")) >= 2
    became = {status for task in BOOK.tasks for status in task.approvals}
    assert became >= {"done", "denied", "expired", "superseded", "pending"}


def test_each_world_and_source_of_the_file_is_used() -> None:
    sources = {figure.partition(":")[0] for task in BOOK.tasks for figure in task.figures.values()}

    assert {task.world for task in BOOK.tasks} == BOOK.worlds.keys()
    assert sources == BOOK.sources.keys()


async def test_what_a_bad_trajectory_does_is_really_done(tasks: Tasks) -> None:
    """Were its world not real, a wrong campaign could not be found paused."""
    task = next(task for task in BOOK.tasks if task.id == "pause-one")

    wrong = await tasks.wrongly(task, task.bad[0])

    assert any(each.check == "state" and "Full catalog" in each.why for each in wrong.failures)


async def test_the_same_task_twice_is_the_same(tmp_path: Path) -> None:
    task = next(task for task in BOOK.tasks if task.id == "superseded")
    twice = [await Tasks(BOOK, tmp_path).offline(task) for _ in range(2)]

    first, second = ((each.made, each.answers, each.tried, each.failures) for each in twice)
    assert first == second
