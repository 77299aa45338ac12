"""What every capability's input has in common."""

import pytest
from pydantic import ValidationError

from tools.capability import Input


class Page(Input):
    limit: int = 10
    ratio: float = 1.0
    name: str = ""
    tags: tuple[str, ...] = ()


@pytest.mark.parametrize("sent", [5, 5.0, 5e0])
def test_a_number_is_an_integer_however_it_is_written(sent: float) -> None:
    page = Page.model_validate({"limit": sent})

    assert page.limit == 5
    assert isinstance(page.limit, int)


@pytest.mark.parametrize("sent", [5.5, "5", True, float("inf"), float("nan")])
def test_what_is_no_whole_number_is_refused(sent: object) -> None:
    with pytest.raises(ValidationError):
        Page.model_validate({"limit": sent})


def test_null_is_refused_and_named() -> None:
    with pytest.raises(ValidationError, match="leave out instead of sending null: limit, ratio"):
        Page.model_validate({"limit": None, "ratio": None})


@pytest.mark.parametrize("sent", [{"name": "a\0b"}, {"tags": ["a", "b\0"]}])
def test_a_nul_character_is_refused_and_its_field_named(sent: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=rf"take the character U\+0000 out of: {next(iter(sent))}"):
        Page.model_validate(sent)


def test_a_refusal_never_repeats_what_was_sent() -> None:
    with pytest.raises(ValidationError) as refused:
        Page.model_validate({"limit": "EAAcanary"})

    assert "EAAcanary" not in str(refused.value)
