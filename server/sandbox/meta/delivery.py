"""What a campaign delivered on a day, drawn from campaign and date alone: every question gets the same answer."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import cache, lru_cache
from random import Random

from server.sandbox.delivery import Profile, draw

PLATFORM_SHARES = {"facebook": 0.52, "instagram": 0.38, "audience_network": 0.07, "messenger": 0.03}


@dataclass
class Facts:
    """Additive counts; money in minor units. Events are keyed by (event, attribution window)."""

    spend: int = 0
    impressions: int = 0
    clicks: int = 0
    link_clicks: int = 0
    events: dict[tuple[str, str], int] = field(default_factory=dict)
    values: dict[tuple[str, str], int] = field(default_factory=dict)

    def add(self, other: "Facts") -> None:
        self.spend += other.spend
        self.impressions += other.impressions
        self.clicks += other.clicks
        self.link_clicks += other.link_clicks
        _add(self.events, other.events)
        _add(self.values, other.values)


def _add(counts: dict[tuple[str, str], int], more: dict[tuple[str, str], int]) -> None:
    if not counts:
        counts |= more
        return
    for key, number in more.items():
        counts[key] = counts.get(key, 0) + number


def total(parts: Iterable[Facts]) -> Facts:
    whole = Facts()
    for part in parts:
        whole.add(part)
    return whole


@dataclass(frozen=True)
class Shape:
    """Everything a day's delivery depends on besides the date."""

    campaign_id: str
    profile: Profile
    price_level: float
    offset: int


@lru_cache(maxsize=2_000)  # half of one account; more would cost more memory than it saves time
def deliver(shape: Shape, budget: int, day: date, today: date) -> dict[str, Facts]:
    """Facts of one day for each publisher platform; callers must not change them."""
    profile = shape.profile
    drawn = draw(shape.campaign_id, profile, budget, shape.price_level * shape.offset, day, today)
    order_value = profile.order_value * shape.price_level * shape.offset
    facts, done = {}, 0.0
    for platform, share in PLATFORM_SHARES.items():
        # Rounding the running sum keeps the platforms' spend equal to the day's, to the cent.
        part = Facts(spend=round(drawn.spend * (done + share)) - round(drawn.spend * done))
        done += share
        part.impressions = round(drawn.impressions * share)
        part.clicks = round(drawn.clicks * share)
        part.link_clicks = round(drawn.clicks * share * 0.82)
        _convert(part, profile, drawn.conversion, order_value, drawn.random)
        facts[platform] = part
    return facts


def _convert(part: Facts, profile: Profile, conversion: float, order_value: float, random: Random) -> None:
    views = round(part.link_clicks * 0.78)

    def happened(rate: float) -> int:
        return int(views * rate * conversion * random.uniform(0.85, 1.15) + random.random())

    _count(part, random, "link_click", part.link_clicks)
    _count(part, random, "landing_page_view", views)
    _count(part, random, "post_engagement", part.clicks + round(part.impressions * 0.006))
    _count(part, random, "video_view", round(part.impressions * 0.11))
    if profile.lead_rate:
        _count(part, random, "lead", happened(profile.lead_rate))
    if not profile.cvr:
        return
    purchases = happened(profile.cvr)
    in_store = _share(purchases, 0.06, random)
    _count(part, random, "view_content", round(views * 1.4))
    _count(part, random, "add_to_cart", purchases * 3 + happened(profile.cvr))
    _count(part, random, "purchase", purchases, round(purchases * order_value * random.uniform(0.9, 1.1)))
    _count(part, random, "store_purchase", in_store, round(in_store * order_value * random.uniform(0.8, 1.0)))


def _count(part: Facts, random: Random, event: str, number: int, value: int = 0) -> None:
    keys, counts = _keys(event), _by_window(number, random)
    part.events |= zip(keys, counts, strict=True)
    if value:
        worth = [round(value * counted / number) for counted in counts]
        # The default is exactly what its two windows add up to.
        worth[0] = worth[2] + worth[4]
        part.values |= zip(keys, worth, strict=True)


@cache
def _keys(event: str) -> tuple[tuple[str, str], ...]:
    """The same ones in every day's facts, which then take half the memory."""
    return tuple((event, window) for window in ("value", "1d_click", "7d_click", "28d_click", "1d_view", "1d_ev"))


def _by_window(number: int, random: Random) -> tuple[int, ...]:
    """The default setting, 7-day click plus 1-day view, and the windows a caller may ask for beside it."""
    week_click = _share(number, 0.82, random)
    day_click = _share(week_click, 0.74, random)
    month_click = week_click + _share(number, 0.1, random)
    return number, day_click, week_click, month_click, number - week_click, _share(number, 0.04, random)


def _share(number: int, share: float, random: Random) -> int:
    """Round up or down by chance, so that shares of many small numbers still add up to the share of their sum."""
    return int(number * share + random.random())
