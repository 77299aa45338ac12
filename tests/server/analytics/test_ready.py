"""What is looked at is answered from sums kept ready: the same answer, of the same website, never older than told."""

import dataclasses
from typing import Any

import pytest

from server.analytics.chdb.engine import ChdbEngine
from server.analytics.datafiles.loading import load
from server.analytics.datafiles.model import Project
from server.analytics.deployment import Deployed
from server.analytics.engine import EngineError, EngineUnavailable, Format
from server.analytics.ready.keeping import LAG_SECONDS, LOOKED_AT_SECONDS
from server.analytics.ready.sums import TABLE
from server.analytics.template.errors import TemplateError, TemplateRefusal
from tests.server.analytics.conftest import Append
from tests.server.analytics.looked_at import (
    BY_PIPE,
    CHANNELS,
    MORNING,
    NIGHT,
    RANGE,
    READY,
    REFUSED,
    REVENUE,
    SERIES,
    SUMMARY,
    TO_THE_PIPE,
    Listening,
    Site,
    Step,
    opened,
)
from tests.server.analytics.test_deployment import FOREIGN, HITS


@pytest.fixture
async def site(
    project: Project, engine: ChdbEngine, database: str, append: Append, monkeypatch: pytest.MonkeyPatch
) -> Site:
    return await opened(project, engine, append, database, monkeypatch)


async def test_what_is_asked_about_once_is_not_made(site: Site) -> None:
    await site.visitors()
    await site.deployed.make_ready()
    site.clock.now += LOOKED_AT_SECONDS

    assert await site.visitors() == (1, BY_PIPE)
    await site.deployed.make_ready()
    assert await site.visitors() == (1, BY_PIPE)
    assert not [sql for sql in site.engine.commands if Step.MAKING in sql]


async def test_what_is_asked_about_twice_is_answered_the_same_from_what_is_ready(site: Site) -> None:
    await site.views("2026-03-01 12:00:00.000", "2026-03-02 12:00:00.000", channel="email")
    await site.goal(NIGHT)
    await site.paid(NIGHT, "EUR")
    asked: list[tuple[str, dict[str, str | None]]] = [
        (SUMMARY, {}),
        (SUMMARY, {"compare": "0"}),
        (CHANNELS, {"to": None, "from": None}),
        (REVENUE, {"from": None, "limit": "5", "offset": "25"}),
        (SERIES, {"metric": "visitors"}),
        (SERIES, {"metric": "aov", "interval": "day"}),
    ]
    before = [await site.answer(pipe, **values) for pipe, values in asked]
    await site.deployed.make_ready()

    assert {by for _, by in before} == {BY_PIPE}
    assert [await site.answer(pipe, **values) for pipe, values in asked] == [(told, READY) for told, _ in before]


async def test_a_website_without_anything_is_ready_too(site: Site) -> None:
    await site.other(website="empty").looked_at()

    assert await site.other(website="empty").visitors() == (0, READY)


async def test_another_zone_is_another_place(site: Site) -> None:
    await site.views(NIGHT)
    one_day = {"from": "2026-03-02"}
    await site.looked_at()

    assert await site.visitors(**one_day) == (0, READY)
    assert await site.visitors(**one_day, tz="Europe/Berlin") == (1, BY_PIPE)
    await site.looked_at(tz="Europe/Berlin")
    assert await site.visitors(**one_day, tz="Europe/Berlin") == (1, READY)
    assert await site.visitors(**one_day, tz="UTC") == (0, READY)


async def test_nobody_is_answered_of_another_workspace_or_website(site: Site) -> None:
    hostile = "sh'o\\p\\' OR 1 -- {{ x }}`\0\n"
    others = [site.other(workspace=f"{name} of {site.workspace}", website=name) for name in ("shop", hostile, "")]
    await site.looked_at()
    for each in others:
        await each.views(MORNING, NIGHT)
        assert [await each.visitors() for _ in range(2)] == [(2, BY_PIPE)] * 2
    await site.deployed.make_ready()
    assert [await each.visitors() for each in (site, *others)] == [(1, READY), *[(2, READY)] * 3]

    await others[1].views(NIGHT)
    await site.deployed.make_ready()
    assert [await each.visitors() for each in (site, *others)] == [(1, READY), (2, READY), (3, READY), (2, READY)]
    assert await site.other(website=hostile).visitors() == (0, BY_PIPE)


async def test_what_was_written_may_be_missing_for_as_long_as_told_and_no_longer(site: Site) -> None:
    await site.looked_at()
    await site.views(NIGHT)
    site.clock.now += LAG_SECONDS
    assert await site.visitors() == (1, READY)
    await site.views(NIGHT)  # what comes after it hides nothing
    site.clock.now += 0.1
    assert await site.visitors() == (3, BY_PIPE)

    await site.deployed.make_ready()
    assert await site.visitors() == (3, READY)


async def test_what_came_late_or_moved_is_where_it_belongs(site: Site) -> None:
    await site.goal(NIGHT, event_id="moved")
    await site.looked_at()
    await site.goal("2026-03-03 09:00:00.000", event_id="moved", ingest_ts="2030-01-01 00:00:00")
    await site.deployed.make_ready()
    answer, by = await site.answer(SERIES, metric="goals", to="2026-03-03")
    assert ([row["value"] for row in answer["data"]], by) == ([0, 0, 1], READY)

    for moment in ("2026-02-20 12:00:00.000", NIGHT):
        await site.views(moment)
    await site.deployed.make_ready()
    assert await site.visitors(**{"from": "2026-02-20"}) == (3, READY)


