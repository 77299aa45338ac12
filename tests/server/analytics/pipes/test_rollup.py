"""What the rollup of sessions knows and what it does not: late, repeated and changed views count right at once."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

import orjson
import pytest

from server.analytics.chdb.engine import ChdbEngine
from server.analytics.datafiles.model import Project
from server.analytics.deployment import Appended, Deployed
from server.analytics.engine import Format

Append = Callable[[Deployed, str, Iterable[Mapping[str, Any]]], Awaitable[Appended]]
Rows = Callable[..., Awaitable[list[dict[str, Any]]]]
DAY = {"website_id": "shop", "from": "2026-03-01", "to": "2026-03-01"}
MORNING = {"ts": "2026-03-01 08:00:00.000", "ingest_ts": "2026-03-01 08:00:01.000"}
RECEIVED_AFTERWARDS = {"ingest_ts": "2026-03-01 21:00:00.000"}
ANOTHER_AGE = ("1969-12-31 23:59:59.000", "2162-04-07 14:28:16.000")  # 2³² seconds after eight
WORKSPACES = ("as it was", "of another age", "again", "late", "waited", "a bot", "a new website")


def _view(number: int, path: str, **changed: str | int) -> dict[str, str | int]:
    own = {"event_id": f"e{number}", "visitor_id": f"v{number}", "session_id": f"s{number}", "path": path}
    return {"website_id": "shop", **MORNING, **own, **changed}


async def _pages(rows: Rows, deployed: Deployed, workspace: str, **asked: str) -> list[tuple[str, int, int, int, int]]:
    found = await rows(deployed, "p_top_pages", **{**DAY, "workspace_id": workspace, **asked})
    return [(row["path"], row["visitors"], row["pageviews"], row["entries"], row["exits"]) for row in found]


@pytest.fixture(scope="module")
def copied(project: Project, engine: ChdbEngine) -> Deployed:
    """In each workspace a session over two quarters of an hour, and one of the evening, which sets the watermark."""

    async def copied() -> Deployed:
        deployed = await Deployed.open(project, engine, database="pipes_copied")
        second = {"visitor_id": "v1", "session_id": "s1", "ts": "2026-03-01 08:20:00.000"}
        evening = {"ts": "2026-03-01 20:00:00.000", "ingest_ts": "2026-03-01 20:00:01.000"}
        views = (_view(1, "/a"), _view(2, "/b", **second), _view(3, "/c", **evening))
        told = [orjson.dumps({**view, "workspace_id": workspace}) for workspace in WORKSPACES for view in views]
        strays = [_view(9, "/z", ts=ts, workspace_id="of another age") for ts in ANOTHER_AGE]
        await deployed.append("pageviews", b"\n".join([*told, *map(orjson.dumps, strays)]))
        for copy in ("copy_sessions", "copy_visits"):
            await deployed.copy(copy)
        return deployed

    return asyncio.run(copied())


async def test_most_of_the_past_is_answered_by_the_rollup(site: Deployed) -> None:
    asked = {"workspace_id": "ws_a", "website_id": "shop"}
    cut = (await site.query("site_parts_cut", asked, output=Format.CSV)).decode().strip().strip('"')

    assert cut == "2026-03-14 11:45:00"


async def test_a_session_over_two_quarters_of_an_hour_is_one(copied: Deployed, rows: Rows) -> None:
    assert await _pages(rows, copied, "as it was") == [("/a", 1, 1, 1, 0), ("/b", 1, 1, 0, 1), ("/c", 1, 1, 1, 1)]


async def test_views_of_another_age_are_of_no_day_and_hold_nothing_up(
    copied: Deployed, append: Append, rows: Rows
) -> None:
    of_its_day = {**DAY, "workspace_id": "of another age"}
    strays = [_view(9, "/z", ts=ts, workspace_id="of another age", **RECEIVED_AFTERWARDS) for ts in ANOTHER_AGE]
    await append(copied, "pageviews", strays)
    (summary,) = await rows(copied, "p_visitors_summary", **of_its_day)

    assert await _pages(rows, copied, "of another age") == await _pages(rows, copied, "as it was")
    assert (summary["visitors"], summary["pageviews"]) == (2, 3)
    for cut in ("site_rollup", "site_parts_cut"):
        assert await rows(copied, cut, **of_its_day) == [{"cut": "2026-03-01 20:00:00"}]


async def test_a_view_sent_again_counts_once(copied: Deployed, append: Append, rows: Rows) -> None:
    again = _view(1, "/a", workspace_id="again", **RECEIVED_AFTERWARDS)

    await append(copied, "pageviews", [again, again])

    assert await _pages(rows, copied, "again") == [("/a", 1, 1, 1, 0), ("/b", 1, 1, 0, 1), ("/c", 1, 1, 1, 1)]


async def test_a_view_that_came_late_counts_at_once(copied: Deployed, append: Append, rows: Rows) -> None:
    late = {"visitor_id": "v1", "session_id": "s1", "ts": "2026-03-01 08:40:00.000", **RECEIVED_AFTERWARDS}

    await append(copied, "pageviews", [_view(4, "/d", workspace_id="late", **late)])

    assert await _pages(rows, copied, "late") == [
        *(("/a", 1, 1, 1, 0), ("/b", 1, 1, 0, 0), ("/c", 1, 1, 1, 1), ("/d", 1, 1, 0, 1)),
    ]


async def test_a_view_that_waited_to_be_stored_counts_at_once(copied: Deployed, append: Append, rows: Rows) -> None:
    await append(copied, "pageviews", [_view(5, "/a", workspace_id="waited", visitor_id="v9")])

    assert await _pages(rows, copied, "waited") == [("/a", 2, 2, 2, 1), ("/b", 1, 1, 0, 1), ("/c", 1, 1, 1, 1)]


async def test_a_view_found_to_be_a_bots_counts_no_more(copied: Deployed, append: Append, rows: Rows) -> None:
    await append(copied, "pageviews", [_view(1, "/a", workspace_id="a bot", is_bot=1, **RECEIVED_AFTERWARDS)])

    assert await _pages(rows, copied, "a bot") == [("/b", 1, 1, 1, 1), ("/c", 1, 1, 1, 1)]


async def test_days_of_a_zone_cut_sessions_at_quarters_of_an_hour(copied: Deployed, rows: Rows) -> None:
    """08:15 UTC is midnight in no zone, 18:15 is that of Kathmandu: what is viewed after it is of the next day."""
    assert await _pages(rows, copied, "as it was", tz="Asia/Kathmandu", to="2026-03-01") == [
        ("/a", 1, 1, 1, 0),
        ("/b", 1, 1, 0, 1),
    ]
    assert await _pages(
        rows, copied, "as it was", tz="Asia/Kathmandu", **{"from": "2026-03-02", "to": "2026-03-02"}
    ) == [("/c", 1, 1, 1, 1)]


async def test_a_website_that_no_rollup_knows_is_counted(copied: Deployed, append: Append, rows: Rows) -> None:
    new = _view(
        7,
        "/a",
        workspace_id="a new website",
        website_id="new",
        ts="2026-03-01 12:00:00.000",
        ingest_ts="2026-03-01 12:00:01.000",
    )
    await append(copied, "pageviews", [new])

    of_the_new = await _pages(rows, copied, "a new website", website_id="new")
    asked = {key: value for key, value in DAY.items() if key != "website_id"}
    of_all = await rows(copied, "p_top_pages", workspace_id="a new website", **asked)

    assert of_the_new == [("/a", 1, 1, 1, 1)]
    assert [(row["path"], row["visitors"]) for row in of_all] == [("/a", 2), ("/b", 1), ("/c", 1)]


async def test_a_copy_made_again_changes_nothing(copied: Deployed, append: Append, rows: Rows) -> None:
    view = _view(6, "/c", workspace_id="once more", ts="2026-03-01 20:05:00.000", **RECEIVED_AFTERWARDS)
    await append(copied, "pageviews", [view])
    before = await _pages(rows, copied, "once more")

    await copied.copy("copy_sessions")

    assert await _pages(rows, copied, "once more") == before == [("/c", 1, 1, 1, 1)]
