"""GET /visits: the history of a made-up website, a line of JSON a day, in the rows of its datasources."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from server.sandbox.delivery import HISTORY_DAYS
from server.sandbox.visits.days import REFUNDED_WITHIN, ZONE, Days
from server.sandbox.visits.sources import Sources


class Visits:
    def __init__(self, sources: Sources, now: Callable[[], datetime]) -> None:
        self._sources, self._now = sources, now

    async def answer(self, request: Request) -> Response:
        """`?website_id=…&workspace_id=…&host=…&after=…&until=…`: {datasource: [row]} a line, for what happened after
        one moment (ms since 1970; the whole history where it is left out) up to another (now)."""
        asked = request.query_params
        try:
            website_id, workspace_id, host = (asked[name] for name in ("website_id", "workspace_id", "host"))
            until = _moment(asked["until"]) if "until" in asked else self._now()
            after = _moment(asked["after"]) if "after" in asked else until - timedelta(days=HISTORY_DAYS)
        except (KeyError, ValueError, OverflowError, OSError):
            return JSONResponse({"error": "website_id, workspace_id and host; after and until in milliseconds"}, 400)
        days = Days(self._sources, website_id, host)
        owner = {"workspace_id": workspace_id, "website_id": website_id}
        return StreamingResponse(self._lines(days, owner, after, until), media_type="application/x-ndjson")

    def _lines(self, days: Days, owner: dict[str, str], after: datetime, until: datetime) -> Iterator[bytes]:
        today = self._now().astimezone(ZONE).date()
        earliest = today - timedelta(days=HISTORY_DAYS)
        day = max(earliest, after.astimezone(ZONE).date() - timedelta(days=REFUNDED_WITHIN + 1))
        while day <= min(today, until.astimezone(ZONE).date()):
            yield _line(days, owner, day, today, after, until)
            day += timedelta(days=1)


def _line(days: Days, owner: dict[str, str], day: date, today: date, after: datetime, until: datetime) -> bytes:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for datasource, at, row in days.of(day, today):
        if after < at <= until:
            stamped = {"ts": at.strftime("%Y-%m-%d %H:%M:%S.") + f"{at.microsecond // 1000:03}"}
            found[datasource].append(owner | stamped | row)
    return orjson.dumps(found) + b"\n"


def _moment(text: str) -> datetime:
    return datetime.fromtimestamp(int(text) / 1000, UTC)
