"""What a model call costs: a dated table, because no API tells prices."""

import datetime as dt
import logging
import tomllib
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tools.errors import InvalidRequest

MOST_DAYS = 90
"""A table older than this is worth a warning."""

_MILLION = Decimal(1_000_000)
_Dollars = Annotated[Decimal, Field(ge=0)]

logger = logging.getLogger(__name__)


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


class Price(BaseModel):
    """USD for a million tokens, for prompts up to `up_to` tokens."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: _Dollars
    output: _Dollars
    write_5m: _Dollars
    write_1h: _Dollars
    read: _Dollars
    up_to: Annotated[int, Field(gt=0)] | None = None

    def most(self, prompt: int, output: int) -> Decimal:
        """Of a prompt that is all written to a cache, or read, or neither, whatever is dearest."""
        return (prompt * max(self.input, self.write_5m, self.write_1h, self.read) + output * self.output) / _MILLION

    def of(self, usage: Usage) -> Decimal:
        spent = (
            usage.input * self.input
            + usage.output * self.output
            + usage.cache_write_5m * self.write_5m
            + usage.cache_write_1h * self.write_1h
            + usage.cache_read * self.read
        )
        return spent / _MILLION


class Prices(BaseModel):
    """By the call: a long prompt may have another price."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    as_of: dt.date
    models: Annotated[dict[str, Annotated[tuple[Price, ...], Field(min_length=1)]], Field(min_length=1)]

    @model_validator(mode="after")
    def _last_band_is_open(self) -> Self:
        for model, bands in self.models.items():
            if [band.up_to is None for band in bands] != [False] * (len(bands) - 1) + [True]:
                raise ValueError(f"{model}: every entry but the last has an up_to")
        return self

    def bands(self, model: str) -> tuple[Price, ...] | None:
        return self.models.get(model) or self.models.get(model.rpartition("-")[0])  # an id may end in its date

    def cost(self, model: str, usage: Usage) -> Decimal | None:
        """In USD; None for a model that the table does not know."""
        bands = self.bands(model)
        if bands is None:
            _warn_once(model)
            return None
        return _within(bands, usage).of(usage)

    def most(self, model: str, prompt: int, output: int) -> Decimal:
        """What a call can cost whose prompt and answer have up to so many tokens; the dearest where none is known."""
        known = self.bands(model)
        return max(
            band.most(min(prompt, band.up_to or prompt), output)
            for bands in ([known] if known else self.models.values())
            for band in _up_to(bands, prompt)
        )

    def at_most(self, usage: Usage) -> Decimal:
        """What a limit counts where the price is not known: the dearest that any model of the table would have cost."""
        return max(_within(bands, usage).of(usage) for bands in self.models.values())

    def days_old(self, today: dt.date) -> int:
        return (today - self.as_of).days

    @classmethod
    def read(cls, path: Path) -> Self:
        """An operator's own table."""
        try:
            return cls.model_validate(tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal))
        except (OSError, ValueError) as problem:  # TOML that is none and a ValidationError are ValueErrors
            said = problem.errors(include_url=False)[0] if isinstance(problem, ValidationError) else None
            told = f"{'.'.join(map(str, said['loc']))}: {said['msg']}" if said else str(problem)
            raise InvalidRequest(
                f"ANTHROPIC_PRICES: {path} is no price table: {told}.",
                fix="Write it like agent/prices.toml, or leave ANTHROPIC_PRICES out.",
            ) from None


@cache
def shipped() -> Prices:
    text = resources.files("agent").joinpath("prices.toml").read_text(encoding="utf-8")
    return Prices.model_validate(tomllib.loads(text, parse_float=Decimal))


def _within(bands: tuple[Price, ...], usage: Usage) -> Price:
    return _up_to(bands, usage.prompt)[-1]


def _up_to(bands: tuple[Price, ...], prompt: int) -> tuple[Price, ...]:
    """The bands of prompts that are no longer than this."""
    return bands[: 1 + next(at for at, band in enumerate(bands) if band.up_to is None or prompt <= band.up_to)]


@cache
def _warn_once(model: str) -> None:
    logger.warning("no price is known of %s: its costs are not shown; ANTHROPIC_PRICES takes a table with it", model)
