"""Who visits: where a person lives and what they browse with, drawn from their number alone."""

from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import accumulate
from random import Random
from typing import Generic, TypeVar

T = TypeVar("T")


class Weighted(Generic[T]):
    """Values by their weight, quicker than Random.choices where one is drawn at a time."""

    def __init__(self, weights: Sequence[tuple[T, float]]) -> None:
        self.values = [value for value, _ in weights]
        self._bounds = list(accumulate(weight for _, weight in weights))

    def at(self, share: float) -> T:
        """`share` from 0 up to 1."""
        return self.values[bisect(self._bounds, share * self._bounds[-1])]


@dataclass(frozen=True, slots=True)
class Device:
    device: str
    browser: str
    os: str
    screen_w: int


DEVICES = Weighted((
    (Device("mobile", "Mobile Safari", "iOS", 390), 36), (Device("mobile", "Chrome Mobile", "Android", 412), 22),
    (Device("desktop", "Chrome", "Windows", 1920), 17), (Device("desktop", "Safari", "Mac OS X", 1512), 9),
    (Device("desktop", "Edge", "Windows", 1536), 5), (Device("desktop", "Firefox", "Linux", 1440), 3),
    (Device("tablet", "Mobile Safari", "iOS", 820), 5), (Device("mobile", "Samsung Internet", "Android", 360), 3),
))  # fmt: skip
COUNTRIES = Weighted((
    (("US", "en-US"), 74), (("CA", "en-CA"), 11), (("GB", "en-GB"), 4), (("MX", "es-MX"), 3), (("DE", "de-DE"), 3),
    (("US", "es-US"), 3), (("AU", "en-AU"), 2),
))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Person:
    visitor_id: str
    customer: str  # a digest, as ingest would make it of an e-mail address
    country: str
    language: str
    device: Device


def person(website_id: str, day: str, number: int) -> Person:
    """The visitor who first came on a day as its so-and-so-manieth."""
    digest = blake2b(f"{website_id}:{day}:{number}".encode(), digest_size=32).hexdigest()
    country, language = COUNTRIES.at(int(digest[:4], 16) / 65_536)
    return Person(
        visitor_id=f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}",
        customer=digest,
        country=country,
        language=language,
        device=DEVICES.at(int(digest[4:8], 16) / 65_536),
    )


def rounded(random: Random, number: float) -> int:
    """Up or down by chance, so that many small numbers add up to what they should."""
    return int(number + random.random())
