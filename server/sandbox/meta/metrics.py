"""Facts in the words of the Insights API: strings, percentages, one conversion under several action types."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from server.sandbox.meta.delivery import Facts

TIERS: dict[str, tuple[str, ...]] = {
    "landing_page_view": ("landing_page_view", "omni_landing_page_view"),
    "link_click": ("link_click",),
    "post_engagement": ("post_engagement", "page_engagement"),
    "video_view": ("video_view",),
    "view_content": ("view_content", "omni_view_content", "offsite_conversion.fb_pixel_view_content"),
    "add_to_cart": ("add_to_cart", "omni_add_to_cart", "offsite_conversion.fb_pixel_add_to_cart"),
    "lead": ("lead", "offsite_conversion.fb_pixel_lead"),
    "purchase": ("purchase", "offsite_conversion.fb_pixel_purchase", "omni_purchase"),
    "store_purchase": ("offline_conversion.purchase", "omni_purchase"),
}
"""The same event shows up under each of these types; only omni_purchase adds two events together."""

WINDOWS = ("1d_click", "7d_click", "28d_click", "1d_view", "1d_ev")
RETIRED_WINDOWS = ("7d_view", "28d_view")
"""Accepted, and left out of the answer since January 2026."""


@dataclass(frozen=True)
class Counted:
    """What one row is about."""

    facts: Facts
    reach: int
    offset: int
    windows: Collection[str]
    identity: Mapping[str, str]


def reach_of(impressions: int, days: int) -> int:
    """People behind the impressions of one campaign: frequency grows with the length of the period."""
    return min(impressions, round(impressions / (1.18 * max(1, days) ** 0.28))) if impressions else 0


def _money(minor: float, offset: int) -> str:
    return f"{minor / offset:.{0 if offset == 1 else 2}f}"


def _ratio(numerator: float, denominator: float) -> str | None:
    return f"{numerator / denominator:.6f}".rstrip("0").rstrip(".") if denominator else None


def _by_type(counts: Mapping[tuple[str, str], int]) -> dict[str, dict[str, int]]:
    types: dict[str, dict[str, int]] = {}
    for (event, window), number in counts.items():
        for action_type in TIERS[event]:
            windows = types.setdefault(action_type, {})
            windows[window] = windows.get(window, 0) + number
    return {name: types[name] for name in sorted(types) if types[name]["value"]}


def _actions(
    row: Counted, counts: Mapping[tuple[str, str], int], show: Callable[[int], str]
) -> list[dict[str, str]] | None:
    shown = [
        {"action_type": name, "value": show(numbers["value"])}
        | {window: show(numbers[window]) for window in row.windows if numbers.get(window)}
        for name, numbers in _by_type(counts).items()
    ]
    return shown or None


def _roas(row: Counted, action_type: str) -> list[dict[str, str]] | None:
    spend = row.facts.spend
    values = _by_type(row.facts.values)
    if not spend or action_type not in values:
        return None
    found = _actions(row, row.facts.values, lambda minor: f"{minor / spend:.6f}")
    return [each for each in found or () if each["action_type"] == action_type]


def _costs(row: Counted) -> list[dict[str, str]] | None:
    spend, offset = row.facts.spend, row.offset
    return _actions(row, row.facts.events, lambda number: _ratio(spend / offset, number) or "0")


METRICS: dict[str, Callable[[Counted], object]] = {
    "spend": lambda row: _money(row.facts.spend, row.offset),
    "impressions": lambda row: str(row.facts.impressions),
    "clicks": lambda row: str(row.facts.clicks),
    "reach": lambda row: str(row.reach),
    "frequency": lambda row: _ratio(row.facts.impressions, row.reach),
    "ctr": lambda row: _ratio(100 * row.facts.clicks, row.facts.impressions),
    "cpc": lambda row: _ratio(row.facts.spend / row.offset, row.facts.clicks),
    "cpm": lambda row: _ratio(1000 * row.facts.spend / row.offset, row.facts.impressions),
    "cpp": lambda row: _ratio(1000 * row.facts.spend / row.offset, row.reach),
    "inline_link_clicks": lambda row: str(row.facts.link_clicks),
    "inline_link_click_ctr": lambda row: _ratio(100 * row.facts.link_clicks, row.facts.impressions),
    "cost_per_inline_link_click": lambda row: _ratio(row.facts.spend / row.offset, row.facts.link_clicks),
    "actions": lambda row: _actions(row, row.facts.events, str),
    "action_values": lambda row: _actions(row, row.facts.values, lambda minor: _money(minor, row.offset)),
    "cost_per_action_type": _costs,
    "purchase_roas": lambda row: _roas(row, "omni_purchase"),
    "website_purchase_roas": lambda row: _roas(row, "offsite_conversion.fb_pixel_purchase"),
}
IDENTITY = (
    "account_id", "account_name", "account_currency", "campaign_id", "campaign_name", "objective", "buying_type",
    "attribution_setting", "created_time", "updated_time",
)  # fmt: skip
PERIOD = ("date_start", "date_stop")
FIELDS = frozenset({*METRICS, *IDENTITY, *PERIOD})


def render(row: Counted, asked: Collection[str]) -> dict[str, object]:
    """The row for the fields asked for; a ratio over nothing is absent, as on the platform."""
    shown: dict[str, object] = {}
    for name in asked:
        value = METRICS[name](row) if name in METRICS else row.identity.get(name)
        if value is not None:
            shown[name] = value
    return shown | {name: row.identity[name] for name in PERIOD}
