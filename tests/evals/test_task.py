"""A slip in the file of tasks is refused with a reason: it would otherwise be a check that never fails."""

from typing import Any

import pytest
from pydantic import ValidationError

from tests.evals.task import Book, Places

TASK: dict[str, Any] = {"id": "one", "kind": "read", "world": "meta", "turns": [{"asks": "?", "says": ["!"]}]}


def book(**changed: Any) -> Book:
    return Book.model_validate(
        {"worlds": {"meta": {}}, "campaigns": {}, "sources": {}, "tasks": [{**TASK, **changed}]}, strict=False
    )


def test_a_task_that_is_whole_is_taken() -> None:
    assert book().tasks[0].question == "?"


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"world": "mars"}, "there is no world mars"),
        ({"figures": {"x": "nowhere: rows as money"}}, "there is no source"),
        ({"turns": [{"asks": "?", "says": ["!"], "figures": ["x"]}]}, "there are no figures x"),
        ({"calls": [{"name": "list_campaigns", "after": ["nothing"]}]}, "after names no call: nothing"),
        ({"mentoins": ["x"]}, "Extra inputs are not permitted"),
        ({"turns": []}, "at least 1 item"),
        ({"bad": [{"why": "?", "says": [["!"]], "fails": []}]}, "at least 1 item"),
    ],
)
def test_a_slip_is_refused(changed: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        book(**changed)


def test_two_tasks_of_one_name_are_refused() -> None:
    with pytest.raises(ValidationError, match="two tasks are called one"):
        Book.model_validate({"worlds": {"meta": {}}, "campaigns": {}, "sources": {}, "tasks": [TASK, TASK]})


def test_a_place_alone_keeps_its_type_and_an_unknown_one_is_an_error() -> None:
    places = Places({"n": 7}, {"n": "7.00"})

    assert places.fill({"a": "{n}", "b": ["x {n}"]}) == {"a": 7, "b": ["x 7.00"]}
    with pytest.raises(KeyError):
        places.words("{m}")
