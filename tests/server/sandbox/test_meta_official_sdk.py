"""The platform's own SDK judges the stand-in: whatever it cannot use is not Graph."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx2
import pytest
from facebook_business.adobjects.adaccount import AdAccount
from facebook_business.adobjects.campaign import Campaign
from facebook_business.adobjects.user import User
from facebook_business.api import FacebookAdsApi
from facebook_business.exceptions import FacebookRequestError
from facebook_business.session import FacebookSession

from server.sandbox.meta import campaigns

SPRING = {
    "name": "Spring",
    "objective": "OUTCOME_SALES",
    "status": "PAUSED",
    "special_ad_categories": [],
    "daily_budget": 5000,
    "bid_strategy": "LOWEST_COST_WITHOUT_CAP",
}


@pytest.fixture
def sandbox(live_url: str) -> dict[str, Any]:
    meta: dict[str, Any] = httpx2.get(live_url).json()["meta"]
    return meta | {"control": live_url}


@pytest.fixture
def api(sandbox: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr(FacebookSession, "GRAPH", sandbox["url"])
    session = FacebookAdsApi.init(
        sandbox["app_id"], sandbox["app_secret"], sandbox["access_token"], api_version="v26.0"
    )
    yield session
    session._session.requests.close()


@pytest.fixture
def account(api: Any, sandbox: dict[str, Any]) -> Any:
    return AdAccount(sandbox["accounts"][0]["id"], api=api)


def test_accounts_are_listed(api: Any, sandbox: dict[str, Any]) -> None:
    listed = User("me", api=api).get_ad_accounts(fields=["name", "currency", "timezone_name"])

    assert [dict(each) for each in listed] == sandbox["accounts"]


def test_paging_finds_every_campaign_once(account: Any) -> None:
    cursor = account.get_campaigns(
        fields=["name", "daily_budget"], params={"limit": 2, "effective_status": ["ACTIVE", "PAUSED", "ARCHIVED"]}
    )
    found = [each["id"] for each in cursor]

    assert len(found) == len(set(found)) == 8
    assert cursor.total() == 8


def test_every_readable_field_of_the_sdk_is_known() -> None:
    written_only = {"adbatch", "budget_schedule_specs", "execution_options", "iterative_split_test_configs"}
    sdk = {value for name, value in vars(Campaign.Field).items() if not name.startswith("_")}

    assert sdk - written_only == campaigns.FIELDS


def test_a_campaign_lives_from_create_to_delete(account: Any, api: Any) -> None:
    campaign = Campaign(account.create_campaign(params=SPRING)["id"], api=api)

    campaign.api_update(params={"status": "ACTIVE", "daily_budget": 6000})
    updated = dict(campaign.api_get(fields=["name", "status", "daily_budget"]))
    campaign.api_delete()

    assert updated == {"id": campaign["id"], "name": "Spring", "status": "ACTIVE", "daily_budget": "6000"}
    assert campaign.api_get(fields=["status"])["status"] == "DELETED"


def test_synchronous_and_asynchronous_insights_agree(account: Any) -> None:
    fields = ["campaign_id", "spend", "actions", "purchase_roas"]
    asked = {
        "level": "campaign",
        "time_increment": 1,
        "date_preset": "last_7d",
        "action_attribution_windows": ["7d_click", "1d_view"],
        "use_unified_attribution_setting": True,
    }
    direct = [dict(row) for row in account.get_insights(fields=fields, params=dict(asked))]

    report = account.get_insights(fields=fields, params=dict(asked), is_async=True)
    for _ in range(5):
        if report.api_get()["async_status"] == "Job Completed":
            break

    assert [dict(row) for row in report.get_insights()] == direct
    assert len(direct) == 6 * 7
    assert all(Decimal(row["spend"]) > 0 for row in direct)


def test_a_batch_reports_success_and_failure_separately(api: Any, account: Any) -> None:
    campaign = account.create_campaign(params=SPRING)["id"]
    batch, outcomes = api.new_batch(), []
    for each in (campaign, "9999"):
        Campaign(each, api=api).api_update(
            params={"status": "PAUSED"},
            batch=batch,
            success=lambda answer: outcomes.append(answer.json()),
            failure=lambda answer: outcomes.append(
                (answer.error().api_error_code(), answer.error().api_error_subcode())
            ),
        )

    assert batch.execute() is None
    assert outcomes == [{"success": True}, (100, 33)]


def test_an_error_carries_code_subcode_and_field(account: Any) -> None:
    with pytest.raises(FacebookRequestError) as caught:
        account.create_campaign(params={"name": "x", "objective": "OUTCOME_SALES", "status": "PAUSED"})

    error = caught.value
    assert (error.http_status(), error.api_error_code(), error.api_error_subcode()) == (400, 100, 4834003)
    assert error.api_error_type() == "OAuthException"
    assert error.api_blame_field_specs() == [["special_ad_categories"]]
    assert "x-business-use-case-usage" in error.http_headers()


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("expired_token", (400, 190, 463, False)),
        ("throttled", (400, 17, 2446079, False)),
        ("server_error", (500, 2, None, True)),
    ],
)
def test_faults_reach_the_sdk_as_its_errors(
    api: Any, sandbox: dict[str, Any], kind: str, expected: tuple[int, int, int | None, bool]
) -> None:
    httpx2.post(f"{sandbox['control']}/faults", json={"target": "meta", "kind": kind}).raise_for_status()

    with pytest.raises(FacebookRequestError) as caught:
        list(User("me", api=api).get_ad_accounts())

    error = caught.value
    found = (error.http_status(), error.api_error_code(), error.api_error_subcode(), error.api_transient_error())
    assert found == expected


@pytest.mark.usefixtures("api")
def test_a_wrong_token_is_code_190(sandbox: dict[str, Any]) -> None:
    stranger = FacebookAdsApi.init(sandbox["app_id"], sandbox["app_secret"], "OLD", api_version="v26.0")
    with pytest.raises(FacebookRequestError) as caught:
        list(User("me", api=stranger).get_ad_accounts())
    stranger._session.requests.close()

    assert caught.value.api_error_code() == 190
