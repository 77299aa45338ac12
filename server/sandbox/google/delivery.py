"""A day's delivery as Google counts it: money in micros, conversions with fractions, split by device."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from server.sandbox.delivery import Profile, draw

DEVICE_SHARES = {"MOBILE": 0.62, "DESKTOP": 0.31, "TABLET": 0.07}
_MICROS = 1_000_000


@dataclass(slots=True)
class Facts:
    cost_micros: int = 0
    impressions: int = 0
    clicks: int = 0
    conversions: float = 0.0
    value: float = 0.0
    all_conversions: float = 0.0
    all_value: float = 0.0
    view_through: int = 0

    def add(self, other: "Facts") -> None:
        self.cost_micros += other.cost_micros
        self.impressions += other.impressions
        self.clicks += other.clicks
        self.conversions += other.conversions
        self.value += other.value
        self.all_conversions += other.all_conversions
        self.all_value += other.all_value
        self.view_through += other.view_through


def total(parts: Iterable[Facts]) -> Facts:
    whole = Facts()
    for part in parts:
        whole.add(part)
    return whole


@dataclass(frozen=True)
class Shape:
    """Everything a day's delivery depends on besides the date and the budget."""

    campaign_id: str
    profile: Profile
    price_level: float
    unit: int


@lru_cache(maxsize=4_000)
def deliver(shape: Shape, budget: int, day: date, today: date) -> dict[str, Facts]:
    """Facts of one day for each device; callers must not change them."""
    profile = shape.profile
    drawn = draw(shape.campaign_id, profile, budget, shape.price_level * _MICROS, day, today)
    random = drawn.random
    facts = {}
    for device, share in DEVICE_SHARES.items():
        clicks = round(drawn.clicks * share)
        # Data-driven attribution gives several clicks a share of one conversion, hence the fractions.
        purchases = round(clicks * profile.cvr * drawn.conversion * random.uniform(0.85, 1.15), 2)
        leads = round(clicks * profile.lead_rate * drawn.conversion * random.uniform(0.85, 1.15), 2)
        value = round(purchases * profile.order_value * shape.price_level * random.uniform(0.9, 1.1), 2)
        extra = random.uniform(0.06, 0.14)
        facts[device] = Facts(
            cost_micros=round(drawn.spend * share / shape.unit) * shape.unit,
            impressions=round(drawn.impressions * share),
            clicks=clicks,
            conversions=purchases + leads,
            value=value,
            all_conversions=round((purchases + leads) * (1 + extra), 2),
            all_value=round(value * (1 + extra), 2),
            view_through=int(purchases * 0.05 + random.random()),
        )
    return facts
