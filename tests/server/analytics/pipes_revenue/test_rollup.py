"""What the rollup of views knows and what it does not: late, repeated and changed views count right at once."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

import pytest

from server.analytics.deployment import Appended, Deployed

Append = Callable[[Deployed, str, Iterable[Mapping[str, Any]]], Awaitable[Appended]]
Rows = Callable[..., Awaitable[list[dict[str, Any]]]]
VIEW = {
    "workspace_id": "ws",
    "website_id": "shop",
    "ts": "2026-03-01 12:00:00.000",
    "event_id": "e1",
    "visitor_id": "v1",
    "session_id": "s1",
    "ingest_ts": "2026-03-01 12:00:01.000",
}
METRICS = ("visitors", "sessions", "pageviews", "bounce_rate")


def _view(number: int, **changed: str | int) -> dict[str, str | int]:
    own = {"event_id": f"e{number}", "visitor_id": f"v{number}", "session_id": f"s{number}"}
    return {**VIEW, **own, **changed}


async def _figures(rows: Rows, deployed: Deployed) -> list[float]:
    asked = {"workspace_id": "ws", "website_id": "shop", "from": "2026-03-01", "to": "2026-03-01"}
    return [(await rows(deployed, "p_metric_series", metric=each, **asked))[0]["value"] for each in METRICS]


@pytest.fixture
async def copied(deployed: Deployed, append: Append) -> Deployed:
    """Two visitors of the morning are in the rollup; a third one, of the evening, sets its watermark."""
    morning = [_view(1, ts="2026-03-01 08:00:00.000", ingest_ts="2026-03-01 08:00:01.000"), _view(2, session_id="s1")]
    morning[1] |= {"visitor_id": "v1", "ts": "2026-03-01 08:20:00.000", "ingest_ts": "2026-03-01 08:20:01.000"}
    last = _view(3, ts="2026-03-01 20:00:00.000", ingest_ts="2026-03-01 20:00:01.000")
    await append(deployed, "pageviews", [*morning, last])
    await deployed.copy("copy_visits")
    return deployed


async def test_the_rollup_tells_what_the_views_told(copied: Deployed, rows: Rows) -> None:
    assert await _figures(rows, copied) == [2, 2, 3, 0.5]


async def test_a_view_sent_again_counts_once(copied: Deployed, append: Append, rows: Rows) -> None:
    again = _view(1, ts="2026-03-01 08:00:00.000", ingest_ts="2026-03-01 21:00:00.000")

    await append(copied, "pageviews", [again, again])

    assert await _figures(rows, copied) == [2, 2, 3, 0.5]


async def test_a_view_that_came_late_counts_at_once(copied: Deployed, append: Append, rows: Rows) -> None:
    await append(copied, "pageviews", [_view(4, ts="2026-03-01 07:00:00.000", ingest_ts="2026-03-01 21:00:00.000")])

    assert await _figures(rows, copied) == [3, 3, 4, 0.6667]


async def test_a_view_that_waited_to_be_stored_counts_at_once(copied: Deployed, append: Append, rows: Rows) -> None:
    """It was received long before the rollup was made, and kept elsewhere while the store was away."""
    waited = _view(5, ts="2026-03-01 09:00:00.000", ingest_ts="2026-03-01 09:00:01.000")

    await append(copied, "pageviews", [waited])

    assert await _figures(rows, copied) == [3, 3, 4, 0.6667]


async def test_a_view_found_to_be_a_bots_counts_no_more(copied: Deployed, append: Append, rows: Rows) -> None:
    bot = _view(3, ts="2026-03-01 20:00:00.000", ingest_ts="2026-03-01 22:00:00.000", is_bot=1)

    await append(copied, "pageviews", [bot])

    assert await _figures(rows, copied) == [1, 1, 2, 0]


async def test_a_copy_made_again_changes_nothing(copied: Deployed, append: Append, rows: Rows) -> None:
    await append(copied, "pageviews", [_view(6, ts="2026-03-01 20:05:00.000", ingest_ts="2026-03-01 20:05:01.000")])
    before = await _figures(rows, copied)

    await copied.copy("copy_visits")

    assert await _figures(rows, copied) == before == [3, 3, 4, 0.6667]


async def test_a_website_that_no_rollup_knows_is_counted(copied: Deployed, append: Append, rows: Rows) -> None:
    await append(copied, "pageviews", [_view(7, website_id="new", ingest_ts="2026-03-01 12:00:01.000")])

    asked = {"workspace_id": "ws", "from": "2026-03-01", "to": "2026-03-01", "metric": "visitors"}
    of_the_new = await rows(copied, "p_metric_series", website_id="new", **asked)
    of_all = await rows(copied, "p_metric_series", **asked)

    assert (of_the_new[0]["value"], of_all[0]["value"]) == (1, 3)


async def test_a_session_on_both_sides_of_the_cut_is_one_in_its_period(
    copied: Deployed, append: Append, rows: Rows
) -> None:
    came_back = {"event_id": "e8", "ts": "2026-03-01 20:30:00.000", "ingest_ts": "2026-03-01 20:30:01.000"}
    await append(copied, "pageviews", [_view(1, channel="email", **came_back)])

    asked = {"workspace_id": "ws", "website_id": "shop", "from": "2026-03-01", "to": "2026-03-01"}
    of_the_day = await rows(copied, "p_channel_series", **asked)
    of_the_hours = await rows(copied, "p_channel_series", interval="hour", **asked)

    assert [(row["channel"], row["visitors"], row["sessions"]) for row in of_the_day] == [("", 2, 2)]
    assert [(row["t"][11:16], row["channel"], row["sessions"]) for row in of_the_hours if row["sessions"]] == [
        *(("08:00", "", 1), ("20:00", "", 1), ("20:00", "email", 1)),
    ]
