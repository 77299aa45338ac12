"""Operations in a sliding day: what counts, what does not, and when there is room again."""

import pytest
from starlette.testclient import TestClient

from server.sandbox.app import create_app
from server.sandbox.google.errors import Failure
from server.sandbox.google.quota import Quota, operations_per_day
from tests.server.sandbox.ads_client import MANAGER, US, AdsClient, codes, new_budget
from tests.server.sandbox.conftest import Clock
from tests.server.sandbox.google.judge import Judged

QUERY = {"query": "SELECT customer.id FROM customer"}
SEARCH = f"customers/{US}/googleAds:search"


def tight(clock: Clock, operations: int) -> AdsClient:
    return AdsClient(TestClient(Judged(create_app(now=clock, google_operations_per_day=operations))))


def test_a_search_counts_once_and_a_mutate_by_its_items(clock: Clock) -> None:
    ads = tight(clock, 5)
    for _ in range(2):
        ads.call(SEARCH, QUERY)
    ads.mutate(US, "campaignBudgets", {"create": new_budget()}, {"create": new_budget()})

    assert ads.send("customers:listAccessibleCustomers").status_code == 200
    assert ads.send(SEARCH, QUERY).status_code == 429


def test_over_the_quota_the_answer_says_when_to_come_back(clock: Clock) -> None:
    ads = tight(clock, 1)
    ads.call(SEARCH, QUERY)
    clock.pass_by(hours=1)
    ads.sign_in()

    refused = ads.send(SEARCH, QUERY)

    error = refused.json()["error"]
    assert (refused.status_code, error["status"]) == (429, "RESOURCE_EXHAUSTED")
    assert codes(refused) == ["quotaError.RESOURCE_EXHAUSTED"]
    details = error["details"][0]["errors"][0]["details"]["quotaErrorDetails"]
    assert details["retryDelay"] == f"{23 * 3600}s"
    clock.pass_by(hours=23)
    ads.sign_in()
    assert ads.send(SEARCH, QUERY).status_code == 200


def test_a_refused_request_and_a_stranger_cost_nothing(clock: Clock) -> None:
    ads = tight(clock, 2)
    ads.mutate_refused(US, "campaignBudgets", *[{"create": new_budget()}] * 3)
    ads.send(SEARCH, QUERY, login=None)
    ads.http.post(f"/google/v26/{SEARCH}", json=QUERY)

    assert [ads.send(SEARCH, QUERY, login=MANAGER).status_code for _ in range(3)] == [200, 200, 429]


def test_the_quota_slides() -> None:
    now = 0.0
    quota = Quota(2, lambda: now)
    quota.charge(1)
    now = 80_000.0
    quota.charge(1)
    now = 86_400.0

    quota.charge(1)
    with pytest.raises(Failure):
        quota.charge(1)


def test_the_environment_sets_the_quota() -> None:
    assert operations_per_day({}) == 15_000
    assert operations_per_day({"SANDBOX_GOOGLE_OPERATIONS_PER_DAY": "20"}) == 20
    with pytest.raises(SystemExit, match="must be a positive integer"):
        operations_per_day({"SANDBOX_GOOGLE_OPERATIONS_PER_DAY": "none"})
