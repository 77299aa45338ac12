"""Costs follow the table, call by call."""

from decimal import Decimal

import pytest

from agent.prices import PRICES, Usage, cost
from server.settings import Settings


def test_each_kind_of_token_has_its_price() -> None:
    usage = Usage(input=1000, output=2000, cache_read=100_000, cache_write_5m=4000, cache_write_1h=8000)

    assert cost("claude-sonnet-5-5", usage) == Decimal("0.074")


def test_a_long_prompt_has_the_price_of_its_band() -> None:
    assert cost("claude-haiku-5-5", Usage(input=100_000)) == Decimal("0.01")
    assert cost("claude-haiku-5-5", Usage(input=100_001)) == Decimal("0.0500005")


def test_a_dated_id_costs_what_its_model_costs_and_an_unknown_one_is_not_guessed() -> None:
    assert cost("claude-sonnet-5-5-20260928", Usage(output=1_000_000)) == Decimal(10)
    assert cost("some-other-model", Usage(output=1)) is None


def test_the_default_model_has_a_price() -> None:
    assert Settings.model_fields["anthropic_model"].default in PRICES


@pytest.mark.parametrize("model", PRICES)
def test_reading_from_the_cache_is_never_dearer_than_writing(model: str) -> None:
    for price in PRICES[model]:
        assert price.read < price.input < price.write_5m < price.write_1h
