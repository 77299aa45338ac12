"""`./dev eval` as people run it: its table, its JSON, its exit code, and what it says where there is no key."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from server.sandbox.anthropic.endpoint import API_KEY
from tests.evals import __main__ as command
from tests.evals.report import NOT_RUN, Report
from tests.evals.running import Outcome
from tests.evals.seen import Spent
from tests.evals.task import Expected, book

ONE = ("--task", "budget-of-one")
Captured = pytest.CaptureFixture[str]


def told(captured: Captured) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(captured.readouterr().out)
    return shown


def test_offline_it_tells_each_task_and_that_live_was_not_run(capsys: Captured) -> None:
    assert command.main([*ONE], {}) == 0

    text = capsys.readouterr().out
    assert text.splitlines()[1].split()[:2] == ["budget-of-one", "pass"]
    assert "wrong ways:" in text
    assert "retrieval:" in text
    assert text.rstrip().endswith(NOT_RUN)


def test_live_without_a_key_is_offline_and_says_so(capsys: Captured) -> None:
    assert command.main(["--live", "--json", "--k", "3", *ONE], {"ANTHROPIC_API_KEY": ""}) == 0

    shown = told(capsys)
    assert (shown["mode"], shown["measured"], shown["notes"]) == ("offline", 1, [NOT_RUN])


def test_the_planner_is_judged_as_any_model(capsys: Captured) -> None:
    assert command.main(["--planner", "--json", *ONE], {}) == 0
    assert told(capsys)["pass@1"] == 1

    assert command.main(["--planner", "--json", "--task", "asked-in-spanish"], {}) == 1
    shown = told(capsys)
    assert {each["check"] for each in shown["outcomes"][0]["failures"]} >= {"calls"}


def test_an_unknown_task_and_no_runs_are_refused(capsys: Captured) -> None:
    for wrong in (["--task", "nothing"], ["--k", "0"], ["--live", "--planner"]):
        with pytest.raises(SystemExit) as refused:
            command.main(wrong, {})
        assert refused.value.code == 2
    assert "there is no task nothing" in capsys.readouterr().err


@pytest.fixture
def live(sandbox_url: str, tmp_path: Path) -> Iterator[tuple[list[str], dict[str, str]]]:
    """What the runner takes for a paid model."""
    variables = {"ANTHROPIC_API_KEY": API_KEY, "ANTHROPIC_BASE_URL": f"{sandbox_url}/anthropic"}
    yield ["--live", "--json", "--output", str(tmp_path / "evals.json"), *ONE], variables


@pytest.mark.slow
def test_live_every_run_is_counted_and_kept(
    live: tuple[list[str], dict[str, str]], tmp_path: Path, capsys: Captured
) -> None:
    arguments, variables = live

    assert command.main([*arguments, "--k", "2"], variables) == 0

    shown = told(capsys)
    assert (shown["mode"], shown["measured"], shown["pass^2"], shown["pass@1"]) == ("live", 2, 1, 1)
    assert shown["spent"]["model_calls"] >= 4
    assert shown["spent"]["cost"] > 0
    assert 0 < shown["spent"]["cached_share"] < 1
    assert NOT_RUN not in shown["notes"]
    kept = json.loads((tmp_path / "evals.json").read_text(encoding="utf-8"))
    assert kept["outcomes"] == shown["outcomes"]


@pytest.mark.slow
def test_live_no_run_is_begun_beyond_the_budget(live: tuple[list[str], dict[str, str]], capsys: Captured) -> None:
    arguments, variables = live

    command.main([*arguments, "--k", "50", "--budget", "0.0001"], variables)

    shown = told(capsys)
    assert (shown["measured"], shown["complete"], shown["pass^50"]) == (1, 0, None)
    assert any("stopped" in note for note in shown["notes"])


def test_an_interruption_keeps_what_was_measured() -> None:
    report, kept = Report("live", "claude-sonnet-5-5"), list[int]()

    def impatient() -> Iterator[Outcome]:
        yield Outcome("pause-one", (), Spent(), 0)
        raise KeyboardInterrupt

    command.measure(report, impatient(), wanted=2, keep=lambda: kept.append(len(report.outcomes)))

    assert ([each.task for each in report.outcomes], kept) == (["pause-one"], [1])
    assert report.notes == ["interrupted: 1 of 2 runs were made"]


def test_a_task_that_fails_makes_the_exit_code_1(capsys: Captured) -> None:
    (task,) = (task for task in book().tasks if task.id == "budget-of-one")
    unmet = task.model_copy(update={"calls": (Expected(name="list_changes"),)})

    assert command.main([*ONE], {}, book().model_copy(update={"tasks": (unmet,)})) == 1

    assert "calls: no call of list_changes" in capsys.readouterr().out


def test_a_world_that_breaks_is_an_outcome_too(capsys: Captured) -> None:
    (task,) = (task for task in book().tasks if task.id == "budget-of-one")
    broken = task.model_copy(update={"figures": {"budget": "campaigns: nowhere as count"}})

    assert command.main(["--json", *ONE], {}, book().model_copy(update={"tasks": (broken,)})) == 1

    ((failure,),) = (each["failures"] for each in told(capsys)["outcomes"])
    assert (failure["check"], failure["why"]) == ("run", "KeyError: 'nowhere'")


def test_help_shows_examples(capsys: Captured) -> None:
    with contextlib.suppress(SystemExit):
        command.main(["--help"], {})

    assert "./dev eval --planner" in capsys.readouterr().out
