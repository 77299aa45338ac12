"""Ties tests to the behaviours that the two seed documents promise, so that none is forgotten and none is invented."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

REGISTER = Path(__file__).with_name("promises.toml")


@dataclass(frozen=True)
class Promise:
    id: str
    source: str
    text: str
    since: Literal["spine", "later"]


def registered() -> tuple[Promise, ...]:
    rows = tomllib.loads(REGISTER.read_text(encoding="utf-8"))["promise"]
    return tuple(Promise(**row) for row in rows)


def promise(*ids: str) -> pytest.MarkDecorator:
    """Mark a test as the proof of the promises with these ids: `@promise("dev.errors.429.retryAfter")`."""
    return pytest.mark.promise(*ids)
