"""One codec for every string: path, query and command line."""

from typing import Any

import pytest

from tests.api.shop import echo_things, update_thing, whoami
from tools.codec import from_strings
from tools.errors import InvalidArguments


@pytest.mark.parametrize(
    ("given", "arguments"),
    [
        ({"limit": "25"}, {"limit": 25}),
        ({"limit": "25.0"}, {"limit": 25}),
        ({"limit": "-3"}, {"limit": -3}),
        ({"min_spend": "12.5"}, {"min_spend": 12.5}),
        ({"min_spend": "1e3"}, {"min_spend": 1000.0}),
        ({"exact": "true"}, {"exact": True}),
        ({"exact": "false"}, {"exact": False}),
        ({"since": "2026-11-01"}, {"since": "2026-11-01"}),
        ({"platform": "meta"}, {"platform": "meta"}),
        ({"tags": "a,b"}, {"tags": ["a", "b"]}),
        ({"tags": ["a", "b,c"]}, {"tags": ["a", "b", "c"]}),
        ({"campaign_id": "007"}, {"campaign_id": "007"}),
    ],
)
def test_a_string_becomes_what_json_would_carry(given: dict[str, Any], arguments: dict[str, Any]) -> None:
    assert from_strings(echo_things, given) == arguments


@pytest.mark.parametrize(
    ("spelt", "name"),
    [("campaignId", "campaign_id"), ("website_id", "websiteId"), ("from", "since"), ("to", "until")],
)
def test_the_published_spellings_mean_the_same_fields(spelt: str, name: str) -> None:
    assert from_strings(echo_things, {spelt: "2026-11-01"}) == {name: "2026-11-01"}


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("limit", "many", "must be a whole number, such as 25"),
        ("limit", "2.5", "must be a whole number, such as 25"),
        ("limit", "007", "must be a whole number, such as 25"),
        ("limit", "٣", "must be a whole number, such as 25"),
        ("limit", "", "must be a whole number, such as 25"),
        ("limit", " 5", "must be a whole number, such as 25"),
        ("limit", "9" * 41, "must be a whole number, such as 25"),
        ("limit", ["1", "2"], "given twice; send it once"),
        ("min_spend", "NaN", "must be a number, such as 12.5"),
        ("min_spend", "1,5", "must be a number, such as 12.5"),
        ("min_spend", "1e400", "is too large a number"),
        ("exact", "1", "must be true or false"),
        ("exact", "True", "must be true or false"),
    ],
)
def test_garbage_is_refused_by_the_name_of_its_field(name: str, text: str | list[str], problem: str) -> None:
    with pytest.raises(InvalidArguments) as refused:
        from_strings(echo_things, {name: text})

    assert refused.value.details["problems"] == [{"field": name, "problem": problem}]


def test_every_problem_is_told_at_once() -> None:
    with pytest.raises(InvalidArguments) as refused:
        from_strings(echo_things, {"limit": "x", "colour": "red"})

    assert [problem["field"] for problem in refused.value.details["problems"]] == ["limit", "colour"]


def test_two_spellings_of_one_field_contradict() -> None:
    with pytest.raises(InvalidArguments, match="given twice"):
        from_strings(echo_things, {"campaign_id": "1", "campaignId": "2"})


def test_an_unknown_name_is_told_what_there_is() -> None:
    with pytest.raises(InvalidArguments, match="this takes campaign_id, name, daily_budget"):
        from_strings(update_thing, {"workspace": "wsp_other"})
    with pytest.raises(InvalidArguments, match="this takes no arguments"):
        from_strings(whoami, {"workspace": "wsp_other"})
