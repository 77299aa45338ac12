"""What a model call costs: a dated table, because no API tells prices."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

AS_OF = dt.date(2026, 11, 22)
_MILLION = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one model call. `estimated`: it broke off, so only what its first event told is known."""

    input: int = 0  # what no cache held
    output: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    estimated: bool = False

    @property
    def cache_write(self) -> int:
        return self.cache_write_5m + self.cache_write_1h

    @property
    def prompt(self) -> int:
        return self.input + self.cache_read + self.cache_write


@dataclass(frozen=True, slots=True)
class Price:
    """USD for a million tokens, for prompts up to `up_to` tokens."""

    input: Decimal
    output: Decimal
    write_5m: Decimal
    write_1h: Decimal
    read: Decimal
    up_to: int | None = None


def _price(input_: str, output: str, write_5m: str, write_1h: str, read: str, *, up_to: int | None = None) -> Price:
    return Price(Decimal(input_), Decimal(output), Decimal(write_5m), Decimal(write_1h), Decimal(read), up_to)


PRICES: dict[str, tuple[Price, ...]] = {
    "claude-opus-5-5": (_price("4", "20", "5", "8", "0.20"),),
    "claude-sonnet-5-5": (_price("2", "10", "2.50", "4", "0.10"),),
    "claude-haiku-5-5": (
        _price("0.10", "0.50", "0.125", "0.20", "0.01", up_to=100_000),
        _price("0.50", "2.50", "0.625", "1", "0.05"),
    ),
    "claude-fable-5-1": (_price("10", "50", "12.50", "20", "0.25"),),
    "claude-opus-5": (_price("5", "25", "6.25", "10", "0.50"),),
    "claude-sonnet-5": (_price("2", "10", "2.50", "4", "0.20"),),
    "claude-haiku-4-5": (_price("1", "5", "1.25", "2", "0.10"),),
}


def cost(model: str, usage: Usage) -> Decimal | None:
    """In USD; None for a model that the table does not know. By the call: a long prompt may have another price."""
    bands = PRICES.get(model) or PRICES.get(model.rpartition("-")[0])  # an id may end in its date
    if bands is None:
        return None
    price = next(band for band in bands if band.up_to is None or usage.prompt <= band.up_to)
    spent = (
        usage.input * price.input
        + usage.output * price.output
        + usage.cache_write_5m * price.write_5m
        + usage.cache_write_1h * price.write_1h
        + usage.cache_read * price.read
    )
    return spent / _MILLION
