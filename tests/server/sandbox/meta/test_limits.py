"""The stand-in counts calls, throttles and reports usage as Meta documents it."""

import json

import pytest
from starlette.testclient import TestClient

from server.sandbox.app import create_app
from server.sandbox.meta.errors import GraphError
from server.sandbox.meta.limits import POINTS_PER_HOUR, Limits, points_per_hour
from tests.server.sandbox.graph_client import GraphClient


def test_reads_cost_one_point_and_writes_three_of_a_sliding_hour() -> None:
    now = [0.0]
    limits = Limits(5, lambda: now[0])
    limits.charge("1", "POST")
    now[0] = 1800.0
    limits.charge("1", "GET")

    with pytest.raises(GraphError, match="User request limit reached"):
        limits.charge("1", "DELETE")
    limits.charge("2", "DELETE")
    now[0] = 3600.0
    limits.charge("1", "DELETE")


def test_a_spent_quota_is_17_with_the_minutes_to_wait() -> None:
    graph = GraphClient(TestClient(create_app(meta_points_per_hour=3)))
    for _ in range(3):
        graph.get(graph.us)

    answer = graph.send("GET", graph.us)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 17)
    (usage,) = json.loads(answer.headers["X-Business-Use-Case-Usage"])[graph.us.removeprefix("act_")]
    assert usage["call_count"] == 100
    assert 0 < usage["estimated_time_to_regain_access"] <= 60
    assert graph.send("GET", graph.eu).status_code == 200


def test_usage_is_reported_with_every_answer_about_an_account() -> None:
    graph = GraphClient(TestClient(create_app(meta_points_per_hour=10)))

    answer = graph.send("GET", f"{graph.us}/insights")

    assert answer.headers["facebook-api-version"] == "v26.0"
    assert json.loads(answer.headers["X-App-Usage"]).keys() == {"call_count", "total_time", "total_cputime"}
    assert json.loads(answer.headers["X-Ad-Account-Usage"])["acc_id_util_pct"] == 10.0
    (usage,) = json.loads(answer.headers["X-Business-Use-Case-Usage"])[graph.us.removeprefix("act_")]
    assert (usage["type"], usage["call_count"], usage["estimated_time_to_regain_access"]) == ("ads_insights", 10, 0)
    assert json.loads(answer.headers["x-fb-ads-insights-throttle"])["acc_id_util_pct"] == 10.0


def test_the_quota_comes_from_the_environment() -> None:
    assert points_per_hour({}) == POINTS_PER_HOUR
    assert points_per_hour({"SANDBOX_META_CALLS_PER_HOUR": "200"}) == 200
    with pytest.raises(SystemExit, match="must be a positive integer"):
        points_per_hour({"SANDBOX_META_CALLS_PER_HOUR": "0"})
