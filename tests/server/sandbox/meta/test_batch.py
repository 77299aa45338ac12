"""A batch is many calls in one: each fails or succeeds by itself, and is counted by itself."""

import json
from typing import Any

import pytest

from tests.server.sandbox.graph_client import GraphClient


def test_each_call_of_a_batch_fails_or_succeeds_on_its_own(graph: GraphClient) -> None:
    campaign = graph.campaign_named(graph.us, "Retargeting")
    answers = graph.post(
        "",
        batch=[
            {"method": "POST", "relative_url": f"{campaign}/", "body": "status=PAUSED"},
            {"method": "POST", "relative_url": "9999", "body": "status=PAUSED"},
            {"method": "GET", "relative_url": f"v26.0/{campaign}?fields=status"},
        ],
        include_headers="false",
    )

    assert [answer["code"] for answer in answers] == [200, 400, 200]
    assert all(answer.keys() == {"code", "body"} for answer in answers)
    assert json.loads(answers[0]["body"]) == {"success": True}
    assert json.loads(answers[1]["body"])["error"]["error_subcode"] == 33
    assert json.loads(answers[2]["body"]) == {"id": campaign, "status": "PAUSED"}
    assert [each["path"] for each in graph.writes()] == [f"/v26.0/{campaign}"]


def test_headers_come_with_each_answer_unless_refused(graph: GraphClient) -> None:
    (answer,) = graph.post("", batch=[{"method": "GET", "relative_url": graph.us}])

    assert "X-Ad-Account-Usage" in {header["name"] for header in answer["headers"]}


def test_a_fault_may_hit_one_call_of_a_batch(graph: GraphClient) -> None:
    first, second = (graph.create(graph.us) for _ in range(2))
    graph.fault(target=f"meta:{second}", kind="throttled")

    answers = graph.post(
        "", batch=[{"method": "POST", "relative_url": each, "body": "status=ACTIVE"} for each in (first, second)]
    )

    assert [answer["code"] for answer in answers] == [200, 400]


@pytest.mark.parametrize(
    "batch",
    [
        [{"method": "GET", "relative_url": "me"}] * 51,
        "{",
        {},
        ["me"],
        [{"method": "GET"}],
        [{"method": "PATCH", "relative_url": "me"}],
        [{"method": "GET", "relative_url": "me", "attached_files": "a"}],
    ],
)
def test_a_batch_out_of_shape_is_refused_whole(graph: GraphClient, batch: Any) -> None:
    assert graph.error("POST", "", batch=batch)["code"] == 100
    assert [each["status"] for each in graph.http.get("/log?kind=all").json()] == [400]


def test_a_batch_without_a_token_fails_call_by_call(graph: GraphClient) -> None:
    answers = graph.http.post("/meta/v26.0/", data={"batch": '[{"method":"GET","relative_url":"me"}]'}).json()

    assert json.loads(answers[0]["body"])["error"]["code"] == 104
