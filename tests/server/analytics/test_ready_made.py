"""How the sums are made that answers come from: soon, again after a failure, and no more than are asked for."""

import asyncio

import pytest

from server.analytics.chdb.engine import ChdbEngine
from server.analytics.datafiles.model import Project
from server.analytics.ready.keeping import LAG_SECONDS, LOOKED_AT_SECONDS
from server.analytics.template.errors import TemplateError
from tests.server.analytics.conftest import Append
from tests.server.analytics.looked_at import (
    BY_PIPE,
    MORNING,
    NIGHT,
    READY,
    REVENUE,
    Site,
    Step,
    fail,
    opened,
)


@pytest.fixture
async def site(
    project: Project, engine: ChdbEngine, database: str, append: Append, monkeypatch: pytest.MonkeyPatch
) -> Site:
    return await opened(project, engine, append, database, monkeypatch)


async def test_what_takes_long_to_be_made_is_not_waited_for(site: Site) -> None:
    await site.looked_at()
    await site.views(NIGHT)
    answers = []

    async def meanwhile() -> None:
        answers.append(await site.visitors())
        site.clock.now += LAG_SECONDS + 0.1
        answers.append(await site.visitors())

    site.engine.once(Step.MAKING, meanwhile)
    await site.deployed.make_ready()

    assert answers == [(1, READY), (2, BY_PIPE)]


async def test_what_is_written_while_it_is_made_is_not_lost(site: Site) -> None:
    async def meanwhile() -> None:
        await site.views(NIGHT)

    for visitors, command in ((2, Step.MAKING), (3, Step.REPLACING)):  # all days at first, then those that changed
        site.engine.once(command, meanwhile, after=True)
        await site.looked_at()
        assert await site.visitors() == (visitors - 1, READY)
        await site.deployed.make_ready()
        assert await site.visitors() == (visitors, READY)
        await site.views(MORNING, visitor_id="e1")


async def test_new_sums_are_not_told_in_the_currency_of_before(site: Site) -> None:
    await site.paid(MORNING, "USD")
    await site.looked_at()
    await site.paid(NIGHT, "EUR", times=2)
    told = []

    async def meanwhile() -> None:
        answer, _ = await site.answer(REVENUE, to="2026-03-01")
        told.append((answer["data"][0]["currency"], answer["data"][0]["revenue"]))

    for command in (Step.MAKING, Step.REPLACING):
        site.engine.once(command, meanwhile, after=True)
    await site.deployed.make_ready()
    await meanwhile()

    assert told == [("USD", 5), ("EUR", 10), ("EUR", 10)]


async def test_what_nobody_asks_about_any_more_goes(site: Site) -> None:
    await site.looked_at()
    site.clock.now += LOOKED_AT_SECONDS
    await site.deployed.make_ready()
    assert await site.rows() > 0
    site.clock.now += 0.1
    await site.deployed.make_ready()

    assert await site.rows() == 0
    assert await site.visitors() == (1, BY_PIPE)


