"""Costs follow the table, call by call."""

import datetime as dt
import logging
from decimal import Decimal
from pathlib import Path

import pytest

from agent.prices import Prices, Usage, shipped
from server.settings import Settings
from tools.errors import InvalidRequest

OWN = """
as_of = 2026-12-01
[[models.our-own-model]]
input = 1.5
output = 3
write_5m = 2
write_1h = 2.5
read = 0.1
"""


def test_each_kind_of_token_has_its_price() -> None:
    usage = Usage(input=1000, output=2000, cache_read=100_000, cache_write_5m=4000, cache_write_1h=8000)

    assert shipped().cost("claude-sonnet-5-5", usage) == Decimal("0.074")


def test_a_long_prompt_has_the_price_of_its_band() -> None:
    assert shipped().cost("claude-haiku-5-5", Usage(input=100_000)) == Decimal("0.01")
    assert shipped().cost("claude-haiku-5-5", Usage(input=100_001)) == Decimal("0.0500005")


def test_a_dated_id_costs_what_its_model_costs(caplog: pytest.LogCaptureFixture) -> None:
    assert shipped().cost("claude-sonnet-5-5-20260928", Usage(output=1_000_000)) == Decimal(10)
    assert not caplog.records


def test_an_unknown_price_is_not_guessed_is_said_once_and_counts_as_the_dearest(
    caplog: pytest.LogCaptureFixture,
) -> None:
    used = Usage(output=1_000_000)

    with caplog.at_level(logging.WARNING):
        assert [shipped().cost("a-model-without-a-price", used) for _ in range(3)] == [None] * 3

    assert [record.args for record in caplog.records] == [("a-model-without-a-price",)]
    assert shipped().at_most(used) == Decimal(50)


@pytest.mark.parametrize("setting", ["anthropic_model", "anthropic_title_model"])
def test_the_default_models_have_a_price(setting: str) -> None:
    assert shipped().bands(Settings.model_fields[setting].default)


@pytest.mark.parametrize("model", shipped().models)
def test_reading_from_the_cache_is_never_dearer_than_writing(model: str) -> None:
    for price in shipped().models[model]:
        assert price.read < price.input < price.write_5m < price.write_1h


def test_an_operators_table_takes_the_place_of_ours(tmp_path: Path) -> None:
    (own := tmp_path / "prices.toml").write_text(OWN, encoding="utf-8")

    prices = Prices.read(own)

    assert prices.cost("our-own-model", Usage(input=1_000_000)) == Decimal("1.5")
    assert prices.cost("claude-sonnet-5-5", Usage(input=1)) is None
    assert prices.days_old(dt.date(2026, 12, 11)) == 10


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("as_of = ", "is no price table"),
        ("as_of = 2026-12-01\nmodels = {}", "models"),
        (OWN.replace("input = 1.5", "input = -1"), "models.our-own-model.0.input"),
        (OWN.replace("input", "up_to = 5\ninput"), "every entry but the last has an up_to"),
        (OWN.replace("read", "reading"), "read"),
    ],
    ids=["no TOML", "no models", "negative", "no open band", "misspelled"],
)
def test_a_table_that_is_none_names_what_is_wrong(tmp_path: Path, written: str, told: str) -> None:
    (own := tmp_path / "prices.toml").write_text(written, encoding="utf-8")

    with pytest.raises(InvalidRequest, match="ANTHROPIC_PRICES") as refused:
        Prices.read(own)

    assert told in refused.value.message
    assert refused.value.fix


@pytest.mark.parametrize(
    ("model", "prompt", "dollars"),
    [
        ("claude-sonnet-5-5", 100_000, "0.56"),
        ("claude-haiku-5-5", 100_000, "0.028"),
        ("claude-haiku-5-5", 100_001, "0.140001"),
        ("claude-nobody", 100_000, "2.80"),
    ],
    ids=["all of it written for an hour", "the first band", "the second band", "the dearest of all"],
)
def test_no_call_costs_more_than_the_most_that_is_held_for_it(model: str, prompt: int, dollars: str) -> None:
    most = shipped().most(model, prompt, 16_000)

    assert most == Decimal(dollars)
    for usage in (
        Usage(cache_write_1h=prompt, output=16_000),
        Usage(input=prompt, output=16_000),
        Usage(cache_read=prompt // 2, cache_write_5m=prompt - prompt // 2, output=1),
        Usage(input=min(prompt, 90_000), output=16_000),
    ):
        cost = shipped().cost(model, usage)
        assert (shipped().at_most(usage) if cost is None else cost) <= most
