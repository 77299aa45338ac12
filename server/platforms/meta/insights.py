"""Meta's Insights rows become one comparable report: exact money, and one action type counted as the conversion."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from server.platforms.meta.answers import Row
from server.platforms.meta.campaigns import EVERY_STATUS
from server.platforms.meta.errors import META
from server.platforms.meta.wire import json_param
from tools.errors import PlatformFailure
from tools.ports import InsightsQuery, InsightsReport, InsightsRow

ATTRIBUTION = "7-day click, 1-day view"
_WINDOWS = ["7d_click", "1d_view"]

CONVERSIONS = (
    "omni_purchase",
    "purchase",
    "offsite_conversion.fb_pixel_purchase",
    "omni_lead",
    "lead",
    "offsite_conversion.fb_pixel_lead",
    "onsite_conversion.lead_grouped",
)
"""In order of preference. Each tier counts the same events again, so they are never summed; and names match exactly,
since other types contain them (onsite_web_purchase, offsite_conversion.custom.lead)."""

_SYNC_DAYS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """One of Meta's rows, reduced at once to what a report may need: its other action types are many times larger."""

    spend: Decimal
    impressions: int
    clicks: int
    day: dt.date
    campaign_id: str | None
    campaign_name: str | None
    actions: Mapping[str, Decimal]
    values: Mapping[str, Decimal]


def is_large(query: InsightsQuery) -> bool:
    """Better asked for as an asynchronous report."""
    return query.by_campaign and query.by_day and (query.until - query.since).days >= _SYNC_DAYS


def parameters(query: InsightsQuery) -> dict[str, str]:
    by_campaign = query.by_campaign or query.campaign_id is not None
    fields = ["spend", "impressions", "clicks", "actions", "action_values"]
    params = {
        "level": "campaign" if by_campaign else "account",
        "fields": ",".join([*fields, "campaign_id", "campaign_name"] if by_campaign else fields),
        "time_range": json_param({"since": query.since.isoformat(), "until": query.until.isoformat()}),
        "action_attribution_windows": json_param(_WINDOWS),
        "use_unified_attribution_setting": "true",
    }
    if query.by_day:
        params["time_increment"] = "1"
    if by_campaign and query.campaign_id is None:
        # Unasked, Meta leaves deleted campaigns out, and the rows fall short of what the account spent.
        params["filtering"] = json_param(
            [{"field": "campaign.effective_status", "operator": "IN", "value": EVERY_STATUS}]
        )
    return params


def tally(row: Mapping[str, Any]) -> Tally:
    try:
        return Tally(
            spend=_number(row.get("spend", "0")),
            impressions=int(row.get("impressions", "0")),
            clicks=int(row.get("clicks", "0")),
            day=dt.date.fromisoformat(row["date_start"]),
            campaign_id=row.get("campaign_id"),
            campaign_name=row.get("campaign_name"),
            actions=_counted(row.get("actions")),
            values=_counted(row.get("action_values")),
        )
    except (InvalidOperation, ValueError, TypeError, KeyError) as error:
        raise PlatformFailure(
            f"Meta sent a report row that cannot be read ({type(error).__name__}).",
            fix="Try again; if it stays, check META_API_VERSION and report it.",
            platform=META,
        ) from error


def _number(text: str) -> Decimal:
    number = Decimal(text)
    if not number.is_finite():
        raise ValueError(text)
    return number


def _counted(actions: Sequence[Mapping[str, str]] | None) -> dict[str, Decimal]:
    return {
        action["action_type"]: _number(action.get("value", "0"))
        for action in actions or ()
        if action["action_type"] in CONVERSIONS
    }


def report(tallies: Sequence[Tally], query: InsightsQuery, as_of: dt.datetime) -> InsightsReport:
    """All rows count the first type of CONVERSIONS that any row has, so that they can be compared and summed."""
    action = next((kind for kind in CONVERSIONS if any(kind in each.actions for each in tallies)), None)
    return InsightsReport(
        rows=tuple(
            InsightsRow(
                spend=each.spend,
                impressions=each.impressions,
                clicks=each.clicks,
                conversions=each.actions.get(action or "", Decimal(0)),
                conversion_value=each.values.get(action or "", Decimal(0)),
                day=each.day if query.by_day else None,
                campaign_id=each.campaign_id,
                campaign_name=each.campaign_name,
            )
            for each in tallies
        ),
        conversion_action=action,
        attribution=ATTRIBUTION,
        as_of=as_of,
    )


def report_failed(state: Row) -> PlatformFailure:
    words = state.get("error_user_msg") or state.get("error_message") or state.get("async_status")
    details = {"platformCode": state.get("error_code"), "platformSubcode": state.get("error_subcode")}
    return PlatformFailure(
        f"Meta could not make the report: {words}",
        fix="Ask again, for fewer days, or without a breakdown.",
        platform=META,
        **{name: value for name, value in details.items() if value is not None},
    )
