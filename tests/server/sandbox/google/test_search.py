"""Pages of a fixed size, whose tokens fit one query only, and the same rows as a stream."""

import pytest
from starlette.testclient import TestClient

from server.sandbox.app import create_app
from server.sandbox.google import search, seed
from tests.server.sandbox.ads_client import US, AdsClient, Json
from tests.server.sandbox.conftest import Clock
from tests.server.sandbox.google.judge import Judged

CROWDED = "4300000001"
EVERYTHING = (
    "SELECT campaign.id, segments.date, segments.device FROM campaign "
    "WHERE segments.date BETWEEN '2026-07-01' AND '2026-11-22' PARAMETERS omit_unselected_resource_names=true"
)
ROWS = 28 * 121 * 3
"""Campaigns, days and devices: more than a page holds."""


@pytest.fixture(scope="module")
def crowded() -> AdsClient:
    return AdsClient(TestClient(Judged(create_app(now=Clock(), google_seeds=seed.crowd(accounts=2, campaigns=28)))))


@pytest.fixture(scope="module")
def first(crowded: AdsClient) -> Json:
    return crowded.page(CROWDED, EVERYTHING)


def test_pages_lead_through_all_rows_once(crowded: AdsClient, first: Json) -> None:
    second = crowded.page(CROWDED, EVERYTHING, pageToken=first["nextPageToken"])

    rows = [*first["results"], *second["results"]]
    seen = {(row["campaign"]["id"], row["segments"]["date"], row["segments"]["device"]) for row in rows}
    assert len(first["results"]) == search.PAGE
    assert len(seen) == len(rows) == ROWS
    assert "nextPageToken" not in second


def test_a_stream_gives_the_same_in_chunks(crowded: AdsClient, first: Json) -> None:
    chunks = crowded.call(f"customers/{CROWDED}/googleAds:searchStream", {"query": EVERYTHING})

    assert [len(chunk["results"]) for chunk in chunks] == [search.PAGE, ROWS - search.PAGE]
    assert all(chunk["requestId"] and chunk["fieldMask"] for chunk in chunks)
    assert chunks[0]["results"] == first["results"]


def test_a_page_token_is_good_for_its_query_only(crowded: AdsClient, first: Json) -> None:
    paths = [f"customers/{customer}/googleAds:search" for customer in (CROWDED, "4300000002")]
    other = {"query": "SELECT campaign.id FROM campaign", "pageToken": first["nextPageToken"]}
    same = {"query": EVERYTHING, "pageToken": first["nextPageToken"]}

    refused = ["requestError.INVALID_PAGE_TOKEN"]
    assert crowded.refused(paths[0], other) == refused
    assert crowded.refused(paths[1], same) == refused
    for token in ("?", "é", "YWJj"):
        assert crowded.refused(paths[0], {"query": EVERYTHING, "pageToken": token}) == refused


def test_pages_show_the_world_as_it_was_at_the_first(crowded: AdsClient) -> None:
    live = f"{EVERYTHING.partition(' PARAMETERS')[0]} AND campaign.status = ENABLED"
    first = crowded.page(CROWDED, live)
    campaign = first["results"][0]["campaign"]["resourceName"]
    crowded.mutate(
        CROWDED, "campaigns", {"updateMask": "status", "update": {"resourceName": campaign, "status": "PAUSED"}}
    )

    second = crowded.page(CROWDED, live, pageToken=first["nextPageToken"])

    assert len(second["results"]) == ROWS - search.PAGE


def test_a_page_token_does_not_last_for_ever(first: Json) -> None:
    ads = AdsClient(TestClient(create_app(now=Clock(), google_seeds=seed.crowd(accounts=1, campaigns=1))))
    token = {"query": EVERYTHING, "pageToken": first["nextPageToken"]}

    assert ads.refused(f"customers/{CROWDED}/googleAds:search", token) == ["requestError.EXPIRED_PAGE_TOKEN"]


def test_further_pages_are_part_of_the_first_ones_operation() -> None:
    app = create_app(now=Clock(), google_operations_per_day=1, google_seeds=seed.crowd(accounts=1, campaigns=28))
    ads = AdsClient(TestClient(app))
    token = ads.page(CROWDED, EVERYTHING)["nextPageToken"]

    assert ads.page(CROWDED, EVERYTHING, pageToken=token)["results"]
    assert ads.refused(f"customers/{CROWDED}/googleAds:search", {"query": EVERYTHING}) == [
        "quotaError.RESOURCE_EXHAUSTED"
    ]


def test_the_page_size_is_not_the_callers(ads: AdsClient) -> None:
    body = {"query": "SELECT campaign.id FROM campaign", "pageSize": 50}

    assert ads.refused(f"customers/{US}/googleAds:search", body) == ["requestError.PAGE_SIZE_NOT_SUPPORTED"]


def test_no_rows_is_an_answer_without_results(ads: AdsClient) -> None:
    query = "SELECT campaign.id FROM campaign WHERE campaign.id = 1"

    page = ads.page(US, query)
    (chunk,) = ads.call(f"customers/{US}/googleAds:searchStream", {"query": query})

    assert page.keys() == {"fieldMask", "queryResourceConsumption"}
    assert chunk.keys() == {"fieldMask", "requestId", "queryResourceConsumption"}
    assert page["fieldMask"] == "campaign.id"


def test_a_search_can_be_validated_or_counted_only(ads: AdsClient) -> None:
    query = "SELECT campaign.id, campaign_budget.amount_micros FROM campaign"

    assert ads.page(US, query, validateOnly=True) == {}
    counted = ads.page(US, query, searchSettings={"omitResults": True, "returnTotalResultsCount": True})
    assert counted["totalResultsCount"] == "9"
    assert "results" not in counted
    assert counted["fieldMask"] == "campaign.id,campaignBudget.amountMicros"


@pytest.mark.parametrize(
    ("action", "body", "code"),
    [
        ("search", {}, "fieldError.REQUIRED"),
        ("search", {"query": " "}, "fieldError.REQUIRED"),
        ("searchStream", {}, "fieldError.REQUIRED"),
        ("search", {"query": "SELECT customer.id FROM customer", "searchSettings": {"returnSummaryRow": True}},
         "queryError.QUERY_ERROR"),
        ("searchStream", {"query": "SELECT customer.id FROM customer", "summaryRowSetting": "SUMMARY_ROW_ONLY"},
         "queryError.QUERY_ERROR"),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_is_refused(ads: AdsClient, action: str, body: dict[str, object], code: str) -> None:
    assert ads.refused(f"customers/{US}/googleAds:{action}", body) == [code]
