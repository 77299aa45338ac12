"""The pipes that a caller may name, and how their arguments are told apart: no other pipe of the store is reached."""

import datetime as dt
from collections.abc import Sequence

from tools.analytics import Pipe
from tools.context import Context
from tools.errors import InvalidArguments, InvalidPipe

PIPE_ALLOWLIST = (
    "p_realtime_visitors", "p_top_pages", "p_referrers", "p_geo", "p_devices", "p_tech", "p_languages",
    "p_traffic_sources", "p_funnel", "p_funnel_v2", "p_goal_conversions", "p_attributed_revenue",
    "p_retention_cohort", "p_sessions_list", "p_visitor_profile", "p_visitor_timeline", "p_llm_traffic",
    "p_events_catalog", "p_pixel_healthcheck", "p_metric_series",
    "p_visitors_summary", "p_revenue_summary", "p_revenue_series", "p_mer", "p_ltv", "p_cohort_revenue",
    "p_new_vs_returning", "p_entry_exit", "p_campaigns", "p_content", "p_channel_series", "p_mmm_input",
    "p_forecast_input", "p_incrementality_input",
)  # fmt: skip

_FIELDS = {
    "website_id": "websiteId", "from": "since", "to": "until",
    "dim": "by", "level": "by", "breakdown": "by", "unit": "by",
    "period": "interval", "n": "periods", "horizon": "periods",
    "workspace_id": None, "limit": None, "offset": None, "at": None,
}  # fmt: skip
"""Parameters of pipes that callers know by another name, or do not choose: pages have a cursor, and now is now."""

PROFILE, HEALTH = "p_visitor_profile", "p_pixel_healthcheck"
MOST_DAYS = 5 * 366
FIRST_DAY, LAST_DAY = dt.date(1970, 1, 1), dt.date(2105, 12, 31)
"""What a Date of the store holds, and a day to spare: others would be answered as some day among these."""
_SHOWN = 60


def require_pipe(name: str) -> None:
    if name not in PIPE_ALLOWLIST:
        raise InvalidPipe(
            f"There is no pipe {name[:_SHOWN]}.", fix="Use one of details.allowed.", allowed=list(PIPE_ALLOWLIST)
        )


def field_of(parameter: str) -> str | None:
    """What a caller calls a parameter of a pipe; None where it is not theirs to choose."""
    return _FIELDS.get(parameter, parameter)


async def allowed_pipes(context: Context) -> Sequence[Pipe]:
    """As the store describes them; it may hold more than may be named."""
    held = {pipe.name: pipe for pipe in await context.pipes.pipes()}
    return [held[name] for name in PIPE_ALLOWLIST if name in held]


async def one_pipe(context: Context, name: str) -> Pipe:
    require_pipe(name)
    for pipe in await allowed_pipes(context):
        if pipe.name == name:
            return pipe
    raise InvalidPipe(f"The analytics store has no pipe {name}.", fix="adwright analytics push sends it there.")


def require_range(since: dt.date | None, until: dt.date | None) -> None:
    """Days that there can be, in order, and no more of them than one question may be about."""
    if since is not None and until is not None:
        if since > until:
            raise _refused("since", f"is after until, {until}", "Send the earlier day as since.")
        if (days := (until - since).days + 1) > MOST_DAYS:
            fix = f"Ask for at most {MOST_DAYS} days, or for several periods one after another."
            raise _refused("since", f"makes it {days} days; at most {MOST_DAYS} are asked for at once", fix)
    for name, day in (("since", since), ("until", until)):
        if day is not None and not FIRST_DAY <= day <= LAST_DAY:
            raise _refused(name, f"is not between {FIRST_DAY} and {LAST_DAY}", "Send a day of our time.")


def _refused(field: str, problem: str, fix: str) -> InvalidArguments:
    return InvalidArguments(f"{field} {problem}.", fix=fix, problems=[{"field": field, "problem": problem}])
