"""Rows tell one story, however they are cut."""

import pytest

from tests.server.sandbox.ads_client import EU, JP, MANAGER, OUTLET, US, AdsClient, Json
from tests.server.sandbox.conftest import Clock

LAST_30 = "segments.date DURING LAST_30_DAYS"


def clicks(rows: list[Json]) -> int:
    return sum(int(row["metrics"]["clicks"]) for row in rows)


def roas(rows: list[Json]) -> float:
    spent = sum(int(row["metrics"]["costMicros"]) for row in rows) / 1e6
    return float(sum(row["metrics"].get("conversionsValue", 0) for row in rows)) / spent


@pytest.mark.parametrize(
    "segment",
    ["segments.date", "segments.week", "segments.month", "segments.device", "segments.day_of_week",
     "segments.ad_network_type", "segments.device, segments.date"],
)  # fmt: skip
def test_segments_add_up_to_the_whole(ads: AdsClient, segment: str) -> None:
    whole = ads.select(US, "metrics.clicks", "campaign", f"{LAST_30} AND metrics.clicks > 0")
    parts = ads.select(US, f"{segment}, metrics.clicks", "campaign", f"{LAST_30} AND metrics.clicks > 0")

    assert clicks(parts) == clicks(whole) > 10_000
    assert len(parts) > 1


def test_levels_add_up(ads: AdsClient) -> None:
    levels = {
        resource: ads.select(EU, "metrics.clicks", f"{resource}", f"{LAST_30} AND metrics.clicks > 0")
        for resource in ("customer", "campaign", "campaign_budget")
    }

    assert len(levels["customer"]) == 1
    assert len({clicks(rows) for rows in levels.values()}) == 1


def test_segments_leave_out_what_was_not_delivered_and_the_whole_does_not(ads: AdsClient) -> None:
    paused = "campaign.name = 'Display | Remarketing'"
    whole = ads.select(US, "campaign.id, metrics.clicks", "campaign", f"{LAST_30} AND {paused}")
    by_day = ads.select(US, "segments.date, metrics.clicks", "campaign", f"{LAST_30} AND {paused}")

    assert [row["metrics"] for row in whole] == [{}]
    assert by_day == []


def test_without_dates_metrics_are_of_all_time(ads: AdsClient) -> None:
    everything = ads.rows(US, "SELECT metrics.clicks FROM customer")
    recent = ads.select(US, "metrics.clicks", "customer", f"{LAST_30}")

    assert clicks(everything) > 3 * clicks(recent)


def test_ratios_are_those_of_the_sums(ads: AdsClient) -> None:
    wanted = ("clicks", "impressions", "cost_micros", "ctr", "average_cpc", "average_cpm")
    (row,) = ads.select(US, ", ".join(f"metrics.{name}" for name in wanted), "customer", LAST_30)
    metrics = row["metrics"]
    cost, shown, clicked = (int(metrics[name]) for name in ("costMicros", "impressions", "clicks"))

    assert metrics["ctr"] == pytest.approx(clicked / shown)
    assert metrics["averageCpc"] == pytest.approx(cost / clicked)
    assert metrics["averageCpm"] == pytest.approx(1000 * cost / shown)


def test_money_is_billable_and_conversions_have_fractions(ads: AdsClient) -> None:
    wanted = "segments.date, metrics.cost_micros, metrics.conversions"
    japan, america = (ads.select(customer, wanted, "campaign", LAST_30) for customer in (JP, US))

    assert all(int(row["metrics"]["costMicros"]) % 1_000_000 == 0 for row in japan)
    assert all(int(row["metrics"]["costMicros"]) % 10_000 == 0 for row in america)
    assert any(row["metrics"]["conversions"] % 1 for row in america)


@pytest.mark.parametrize(
    ("customer", "name"), [(US, "Rain jackets"), (EU, "Regenjacken"), (JP, "レインウェア"), (OUTLET, "Competitors")]
)
def test_each_account_has_a_campaign_that_wastes_money(ads: AdsClient, customer: str, name: str) -> None:
    wanted = "metrics.cost_micros, metrics.conversions_value"
    wasteful = ads.select(customer, wanted, "campaign", f"{LAST_30} AND campaign.name LIKE '%{name}%'")
    by_hand = "campaign.bidding_strategy_type = MANUAL_CPC AND metrics.clicks > 0"
    others = ads.select(customer, wanted, "campaign", f"{LAST_30} AND {by_hand}")

    assert roas(wasteful) < 1 < roas(others)


def test_an_anomaly_stands_out(ads: AdsClient) -> None:
    boots = "campaign.name = 'Generic | Hiking boots' AND segments.date BETWEEN"
    (spike,) = ads.select(US, "metrics.cost_micros", "campaign", f"{boots} '2026-11-18' AND '2026-11-20'")
    (before,) = ads.select(US, "metrics.cost_micros", "campaign", f"{boots} '2026-11-11' AND '2026-11-13'")

    assert int(spike["metrics"]["costMicros"]) > 1.4 * int(before["metrics"]["costMicros"])


def test_figures_stay_what_they_were_as_time_goes_by(ads: AdsClient, clock: Clock) -> None:
    query = (
        "SELECT campaign.id, segments.date, metrics.cost_micros FROM campaign "
        "WHERE segments.date = '2026-11-10' AND campaign.name LIKE 'Brand%'"
    )
    before = ads.rows(US, query)
    clock.pass_by(minutes=40)

    assert ads.rows(US, query) == before != []


def test_clients_of_a_manager_are_a_tree(ads: AdsClient) -> None:
    rows = ads.rows(
        MANAGER,
        "SELECT customer_client.id, customer_client.level, customer_client.manager FROM customer_client",
    )
    clients = {row["customerClient"]["id"]: row["customerClient"] for row in rows}

    assert {each["id"] for each in clients.values() if not each.get("manager")} == {US, EU, JP}
    assert [clients[each].get("level", "0") for each in (MANAGER, US, JP)] == ["0", "1", "2"]
    assert clients[JP]["resourceName"] == f"customers/{MANAGER}/customerClients/{JP}"


def test_a_leaf_is_its_only_client(ads: AdsClient) -> None:
    (row,) = ads.rows(US, "SELECT customer_client.client_customer FROM customer_client")

    assert row["customerClient"]["clientCustomer"] == f"customers/{US}"


def test_order_limit_and_names_are_as_asked(ads: AdsClient) -> None:
    tail = "ORDER BY metrics.clicks DESC, campaign.id ASC LIMIT 3 PARAMETERS omit_unselected_resource_names=true"
    rows = ads.select(US, "campaign.name, metrics.clicks", "campaign", f"{LAST_30} {tail}")
    found = [int(row["metrics"]["clicks"]) for row in rows]

    assert len(found) == 3
    assert found == sorted(found, reverse=True)
    assert all(row["campaign"].keys() == {"name"} for row in rows)


def test_resource_names_come_unasked(ads: AdsClient) -> None:
    row = ads.rows(US, "SELECT campaign.name, campaign_budget.amount_micros FROM campaign LIMIT 1")[0]

    assert row["campaign"]["resourceName"].startswith(f"customers/{US}/campaigns/")
    assert row["campaignBudget"]["resourceName"].startswith(f"customers/{US}/campaignBudgets/")
    assert "customer" not in row


def test_a_name_full_of_instructions_and_markup_comes_as_it_is(ads: AdsClient) -> None:
    (row,) = ads.rows(OUTLET, "SELECT campaign.name FROM campaign WHERE campaign.name LIKE 'SYSTEM:%'")

    assert row["campaign"]["name"].endswith("<script>alert('ads')</script> '; --")
