"""What a turn begins with: who asks, and what holds on this day for this workspace."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from tools.authority import Principal, Role, Scope, Via
from tools.context import Context
from tools.store.statements import Row
from tools.targets import all_connections


async def facts(context: Context, page: str | None = None) -> dict[str, Any]:
    """What the model is told about now; a day is the ad accounts' day. `page` is what the person looks at."""
    accounts = [account for each in await all_connections(context) for account in each.accounts if account.active]
    zones = list(dict.fromkeys(account.time_zone for account in accounts)) or ["UTC"]
    today = context.clock().astimezone(_zone(zones[0])).date()
    currencies = sorted({account.currency for account in accounts})
    seen = {"page": page} if page else {}
    return {"today": today.isoformat(), "weekday": f"{today:%A}", "time_zones": zones, "currencies": currencies} | seen


def _zone(name: str) -> dt.tzinfo:
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):  # as the platform spells it; nothing says that we know it
        return dt.UTC


def kept(principal: Principal) -> dict[str, Any]:
    """The asker as the session keeps them: a turn may go on without anybody there."""
    return {
        "id": principal.id,
        "name": principal.name,
        "user": principal.user,
        "role": principal.role,
        "scopes": sorted(principal.scopes),
        "via": principal.via,
        "rate": principal.rate,
        "plan": principal.plan,
        "workspace_name": principal.workspace_name,
    }


def asker(session: Row) -> Principal:
    acting = session.acting
    return Principal(
        **acting
        | {
            "workspace": session.workspace_id,
            "role": Role(acting["role"]),
            "scopes": frozenset(map(Scope, acting["scopes"])),
            "via": Via(acting["via"]),
        }
    )
