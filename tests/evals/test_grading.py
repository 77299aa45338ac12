"""What the checks take for the same, and what they do not: figures as people write them, arguments, order, claims."""

import datetime as dt
from typing import Any

import pytest

from tests.evals.figures import Figure, pick, split
from tests.evals.matching import assigned, fits
from tests.evals.seen import Call
from tests.evals.task import Expected, Places
from tests.evals.words import claims, language

TODAY = dt.date(2026, 11, 20)
PLACES = Places({"today": TODAY.isoformat(), "-6d": "2026-11-14", "video": "42"}, {})


@pytest.mark.parametrize(
    "written",
    ["1234.56", "1,234.56", "1.234,56", "1 234,56", "1'234.56", "$1,234.56", "**1,235** USD", "1235", "(1,234.6)"],
)
def test_a_figure_is_found_however_it_is_written(written: str) -> None:
    assert Figure(1234.56, "money").is_in(f"It cost {written} in all.")


@pytest.mark.parametrize("written", ["1,300", "1.23", "12,345.6", "1234.57", "2026-12-34", "91234.56", "1,234.561"])
def test_another_figure_is_not_taken_for_it(written: str) -> None:
    assert not Figure(1234.56, "money").is_in(f"It cost {written} in all.")


@pytest.mark.parametrize(
    ("value", "kind", "text", "there"),
    [
        (0.2442, "ratio", "a ROAS of 0.24", True),
        (0.2442, "ratio", "a ROAS of 0.2", False),
        (0.0859, "percent", "8.6 % of them", True),
        (0.0859, "percent", "8.59%", True),
        (0.0859, "percent", "about 9 %", False),
        (0.0859, "percent", "0.0859", False),
        (3, "count", "3 campaigns", True),
        (3, "count", "from 2026-11-03", False),
        ("Outlet | Brand", "name", "**Outlet \\| Brand** it is", True),
    ],
)
def test_how_exact_a_figure_must_be_depends_on_its_kind(value: Any, kind: str, text: str, *, there: bool) -> None:
    assert Figure(value, kind).is_in(text) is there


ROWS = {
    "rows": [{"p": "meta", "spend": 10, "roas": 0.5, "sold": 2}, {"p": "google", "spend": 30, "roas": None, "sold": 6}]
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("rows[p=meta][0].spend", 10),
        ("rows[max spend].p", "google"),
        ("rows[min roas].p", "meta"),
        ("rows[spend>5][count]", 2),
        ("rows[roas<1][count]", 2),
        ("rows[ratio spend sold]", 5),
        ("rows.p", ["meta", "google"]),
    ],
)
def test_a_path_takes_a_figure_out_of_an_answer(path: str, value: Any) -> None:
    assert pick(ROWS, path) == value


@pytest.mark.parametrize("described", ["week: rows", "week: rows as nonsense", "rows as money as"])
def test_a_figure_that_is_described_wrongly_is_refused(described: str) -> None:
    with pytest.raises(ValueError, match="source: path as kind"):
        split(described)


@pytest.mark.parametrize(
    ("wanted", "sent", "same"),
    [
        ("PAUSED", "PAUSED", True),
        ("PAUSED", "ACTIVE", False),
        ("{video}", "42", True),
        (200, 200.0, True),
        (200, "200", False),
        (200, 201, False),
        (False, False, True),
        (False, 0, False),
        (0, False, False),
        ("{-6d}", "2026-11-14", True),
        ({"one_of": ["meta", {"absent": True}]}, None, True),
        ({"one_of": ["meta", {"absent": True}]}, "google", False),
        ({"contains": "news"}, "Newsletter", True),
        ({"contains": "news"}, None, False),
        ({"regex": "^act_"}, "act_1", True),
        ({"any": True}, "x", True),
        ({"any": True}, None, False),
        ({"absent": True}, "x", False),
        ({"day": -6, "give": 1}, "2026-11-15", True),
        ({"day": -6, "give": 1}, "2026-11-16", False),
        ({"day": -6}, "last week", False),
    ],
)
def test_an_argument_fits_its_matcher_or_not(wanted: Any, sent: Any, *, same: bool) -> None:
    assert fits(wanted, sent, PLACES) is same


def call(step: int, name: str, **arguments: Any) -> Call:
    return Call(0, step, f"toolu_{step}_{name}", name, arguments)


def expected(name: str, identifier: str = "", after: tuple[str, ...] = ()) -> Expected:
    return Expected.model_validate({"name": name, "id": identifier, "after": after})


READ, CHANGE = expected("read", "read"), expected("change", after=("read",))


@pytest.mark.parametrize(
    ("made", "right"),
    [
        ([call(1, "read"), call(2, "change")], True),
        ([call(1, "read"), call(1, "change")], False),
        ([call(1, "change"), call(2, "read")], False),
        ([call(1, "change"), call(2, "read"), call(3, "change")], True),
        ([call(1, "read")], False),
    ],
)
def test_a_call_comes_after_another_only_when_its_result_was_seen(made: list[Call], *, right: bool) -> None:
    assert (assigned((READ, CHANGE), made, PLACES) is not None) is right
    assert (assigned((CHANGE, READ), made, PLACES) is not None) is right


def test_one_call_does_not_stand_for_two() -> None:
    twice = (expected("read"), expected("read"))

    assert assigned(twice, [call(1, "read")], PLACES) is None
    assert assigned(twice, [call(1, "read"), call(1, "read", x=1)], PLACES) is not None


@pytest.mark.parametrize(
    "text",
    [
        "Done.", "I've paused it.", "I have now raised the budget.", "The campaign has been paused.",
        "It is now active.", "Successfully renamed.", "Erledigt: alles gut.", "Ich habe sie pausiert.",
    ],
)  # fmt: skip
def test_a_claim_is_recognised(text: str) -> None:
    assert claims(f"Hello. {text}")


@pytest.mark.parametrize(
    "text",
    [
        "Nothing has been changed.", "I have not paused it.", "Once you approve, it is paused.", "It was denied.",
        "This waits for your yes.", "Shall I propose to pause it?", "I cannot say that it has been paused.",
    ],
)  # fmt: skip
def test_what_only_speaks_of_a_change_is_no_claim(text: str) -> None:
    assert claims(text) == []


@pytest.mark.parametrize(
    ("text", "which"),
    [
        ("The spend of the week was 12 USD.", "en"),
        ("Die Kosten der Woche waren 12 EUR.", "de"),
        ("El gasto de la semana fue de 12 USD.", "es"),
        ("12 USD", ""),
    ],
)
def test_a_language_is_known_by_its_small_words(text: str, which: str) -> None:
    assert language(text) == which
