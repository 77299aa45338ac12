"""Reports as they are asked for and read."""

import datetime as dt
import json
from decimal import Decimal

import pytest
from starlette.responses import Response

from server.platforms.meta.adapter import MetaAdapter
from server.platforms.meta.insights import ATTRIBUTION, CONVERSIONS, is_large, parameters, report, tally
from server.sandbox.delivery import HISTORY_DAYS
from tests.server.platforms.meta.sandbox import Sandbox
from tests.server.platforms.meta.standin import NOW, Sleeps, Upstream, failing
from tools.errors import InvalidArguments, PlatformFailure
from tools.fields import Status
from tools.ports import Account, InsightsQuery

DAY = dt.date(2026, 11, 1)
ROW = {"date_start": "2026-11-01", "date_stop": "2026-11-01", "spend": "12.34", "impressions": "1000", "clicks": "20"}


def query(**more: object) -> InsightsQuery:
    return InsightsQuery(**({"since": DAY, "until": DAY} | more))  # type: ignore[arg-type]  # the cases below are typed


def test_attribution_is_always_stated() -> None:
    asked = parameters(query())
    assert json.loads(asked["action_attribution_windows"]) == ["7d_click", "1d_view"]
    assert asked["use_unified_attribution_setting"] == "true"
    assert report([], query(), NOW).attribution == ATTRIBUTION


def test_the_level_follows_the_question() -> None:
    assert parameters(query())["level"] == "account"
    assert parameters(query(by_campaign=True))["level"] == "campaign"
    assert parameters(query(campaign_id="7"))["level"] == "campaign"
    assert "time_increment" not in parameters(query(by_campaign=True))
    assert parameters(query(by_day=True))["time_increment"] == "1"


def test_campaigns_that_are_archived_or_deleted_by_now_are_asked_for_by_name() -> None:
    (clause,) = json.loads(parameters(query(by_campaign=True))["filtering"])
    assert clause["field"] == "campaign.effective_status"
    assert {"ARCHIVED", "DELETED"} < set(clause["value"])


@pytest.mark.parametrize(
    ("days", "by_day", "by_campaign", "large"),
    [(31, True, True, True), (30, True, True, False), (400, True, False, False), (400, False, True, False)],
)
def test_only_many_days_of_many_campaigns_are_large(days: int, by_day: bool, by_campaign: bool, large: bool) -> None:
    asked = query(until=DAY + dt.timedelta(days=days - 1), by_day=by_day, by_campaign=by_campaign)
    assert is_large(asked) is large


def test_money_is_read_exactly() -> None:
    assert tally(ROW | {"spend": "0.1"}).spend + tally(ROW | {"spend": "0.2"}).spend == Decimal("0.3")


@pytest.mark.parametrize("kind", CONVERSIONS)
def test_a_conversion_and_its_value_are_of_the_same_type(kind: str) -> None:
    row = ROW | {
        "actions": [{"action_type": kind, "value": "3", "7d_click": "2"}, {"action_type": f"x.{kind}", "value": "99"}],
        "action_values": [{"action_type": f"{kind}.x", "value": "99"}, {"action_type": kind, "value": "90.50"}],
    }
    made = report([tally(row)], query(), NOW)
    assert made.conversion_action == kind
    assert (made.rows[0].conversions, made.rows[0].conversion_value) == (Decimal(3), Decimal("90.50"))


def test_the_same_sale_counted_in_several_tiers_counts_once() -> None:
    everywhere = [{"action_type": kind, "value": "2"} for kind in reversed(CONVERSIONS)]
    made = report([tally(ROW | {"actions": everywhere})], query(), NOW)
    assert (made.conversion_action, made.rows[0].conversions) == ("omni_purchase", Decimal(2))
    assert made.rows[0].conversion_value == 0


def test_nothing_converted_is_said_and_not_invented() -> None:
    made = report([tally(ROW | {"actions": [{"action_type": "link_click", "value": "5"}]})], query(), NOW)
    assert made.conversion_action is None
    assert made.rows[0].conversions == 0


