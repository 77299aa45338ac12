"""A judge that accepts everything proves nothing."""

from typing import Any

import pytest

from tests.server.sandbox.ads_client import US, AdsClient
from tests.server.sandbox.google.judge import Objection, judge, judge_request

FAILURE = "type.googleapis.com/google.ads.googleads.v26.errors.GoogleAdsFailure"


def failure(**error: Any) -> dict[str, Any]:
    details = [{"@type": FAILURE, "errors": [error], "requestId": "a"}]
    return {"error": {"code": 400, "message": "No.", "status": "INVALID_ARGUMENT", "details": details}}


def test_the_platforms_own_answers_pass() -> None:
    judge(
        "googleAds:search", 200, {"results": [{"metrics": {"costMicros": "12", "ctr": 1}}], "fieldMask": "metrics.ctr"}
    )
    judge("googleAds:search", 400, failure(errorCode={"queryError": "BAD_VALUE"}, message="No."))


@pytest.mark.parametrize(
    "body",
    [
        {"results": [{"metrics": {"costMicros": 12}}]},
        {"results": [{"metrics": {"costMicros": 1.5}}]},
        {"results": [{"metrics": {"cost_micros": "12"}}]},
        {"results": [{"metrics": {"clicks": "0"}}]},
        {"results": [{"campaignBudget": {"explicitlyShared": False}}]},
        {"results": [{"campaign": {"status": "ARCHIVED"}}]},
        {"results": [{"campaign": {"status": "UNKNOWN"}}]},
        {"results": [{"campaign": {"startDate": "2026-11-22"}}]},
        {"results": [{"campaign": {"id": 1}}]},
        {"results": [], "requestId": "a"},
        {"results": [{"metrics": {}}], "fieldMask": "metrics.cost_micros"},
    ],
)
def test_an_answer_that_the_platform_could_not_give_is_objected_to(body: dict[str, Any]) -> None:
    with pytest.raises(Objection):
        judge("googleAds:search", 200, body)


@pytest.mark.parametrize(
    "body",
    [
        failure(errorCode={"quotaError": "NOPE"}, message="No."),
        failure(errorCode={"noError": "BAD_VALUE"}, message="No."),
        failure(errorCode={"queryError": "BAD_VALUE"}, message="No.", details={"retryDelay": "3s"}),
        failure(errorCode={"queryError": "BAD_VALUE"}, message="No.", field="query"),
        {"error": {"code": 400, "message": "No.", "status": "INVALID_ARGUMENT", "details": []}},
        {"error": {"code": 403, "message": "No.", "status": "PERMISSION_DENIED", "details": [{"@type": FAILURE}]}},
        {"error": {"code": 400, "message": "No.", "status": "INVALID_ARGUMENT", "details": [{"@type": "no/type"}]}},
        {"error": "invalid_grant"} | {"error_description": "No."},
    ],
)
def test_an_error_that_the_platform_does_not_know_is_objected_to(body: dict[str, Any]) -> None:
    with pytest.raises((Objection, AttributeError)):
        judge("googleAds:search", 400, body)


def test_a_request_that_the_platform_would_not_take_is_objected_to() -> None:
    with pytest.raises(Objection):
        judge_request("campaigns:mutate", {"operations": [{"create": {"startDate": "2026-11-22"}}]})


def test_the_judge_sees_every_answer(ads: AdsClient) -> None:
    ads.rows(US, "SELECT campaign.id FROM campaign")
    ads.query_refused("SELECT campaign.nothing FROM campaign")

    judged = ads.http._transport.app  # type: ignore[attr-defined]  # the test client's own
    assert judged.seen == {"googleAds:search 200": 1, "googleAds:search 400": 1}
