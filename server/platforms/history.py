"""How far back the platforms answer questions: 37 months, both of them."""

import datetime as dt

from server.platforms.readback import problem
from tools.ports import InsightsQuery

MONTHS = 37


def check_range(query: InsightsQuery, today: dt.date) -> None:
    months = today.year * 12 + today.month - 1 - MONTHS
    earliest = dt.date(months // 12, months % 12 + 1, min(today.day, 28))
    if query.since > query.until:
        raise problem("since", f"is after until ({query.until})", "Send a since that is not after until.")
    if query.since < earliest:
        kept = f"is before {earliest}; the platform keeps {MONTHS} months"
        raise problem("since", kept, f"Start at {earliest} or later.")
