"""How well a campaign does on a day, drawn from its id and the date alone: every question gets the same answer."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from random import Random

HISTORY_DAYS = 120
_WEEKDAYS = (0.98, 0.97, 0.98, 1.0, 1.03, 1.05, 1.04)
_WEEKDAY_CONVERSION = (1.06, 1.02, 1.0, 0.98, 0.94, 0.96, 1.08)
_TODAY = 0.4
"""The share of today already delivered; fixed, so that answers do not drift within a day."""


class Story(StrEnum):
    STEADY = "steady"
    SPEND_SPIKE = "spend_spike"
    """Three days last week spent well over the budget for fewer sales."""
    TRACKING_DROP = "tracking_drop"
    """For a week conversions have all but vanished while clicks went on."""
    AUCTION_SURGE = "auction_surge"
    """For six days the same money has bought less than half of the impressions."""


@dataclass(frozen=True)
class Profile:
    """How a campaign performs; money is in dollars and scaled by the account's price level."""

    cpm: float = 9.0
    ctr: float = 0.014
    cvr: float = 0.024
    order_value: float = 64.0
    lead_rate: float = 0.0
    trend: float = 0.0
    """Change of the conversion rate over the whole history."""
    story: Story = Story.STEADY


@dataclass(frozen=True)
class Drawn:
    """One day before a platform words it: fractions still, and the chance that its own counts go on drawing from."""

    spend: float
    impressions: float
    clicks: float
    conversion: float
    """A factor on the profile's conversion rates."""
    random: Random


def draw(campaign_id: str, profile: Profile, budget: int, dollar: float, day: date, today: date) -> Drawn:
    """`budget` and `dollar`, the price of a dollar's worth of media, are in the platform's own unit of the currency."""
    random = Random(f"{campaign_id}:{day}")  # noqa: S311  # repeatable on purpose, nothing secret
    ago = (today - day).days
    spend, price, conversion = _story(profile.story, ago)
    spend *= budget * _WEEKDAYS[day.weekday()] * random.uniform(0.95, 1.04) * (_TODAY if ago == 0 else 1)
    impressions = spend / (profile.cpm * dollar * price * random.uniform(0.92, 1.08)) * 1000
    clicks = impressions * profile.ctr * random.uniform(0.92, 1.08)
    conversion *= _WEEKDAY_CONVERSION[day.weekday()] * (1 + profile.trend * (1 - ago / HISTORY_DAYS))
    return Drawn(spend, impressions, clicks, conversion, random)


def _story(story: Story, ago: int) -> tuple[float, float, float]:
    """Factors on spend, price of impressions and conversion rate."""
    if story is Story.SPEND_SPIKE and 2 <= ago <= 4:
        return 1.6, 1.3, 0.7
    if story is Story.TRACKING_DROP and ago <= 7:
        return 1.0, 1.0, 0.05
    if story is Story.AUCTION_SURGE and ago <= 6:
        return 1.0, 2.3, 1.0
    return 1.0, 1.0, 1.0
