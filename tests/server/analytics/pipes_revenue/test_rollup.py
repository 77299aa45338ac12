"""What the rollup of views knows and what it does not: late, repeated and changed views count right at once."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

import orjson
import pytest

from server.analytics.chdb.engine import ChdbEngine
from server.analytics.datafiles.model import Project
from server.analytics.deployment import Appended, Deployed

Append = Callable[[Deployed, str, Iterable[Mapping[str, Any]]], Awaitable[Appended]]
Rows = Callable[..., Awaitable[list[dict[str, Any]]]]
WORKSPACES = ("as it was", "again", "late", "waited", "a bot", "once more", "a new website")
DAY = {"from": "2026-03-01", "to": "2026-03-01"}


def _view(number: int, workspace: str, time: str, received: str = "", **changed: str | int) -> dict[str, str | int]:
    own = {"event_id": f"e{number}", "visitor_id": f"v{number}", "session_id": f"s{number}"}
    at = {"ts": f"2026-03-01 {time}:00.000", "ingest_ts": f"2026-03-01 {received or time}:01.000"}
    return {"workspace_id": workspace, "website_id": "shop", **at, **own, **changed}


async def _figures(rows: Rows, deployed: Deployed, workspace: str, *metrics: str) -> list[float]:
    asked = {"workspace_id": workspace, "website_id": "shop", **DAY}
    asked_of = metrics or ("visitors", "bounce_rate")
    return [(await rows(deployed, "p_metric_series", metric=each, **asked))[0]["value"] for each in asked_of]


@pytest.fixture(scope="module")
def copied(project: Project, engine: ChdbEngine) -> Deployed:
    """In each workspace a session of the morning is in the rollup; one of the evening sets its watermark."""

    async def copied() -> Deployed:
        deployed = await Deployed.open(project, engine, database="revenue_copied")
        told = [
            view
            for workspace in WORKSPACES
            for view in (
                _view(1, workspace, "08:00"),
                _view(2, workspace, "08:20", visitor_id="v1", session_id="s1"),
                _view(3, workspace, "20:00"),
            )
        ]
        await deployed.append("pageviews", b"\n".join(map(orjson.dumps, told)))
        await deployed.copy("copy_visits")
        return deployed

    return asyncio.run(copied())


async def test_the_rollup_tells_what_the_views_told(copied: Deployed, rows: Rows) -> None:
    figures = await _figures(rows, copied, "as it was", "visitors", "sessions", "pageviews", "bounce_rate")

    assert figures == [2, 2, 3, 0.5]


async def test_a_view_sent_again_counts_once(copied: Deployed, append: Append, rows: Rows) -> None:
    again = _view(1, "again", "08:00", "21:00")

    await append(copied, "pageviews", [again, again])

    assert await _figures(rows, copied, "again", "pageviews", "bounce_rate") == [3, 0.5]


async def test_a_view_that_came_late_counts_at_once(copied: Deployed, append: Append, rows: Rows) -> None:
    await append(copied, "pageviews", [_view(4, "late", "07:00", "21:00")])

    assert await _figures(rows, copied, "late") == [3, 0.6667]


async def test_a_view_that_waited_to_be_stored_counts_at_once(copied: Deployed, append: Append, rows: Rows) -> None:
    """It was received long before the rollup was made, and kept elsewhere while the store was away."""
    await append(copied, "pageviews", [_view(5, "waited", "09:00")])

    assert await _figures(rows, copied, "waited") == [3, 0.6667]


async def test_a_view_found_to_be_a_bots_counts_no_more(copied: Deployed, append: Append, rows: Rows) -> None:
    await append(copied, "pageviews", [_view(3, "a bot", "20:00", "22:00", is_bot=1)])

    assert await _figures(rows, copied, "a bot", "visitors", "pageviews", "bounce_rate") == [1, 2, 0]


async def test_a_website_that_no_rollup_knows_is_counted(copied: Deployed, append: Append, rows: Rows) -> None:
    await append(copied, "pageviews", [_view(7, "a new website", "12:00", website_id="new")])

    asked = {"workspace_id": "a new website", "metric": "visitors", **DAY}
    of_the_new = await rows(copied, "p_metric_series", website_id="new", **asked)
    of_all = await rows(copied, "p_metric_series", **asked)

    assert (of_the_new[0]["value"], of_all[0]["value"]) == (1, 3)


async def test_a_copy_made_again_changes_nothing(copied: Deployed, append: Append, rows: Rows) -> None:
    await append(copied, "pageviews", [_view(6, "once more", "20:05")])
    before = await _figures(rows, copied, "once more")

    await copied.copy("copy_visits")

    assert await _figures(rows, copied, "once more") == before == [3, 0.6667]
