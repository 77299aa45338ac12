"""One call on its way to Google, and what is said when its answer cannot be used."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from server.platforms.exchange import Effect, Outcome
from tools.errors import PlatformFailure
from tools.fields import Platform

GOOGLE = Platform.GOOGLE.value
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Customer:
    """An account as it is reached: `login` is the manager whose access is used, None where it is direct."""

    id: str
    login: str | None = None

    @property
    def path(self) -> str:
        return f"customers/{self.id}"


@dataclass(frozen=True, slots=True)
class Call:
    method: str
    path: str  # customers/1234567890/googleAds:search
    body: Mapping[str, Any] | None
    effect: Effect
    connection_id: str
    login: str | None = None


def outcome_details(effect: Effect, outcome: Outcome) -> dict[str, Any]:
    """A dry run changes nothing even where its answer is lost."""
    if effect is Effect.READ:
        return {"platform": GOOGLE}
    return {"platform": GOOGLE, "outcome": (outcome if effect is Effect.WRITE else Outcome.NOT_SENT).value}


def unreached(effect: Effect, how: str) -> PlatformFailure:
    return PlatformFailure(
        f"Google {how}; nothing was sent.",
        fix="Check the network and GOOGLE_ADS_URL, then try again.",
        **outcome_details(effect, Outcome.NOT_SENT),
    )


def lost(effect: Effect, how: str) -> PlatformFailure:
    if effect is Effect.WRITE:
        return PlatformFailure(
            f"Google {how}; the change may or may not have taken effect.",
            fix="Read the campaign back before doing it again.",
            **outcome_details(effect, Outcome.UNKNOWN),
        )
    return PlatformFailure(
        f"Google {how}.",
        fix="Try again in a minute; if it stays, check GOOGLE_ADS_URL and GOOGLE_ADS_API_VERSION.",
        **outcome_details(effect, Outcome.NOT_SENT),
    )


def unreadable(what: str) -> PlatformFailure:
    return PlatformFailure(
        f"{what}.", fix="Try again; if it stays, check GOOGLE_ADS_API_VERSION and report it.", platform=GOOGLE
    )