@pytest.mark.parametrize(
    "broken",
    [
        {"spend": "lots"},
        {"spend": "NaN"},
        {"impressions": "1.5"},
        {"spend": None},
        {"date_start": "yesterday"},
        {"actions": [{"value": "1"}]},
    ],
)
def test_a_row_that_cannot_be_read_is_a_clear_failure(broken: dict[str, object]) -> None:
    with pytest.raises(PlatformFailure, match="cannot be read"):
        tally(ROW | broken)


async def test_rows_by_campaign_and_day_add_up_to_the_account(
    meta: MetaAdapter, sandbox: Sandbox, accounts: dict[str, Account]
) -> None:
    since, until = dt.date(2026, 11, 1), dt.date(2026, 11, 21)
    for account in accounts.values():
        total, by_day, by_campaign, by_both = [
            await meta.insights(
                sandbox.credential, account, InsightsQuery(since=since, until=until, by_day=day, by_campaign=campaign)
            )
            for day, campaign in ((False, False), (True, False), (False, True), (True, True))
        ]
        (whole,) = total.rows
        assert whole.spend > 0 and whole.conversions > 0
        assert total.conversion_action == "omni_purchase"
        for parts in (by_day, by_campaign, by_both):
            assert sum(row.spend for row in parts.rows) == whole.spend
            assert sum(row.impressions for row in parts.rows) == whole.impressions
            assert sum(row.clicks for row in parts.rows) == whole.clicks
            assert sum(row.conversions for row in parts.rows) == whole.conversions
            assert parts.conversion_action == total.conversion_action
        assert {row.day for row in total.rows} == {None}
        assert {row.day for row in by_day.rows} == {since + dt.timedelta(days=n) for n in range(21)}
        assert all(row.campaign_id and row.campaign_name for row in by_both.rows)
        assert (total.attribution, total.as_of) == ("7-day click, 1-day view", NOW)


async def test_one_campaigns_report_is_its_part_of_the_accounts(
    meta: MetaAdapter, sandbox: Sandbox, accounts: dict[str, Account]
) -> None:
    since, until = dt.date(2026, 8, 1), dt.date(2026, 11, 21)
    account = accounts["USD"]
    everything = await meta.insights(
        sandbox.credential, account, InsightsQuery(since=since, until=until, by_campaign=True)
    )
    page = await meta.campaigns(sandbox.credential, account, status=Status.ARCHIVED, cursor=None, limit=50)
    archived = {each.campaign_id for each in page.campaigns}
    assert archived & {row.campaign_id for row in everything.rows}, "money spent by what is archived now is still spent"
    for row in everything.rows:
        query = InsightsQuery(since=since, until=until, campaign_id=row.campaign_id)
        (alone,) = (await meta.insights(sandbox.credential, account, query)).rows
        assert (alone.campaign_id, alone.spend, alone.impressions) == (row.campaign_id, row.spend, row.impressions)


async def test_a_large_report_is_asynchronous_and_says_the_same(
    meta: MetaAdapter, sandbox: Sandbox, accounts: dict[str, Account], sleeps: Sleeps
) -> None:
    until = NOW.date()
    long = InsightsQuery(since=until - dt.timedelta(days=HISTORY_DAYS), until=until, by_campaign=True, by_day=True)
    report = await meta.insights(sandbox.credential, accounts["USD"], long)
    assert sleeps[:2] == [0.5, 0.75], "it was polled with growing patience"
    account = await meta.insights(sandbox.credential, accounts["USD"], InsightsQuery(since=long.since, until=until))
    assert len(report.rows) > 500, "more than a page"
    assert sum(row.spend for row in report.rows) == account.rows[0].spend


