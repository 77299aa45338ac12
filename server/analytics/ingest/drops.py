"""What is not kept is counted, by website, minute and reason, and told to the store with everything else."""

import secrets
from collections import Counter
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from server.analytics.ingest.sites import Site
from server.analytics.ingest.times import stamp

DATASOURCE = "ingest_drops"
_MINUTE_MS = 60_000


class Reason(StrEnum):
    """Nothing that the sender can mend by sending it again."""

    INVALID_JSON = "invalid_json"
    INVALID_EVENT = "invalid_event"
    INVALID_AMOUNT = "invalid_amount"
    UNKNOWN_WEBSITE = "unknown_website"
    WRONG_DOMAIN = "wrong_domain"
    TOO_MANY = "too_many"
    QUARANTINED = "quarantined"  # by the store; p_pixel_healthcheck counts this word apart


class _Minute(NamedTuple):
    workspace_id: str
    website_id: str  # '' where nobody's website was named: what strangers make up is not stored
    start: int
    reason: Reason


class Drops:
    def __init__(self, clock: Callable[[], int]) -> None:
        self.by_reason: Counter[Reason] = Counter()  # since the start
        self._clock = clock
        self._waiting: Counter[_Minute] = Counter()

    def count(self, reason: Reason, site: Site | None = None, events: int = 1) -> None:
        workspace_id, website_id = (site.workspace_id, site.id) if site else ("", "")
        self._count(workspace_id, website_id, reason, events)

    def quarantined(self, datasource: str, row: Mapping[str, Any], rows: int = 1) -> None:
        """Rows like this that were taken in and that the store refuses. What is said of drops is no event."""
        if datasource != DATASOURCE:
            of = str(row.get("workspace_id", "")), str(row.get("website_id", ""))
            self._count(*of, Reason.QUARANTINED, rows)

    def _count(self, workspace_id: str, website_id: str, reason: Reason, events: int) -> None:
        start = self._clock() // _MINUTE_MS * _MINUTE_MS
        self._waiting[_Minute(workspace_id, website_id, start, reason)] += events
        self.by_reason[reason] += events

    def take(self) -> list[tuple[str, dict[str, Any]]]:
        """The rows of what was counted since the last time. Each batch has its own id: they add up, none replaces."""
        counted, self._waiting = self._waiting, Counter()
        batch_id, now = secrets.token_hex(8), stamp(self._clock())
        return [
            (
                DATASOURCE,
                {
                    "workspace_id": minute.workspace_id,
                    "website_id": minute.website_id,
                    "ts": stamp(minute.start),
                    "reason": minute.reason.value,
                    "events": events,
                    "batch_id": batch_id,
                    "ingest_ts": now,
                },
            )
            for minute, events in counted.items()
        ]