async def test_what_was_asked_about_longest_ago_makes_room(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it goes while the rows of another are going."""
    monkeypatch.setattr("server.analytics.ready.keeping._MOST", 2)
    second, third = site.other(website="second"), site.other(website="third")
    for each in (site, second):
        await each.views(MORNING)
        await each.looked_at()
    await site.visitors()
    await third.visitors()
    assert [await second.visitors(), await third.visitors()] == [(1, BY_PIPE), (0, BY_PIPE)]

    await site.looked_at()
    await second.looked_at()
    await third.visitors()

    async def meanwhile() -> None:
        await site.other(website="fourth").visitors()

    site.engine.once(Step.GOING, meanwhile)
    for _ in range(2):
        await site.deployed.make_ready()
    assert await site.rows() == 0


async def test_what_makes_room_while_others_are_made_leaves_nothing(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.analytics.ready.keeping._MOST", 2)
    second = site.other(website="second")
    await second.views(MORNING)
    for each in (site, second) * 2:
        await each.visitors()

    async def meanwhile() -> None:
        for website in ("third", "fourth"):
            await site.other(website=website).visitors()

    site.engine.once(Step.MAKING, meanwhile)
    for _ in range(2):
        await site.deployed.make_ready()
    assert await site.rows() == 0


async def test_what_is_looked_at_again_before_it_went_stays(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.analytics.ready.keeping._MOST", 2)
    second, third, fourth = (site.other(website=name) for name in ("second", "third", "fourth"))
    await site.looked_at()
    for each in (second, second, site):
        await each.visitors()

    async def meanwhile() -> None:
        for each in (third, fourth, site, site):
            await each.visitors()

    site.engine.once(Step.MAKING, meanwhile)
    for _ in range(2):
        await site.deployed.make_ready()

    assert await site.visitors() == (1, READY)


async def test_what_never_was_made_needs_no_clearing(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.analytics.ready.keeping._MOST", 1)
    for number in range(3):
        await site.other(website=str(number)).visitors()
    await site.deployed.make_ready()

    assert site.engine.commands == []


async def test_an_error_is_logged_and_what_failed_is_made_when_it_is_asked_about_again(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    await site.looked_at()
    for visitors, command in enumerate((Step.MAKING, Step.REPLACING), start=2):
        await site.views(NIGHT)
        site.engine.once(command, fail)
        await site.deployed.make_ready()
        tried = len(site.engine.commands)
        await site.deployed.make_ready()

        assert caplog.messages.pop() == "the ready sums of 'shop' failed: no"
        assert len(site.engine.commands) == tried
        assert await site.visitors() == (visitors, BY_PIPE)
        await site.deployed.make_ready()
        assert await site.visitors() == (visitors, READY)


async def test_what_nobody_foresaw_is_logged_and_leaves_the_others_be(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    async def surprise() -> None:
        raise ZeroDivisionError("a surprise")

    second = site.other(website="second")
    await second.views(MORNING, NIGHT)
    for each in (site, second) * 2:
        await each.visitors()
    site.engine.once(Step.MAKING, surprise)
    await site.deployed.make_ready()

    assert [await site.visitors(), await second.visitors()] == [(1, BY_PIPE), (2, READY)]
    assert [record.exc_info is not None for record in caplog.records] == [True]


async def test_rows_that_could_not_go_go_the_next_time(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    await site.looked_at()
    site.clock.now += LOOKED_AT_SECONDS + 0.1
    site.engine.once(Step.GOING, fail)
    await site.deployed.make_ready()
    assert caplog.messages == ["ready sums that nobody looks at stay: no"]
    assert await site.rows() > 0

    await site.deployed.make_ready()
    assert await site.rows() == 0


async def test_one_that_can_never_be_made_leaves_the_others_be(site: Site) -> None:
    for _ in range(2):
        with pytest.raises(TemplateError):
            await site.other(website="\ud800").visitors()
    await site.looked_at()

    assert await site.visitors() == (1, READY)


@pytest.mark.parametrize(("command", "after"), [(Step.MAKING, False), (Step.REPLACING, True)])
async def test_nothing_is_answered_from_what_was_cut_off(site: Site, command: Step, after: bool) -> None:
    await site.looked_at()
    keeping = asyncio.create_task(site.deployed.keep_ready())

    async def cut_off() -> None:
        keeping.cancel()
        await asyncio.Event().wait()

    site.engine.once(command, cut_off, after=after)
    await site.views(NIGHT)
    await asyncio.wait([keeping], timeout=10)

    assert keeping.cancelled()
    assert await site.visitors() == (2, BY_PIPE)
    await site.deployed.make_ready()
    assert await site.visitors() == (2, READY)


async def test_what_was_written_is_made_by_itself_with_a_rest_after_each_round(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    rests, resting, goes_on = list[float](), asyncio.Event(), asyncio.Event()

    async def rest(seconds: float) -> None:
        rests.append(seconds)
        resting.set()
        await goes_on.wait()
        goes_on.clear()

    async def takes_long() -> None:
        site.clock.now += 1

    async def until_it_rests() -> tuple[int, str]:
        await asyncio.wait_for(resting.wait(), 10)
        resting.clear()
        return await site.visitors()

    monkeypatch.setattr("server.analytics.ready.keeping.asyncio.sleep", rest)
    keeping = asyncio.create_task(site.deployed.keep_ready())
    site.engine.once(Step.MAKING, takes_long)
    for _ in range(2):
        await site.visitors()
    assert await until_it_rests() == (1, READY)
    await site.views(NIGHT)
    goes_on.set()
    assert await until_it_rests() == (2, READY)
    keeping.cancel()

    assert rests == [3, 0]


async def test_two_that_make_at_once_do_not_disturb_each_other(site: Site) -> None:
    second = site.other(website="second")
    await second.views(MORNING, NIGHT)
    for each in (site, second) * 2:
        await each.visitors()
    await asyncio.gather(site.deployed.make_ready(), site.deployed.make_ready())

    assert [await site.visitors(), await second.visitors()] == [(1, READY), (2, READY)]
    assert sum(Step.MAKING in sql for sql in site.engine.commands) == 2
