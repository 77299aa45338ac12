"""Broken connections only show on a real socket."""

from collections.abc import Iterator

import httpx2
import pytest

from tests.server.sandbox.graph_client import GraphClient


@pytest.fixture
def live(live_url: str) -> Iterator[GraphClient]:
    with httpx2.Client(base_url=live_url, timeout=10) as http:
        yield GraphClient(http)


def test_cut_breaks_the_connection_before_anything_is_done(live: GraphClient) -> None:
    campaign = live.campaign_named(live.us, "Retargeting")
    live.fault(target="meta", kind="cut")

    with pytest.raises(httpx2.TransportError):
        live.post(campaign, status="PAUSED")

    assert live.writes() == []
    assert live.get(campaign, fields="status")["status"] == "ACTIVE"
    broken = live.http.get("/log?kind=all").json()[-2]
    assert (broken["status"], broken["fault"]) == (None, "cut")


def test_lost_answer_applies_the_write_and_then_breaks_the_connection(live: GraphClient) -> None:
    campaign = live.campaign_named(live.us, "Retargeting")
    live.fault(target="meta", kind="lost_answer")
    live.post(campaign, status="PAUSED", execution_options=["validate_only"])

    with pytest.raises(httpx2.TransportError):
        live.post(campaign, status="PAUSED")

    assert len(live.writes()) == 1
    assert live.get(campaign, fields="status")["status"] == "PAUSED"


def test_lost_answer_of_a_batch_applies_all_of_it(live: GraphClient) -> None:
    campaign = live.campaign_named(live.us, "Retargeting")
    live.fault(target="meta:batch", kind="lost_answer")

    with pytest.raises(httpx2.TransportError):
        live.post("", batch=[{"method": "POST", "relative_url": campaign, "body": "status=PAUSED"}])

    assert len(live.writes()) == 1


def test_slow_outlasts_a_client_that_waits_less_and_is_then_over(live: GraphClient) -> None:
    live.fault(target="meta:me", kind="slow", seconds=0.5)

    with pytest.raises(httpx2.ReadTimeout):
        live.http.get("/meta/v26.0/me", timeout=0.05)

    assert live.get("me")["name"]


def test_html_is_a_bad_gateway_of_no_json_at_all(live: GraphClient) -> None:
    live.fault(target="meta", kind="html")

    answer = live.send("GET", "me")

    assert answer.status_code == 502
    assert answer.headers["content-type"].startswith("text/html")
    assert live.get("me")["name"]
