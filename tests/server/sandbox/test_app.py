"""What the sandbox itself offers beside the platforms: its index, its log and its switches."""

import json
from pathlib import Path

from starlette.testclient import TestClient

from server.sandbox.app import create_app
from tests.server.sandbox.graph_client import GraphClient


def test_the_index_tells_a_client_all_it_needs(graph: GraphClient) -> None:
    meta = graph.http.get("/").json()["meta"]

    assert meta.keys() == {"url", "access_token", "app_id", "app_secret", "accounts"}
    assert meta["url"] == "http://testserver/meta"
    assert [(each["currency"], each["timezone_name"]) for each in meta["accounts"]] == [
        ("USD", "America/New_York"),
        ("EUR", "Europe/Berlin"),
        ("JPY", "Asia/Tokyo"),
    ]


def test_the_log_shows_accepted_writes_and_no_secret(graph: GraphClient) -> None:
    campaign = graph.create(graph.us, name="Spring")
    graph.error("POST", campaign, daily_budget="1")
    graph.get(campaign)

    assert [{**each, "at": "", "seq": 0} for each in graph.writes()] == [
        {
            "seq": 0,
            "at": "",
            "platform": "meta",
            "method": "POST",
            "path": f"/v26.0/{graph.us}/campaigns",
            "params": {
                "name": "Spring",
                "objective": "OUTCOME_SALES",
                "status": "PAUSED",
                "special_ad_categories": "[]",
                "daily_budget": "5000",
            },
        }
    ]
    everything = graph.http.get("/log?kind=all")
    assert [each["status"] for each in everything.json()] == [200, 400, 200]
    assert graph.token not in everything.text
    assert graph.proof(graph.token) not in everything.text


def test_validating_is_not_an_accepted_write(graph: GraphClient) -> None:
    campaign = graph.campaign_named(graph.us, "Retargeting")

    graph.post(campaign, status="PAUSED", execution_options=["validate_only"])

    assert graph.writes() == []


def test_an_unknown_kind_of_log_is_refused(graph: GraphClient) -> None:
    assert graph.http.get("/log?kind=some").status_code == 400


def test_faults_are_listed_and_cleared(graph: GraphClient) -> None:
    graph.fault(target="meta:POST", kind="error", code=190, subcode=459)
    listed = graph.http.get("/faults").json()
    graph.http.delete("/faults")

    assert listed == [{"target": "meta:POST", "kind": "error", "times": 1, "code": 190, "subcode": 459, "status": 400}]
    assert graph.http.get("/faults").json() == []


def test_a_fault_that_cannot_be_read_is_refused(graph: GraphClient) -> None:
    for body in (b"{", b'{"target": "meta", "kind": "explode"}'):
        refused = graph.http.post("/faults", content=body)
        assert refused.status_code == 400
        assert refused.json()["error"]


def test_a_restart_keeps_campaigns_budgets_and_the_log_of_writes(tmp_path: Path) -> None:
    before = GraphClient(TestClient(create_app(tmp_path)))
    seeded = before.campaign_named(before.us, "Retargeting")
    created = before.create(before.eu)
    before.post(seeded, daily_budget="7000")

    after = GraphClient(TestClient(create_app(tmp_path)))

    assert after.get(seeded, fields="daily_budget")["daily_budget"] == "7000"
    assert after.get(created, fields="name")["name"] == "Spring"
    assert after.writes() == before.writes()
    assert after.create(after.eu) != created
    assert [each["seq"] for each in after.writes()] == sorted(each["seq"] for each in after.writes())


def test_the_state_file_holds_no_secret(tmp_path: Path) -> None:
    graph = GraphClient(TestClient(create_app(tmp_path)))
    graph.create(graph.us)

    kept = (tmp_path / "sandbox-state.json").read_text(encoding="utf-8")

    assert json.loads(kept)["writes"]
    assert graph.token not in kept
    assert graph.app_secret not in kept