@pytest.mark.parametrize(
    "refusal",
    [
        failing(1, status=500, more={"message": "Please reduce the amount of data you're asking for, then retry"}),
        failing(100, 2446289),
    ],
)
async def test_what_meta_finds_too_much_is_asked_for_asynchronously(
    upstream: Upstream, account: Account, refusal: Response
) -> None:
    row = {"spend": "1.10", "impressions": "3", "clicks": "1", "date_start": "2026-11-01", "date_stop": "2026-11-02"}
    upstream.graph.say(
        refusal,
        {"report_run_id": "777"},
        {"id": "777", "async_status": "Job Running", "async_percent_completion": 40},
        {"id": "777", "async_status": "Job Completed", "async_percent_completion": 100},
        {"data": [row]},
    )
    query = InsightsQuery(since=dt.date(2026, 11, 1), until=dt.date(2026, 11, 2), campaign_id="7")
    report = await upstream.adapter.insights(upstream.credential, account, query)
    assert report.rows[0].spend == Decimal("1.10")
    assert [(each.method, each.path) for each in upstream.graph.received] == [
        ("GET", "/v26.0/7/insights"),
        ("POST", "/v26.0/7/insights"),
        ("GET", "/v26.0/777"),
        ("GET", "/v26.0/777"),
        ("GET", "/v26.0/777/insights"),
    ]
    assert upstream.graph.received[1].form["time_range"] == upstream.graph.received[0].query["time_range"]


async def test_a_report_that_fails_says_why(upstream: Upstream, account: Account) -> None:
    failed = {"async_status": "Job Failed", "error_code": 2, "error_user_msg": "Too many rows for one report."}
    upstream.graph.say({"report_run_id": "777"}, failed)
    query = InsightsQuery(since=dt.date(2026, 1, 1), until=dt.date(2026, 11, 2), by_day=True, by_campaign=True)
    with pytest.raises(PlatformFailure, match="Too many rows") as told:
        await upstream.adapter.insights(upstream.credential, account, query)
    assert told.value.details["platformCode"] == 2


async def test_a_report_that_never_finishes_is_given_up(upstream: Upstream, account: Account, sleeps: Sleeps) -> None:
    upstream.graph.say({"report_run_id": "777"}, {"async_status": "Job Running"})
    query = InsightsQuery(since=dt.date(2026, 1, 1), until=dt.date(2026, 11, 2), by_day=True, by_campaign=True)
    with pytest.raises(PlatformFailure, match="had not finished"):
        await upstream.adapter.insights(upstream.credential, account, query)
    assert 120 <= sum(sleeps) < 126


async def test_exactly_one_conversion_type_is_asked_of_every_row(upstream: Upstream, account: Account) -> None:
    def row(day: int, **actions: str) -> dict[str, object]:
        counted = [{"action_type": kind.replace("__", "."), "value": value} for kind, value in actions.items()]
        return {"date_start": f"2026-11-0{day}", "spend": "1", "actions": counted, "action_values": counted}

    upstream.graph.say(
        {"data": [row(1, lead="4", onsite_web_purchase="9"), row(2, purchase="2", omni_purchase="3", lead="1"), row(3)]}
    )
    query = InsightsQuery(since=dt.date(2026, 11, 1), until=dt.date(2026, 11, 3), by_day=True)
    report = await upstream.adapter.insights(upstream.credential, account, query)
    assert report.conversion_action == CONVERSIONS[0] == "omni_purchase"
    assert [row.conversions for row in report.rows] == [0, 3, 0]
    assert [row.conversion_value for row in report.rows] == [0, 3, 0]


async def test_history_beyond_what_meta_keeps_names_the_field(upstream: Upstream, account: Account) -> None:
    upstream.graph.say({"data": []})
    edge = InsightsQuery(since=dt.date(2023, 10, 22), until=NOW.date())
    assert (await upstream.adapter.insights(upstream.credential, account, edge)).rows == ()
    for since, until in ((dt.date(2023, 10, 21), NOW.date()), (NOW.date(), dt.date(2026, 11, 1))):
        with pytest.raises(InvalidArguments) as refused:
            await upstream.adapter.insights(upstream.credential, account, InsightsQuery(since=since, until=until))
        assert refused.value.details["problems"][0]["field"] == "since"
    assert len(upstream.graph.received) == 1
