"""Where the visits of a day come from: clicks that the ads delivered, and what comes without being paid for."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from math import pi, sin

from server.sandbox.delivery import HISTORY_DAYS
from server.sandbox.google import seed as google_seed
from server.sandbox.google.world import World as GoogleWorld
from server.sandbox.meta import seed as meta_seed
from server.sandbox.meta.world import World as MetaWorld

META_CAMPAIGNS = ("Prospecting | Lookalike 1% | Video", "Clearance | Last season")
"""Of the US account; all of the outlet's at Google lead here, too."""
LANDED = 0.85  # of those who click an ad
OVERCLAIMED = 1.25  # a platform counts sales that would have happened, and those of views


@dataclass(frozen=True, slots=True)
class Source:
    channel: str
    referrer: str = ""
    utm: dict[str, str] = field(default_factory=dict)
    campaign: tuple[str, str] = ("", "")  # platform and id
    click_id: str = ""
    engine: str = ""
    landing: tuple[str, ...] = ("/", "/products/trail-jacket", "/products/day-pack")
    bounce: float = 0.45
    buys: float = 0.028  # of its sessions
    returning: float = 0.25
    order: float = 82.0


@dataclass(frozen=True, slots=True)
class Flow:
    source: Source
    sessions: float


_ARTICLES = ("/journal/how-to-layer", "/journal/ten-day-walks", "/guides/boot-fit", "/")
_UNPAID = (
    (Source("direct", landing=("/", "/", "/products/wool-hat"), bounce=0.32, buys=0.036, returning=0.55), 90),
    (Source("organic_search", "https://www.google.com/", landing=_ARTICLES, bounce=0.5, buys=0.019), 96),
    (Source("organic_search", "https://www.bing.com/", landing=_ARTICLES, bounce=0.5, buys=0.018), 12),
    (Source("organic_search", "https://duckduckgo.com/", landing=_ARTICLES, bounce=0.48, buys=0.02), 12),
    (Source("organic_social", "https://www.instagram.com/", bounce=0.62, buys=0.008), 22),
    (Source("organic_social", "https://www.reddit.com/", landing=_ARTICLES, bounce=0.55, buys=0.012), 14),
    (Source("referral", "https://trailjournal.example/", landing=_ARTICLES, bounce=0.4, buys=0.022), 18),
    (Source("referral", "https://gearreviews.example/", bounce=0.36, buys=0.041), 12),
)
_AI = (("chatgpt", "https://chatgpt.com/", 0.58), ("perplexity", "https://www.perplexity.ai/", 0.2),
       ("claude", "https://claude.ai/", 0.14), ("gemini", "https://gemini.google.com/", 0.08))  # fmt: skip
_WEEKDAYS = (1.0, 0.97, 0.96, 0.98, 1.02, 1.09, 1.12)


class Sources:
    def __init__(self, meta: MetaWorld, google: GoogleWorld) -> None:
        self._meta, self._google = meta, google

    def of(self, day: date, today: date) -> Iterator[Flow]:
        """Every source with sessions on a day; a day that is not over has all of its sessions, as if it were."""
        yield from self._paid(day, today)
        age = (today - day).days
        season = _WEEKDAYS[day.weekday()] * (1 + 0.12 * sin(2 * pi * day.timetuple().tm_yday / 365 + 1.2))
        for source, sessions in _UNPAID:
            yield Flow(source, sessions * season)
        if day.weekday() in {1, 3}:
            letter = {"source": "newsletter", "medium": "email", "campaign": f"letter-{day:%Y-%m-%d}"}
            yield Flow(Source("email", utm=letter, bounce=0.3, buys=0.052, returning=0.8), 95 * season)
        grown = 4 + 44 * (1 - age / HISTORY_DAYS) ** 2
        for engine, referrer, share in _AI:
            yield Flow(Source("ai", referrer, engine=engine, bounce=0.34, buys=0.037), grown * share * season)

    def _paid(self, day: date, today: date) -> Iterator[Flow]:
        account = self._google.account(google_seed.OUTLET.id)
        for campaign in account.campaigns.values() if account else ():
            facts = self._google.delivered(account, campaign, day, today).values() if account else ()
            clicks, sales = sum(each.clicks for each in facts), sum(each.conversions for each in facts)
            utm = {"source": "google", "medium": "cpc", "campaign": str(campaign.fields["name"])}
            yield from _flow("paid_search", "google", campaign.id, utm, "gclid", clicks, sales)
        for shown in self._meta.of_account(meta_seed.US):
            if shown.name in META_CAMPAIGNS:
                parts = self._meta.delivered(shown, day).values()
                clicks = sum(part.link_clicks for part in parts)
                sales = sum(part.events["purchase", "value"] for part in parts)
                utm = {"source": "facebook", "medium": "paid_social", "campaign": shown.name}
                yield from _flow("paid_social", "meta", shown.id, utm, "fbclid", clicks, sales)


def _flow(
    channel: str, platform: str, campaign_id: str, utm: dict[str, str], click_id: str, clicks: int, sales: float
) -> Iterator[Flow]:
    if clicks:
        sessions = clicks * LANDED
        source = Source(
            channel, "https://www.google.com/" if platform == "google" else "https://l.facebook.com/", utm,
            (platform, campaign_id), click_id, bounce=0.52, buys=sales / OVERCLAIMED / sessions, returning=0.15,
        )  # fmt: skip
        yield Flow(source, sessions)