async def test_a_day_is_the_one_that_the_engine_takes_it_for(site: Site) -> None:
    """Its table of zones is of another year than ours: by it, this is 23:30 on the 4th."""
    winter = {"tz": "America/Vancouver", "from": "2026-12-04", "to": "2026-12-05"}
    await site.looked_at(**winter)
    await site.views("2026-12-05 07:30:00.000")
    await site.deployed.make_ready()

    assert await site.visitors(**winter) == (1, READY)


async def test_an_insert_that_failed_may_have_written(site: Site) -> None:
    await site.looked_at()

    async def cut_off(*given: Any, **more: Any) -> None:
        await site.engine._engine.insert(*given, **more)
        raise EngineUnavailable("cut off")

    changed: Any = site.engine
    changed.insert = cut_off
    with pytest.raises(EngineUnavailable):
        await site.views(NIGHT)
    site.clock.now += LAG_SECONDS + 0.1

    assert await site.visitors() == (2, BY_PIPE)


async def test_a_restart_begins_with_nothing(site: Site, project: Project) -> None:
    await site.looked_at()
    engine: Any = site.engine
    again = site.other(deployed=await Deployed.open(project, engine, database="ready"))

    assert await again.rows() == 0
    assert await again.visitors() == (1, BY_PIPE)


async def test_nothing_is_kept_where_others_write(site: Site, project: Project) -> None:
    engine: Any = site.engine
    engine.sole = False
    shared = site.other(deployed=await Deployed.open(project, engine, database="ready"))
    engine.commands.clear()

    assert await (await shared.looked_at()).visitors() == (1, BY_PIPE)
    assert engine.commands == []


@pytest.mark.parametrize("name", ["p_visitors_summary", "site_currency", "copy_visits"])
async def test_a_project_that_says_something_else_is_answered_as_it_says(
    site: Site, project: Project, name: str
) -> None:
    changed = project.pipes[name]
    nodes = tuple(dataclasses.replace(node, sql=node.sql + " -- ours") for node in changed.nodes)
    pipes = {**project.pipes, name: dataclasses.replace(changed, nodes=nodes)}
    engine: Any = site.engine
    fork = await Deployed.open(Project(project.datasources, pipes), engine, database="ready")

    assert await (await site.other(deployed=fork).looked_at()).visitors() == (1, BY_PIPE)


async def test_names_that_a_project_uses_itself_stay_its_own(site: Site, project: Project) -> None:
    own = dataclasses.replace(project.datasources["engagements"], name=TABLE)
    engine: Any = site.engine
    with_own = Project({**project.datasources, TABLE: own}, project.pipes)
    deployed = await Deployed.open(with_own, engine, database="ready_of_their_own")
    await site.append(deployed, TABLE, [{**site.about, "ts": MORNING, "event_id": "e", "visitor_id": "v"}])
    again = await Deployed.open(with_own, engine, database="ready_of_their_own")

    assert await site.other(deployed=again).rows() == 1


async def test_a_project_without_our_twins_is_served_as_ever(engine: ChdbEngine, database: str, append: Append) -> None:
    listening: Any = Listening(engine)
    foreign = await Deployed.open(load(FOREIGN), listening, database=database)
    listening.commands.clear()
    await append(foreign, "analytics_events", HITS)
    answers = [await foreign.query("kpis", {}, output=Format.NDJSON) for _ in range(2)]
    await foreign.make_ready()

    assert answers[0] == answers[1] != b""
    assert listening.commands == []


async def test_what_is_asked_otherwise_goes_to_the_pipe(site: Site) -> None:
    await site.looked_at()
    by = [(pipe, values, (await site.answer(pipe, **values))[1]) for pipe, values in TO_THE_PIPE]

    assert [question for question in by if question[2] != BY_PIPE] == []
    assert await site.visitors() == (1, READY)


async def test_in_any_format_the_same_is_told(site: Site) -> None:
    """Files of rows are compared in bytes: a summary's are written by the pipe, for only the engine can."""
    asked = [
        (pipe, {**site.about, **RANGE}, output)
        for pipe in (SUMMARY, REVENUE, CHANNELS)
        for output in (Format.CSV_WITH_NAMES, Format.NDJSON, Format.PARQUET)
    ]
    before = [await site.deployed.query(pipe, values, output=output) for pipe, values, output in asked]
    await site.looked_at()
    site.engine.asked.clear()

    assert [await site.deployed.query(pipe, values, output=output) for pipe, values, output in asked] == before
    assert [TABLE in sql for sql in site.engine.asked] == [pipe != SUMMARY for pipe, _, _ in asked]


async def test_what_is_wrong_is_refused_by_the_pipe(site: Site) -> None:
    await site.looked_at()
    for pipe, values in REFUSED:
        with pytest.raises((EngineError, TemplateError, TemplateRefusal)):
            pytest.fail(f"{values}: {await site.answer(pipe, **values)}")


async def test_copies_change_no_answer(site: Site) -> None:
    async def copied() -> None:
        for copy in ("copy_visits", "copy_sessions"):
            await site.deployed.copy(copy)

    await site.looked_at()
    for visitors, moment in enumerate((NIGHT, "2026-03-01 07:00:00.000"), start=1):
        await copied()
        assert await site.visitors() == (visitors, READY)
        await site.views(moment)
        site.engine.once(Step.MAKING, copied)
        await site.deployed.make_ready()

    assert await site.visitors() == (3, READY)
