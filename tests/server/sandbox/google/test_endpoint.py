"""Broken connections only show on a real socket, where Google's own token client is a judge too."""

from collections.abc import Iterator

import httpx2
import pytest
from google.auth.exceptions import RefreshError
from google.auth.transport.requests import Request
from google.oauth2.credentials import Credentials

from tests.server.sandbox.ads_client import OUTLET, AdsClient, Json


@pytest.fixture
def live(live_url: str) -> Iterator[AdsClient]:
    with httpx2.Client(base_url=live_url, timeout=10) as http:
        client = AdsClient(http)
        client.sign_in()
        yield client


@pytest.fixture
def transport() -> Iterator[Request]:
    request = Request()
    yield request
    request.session.close()


def pause(ads: AdsClient, **more: object) -> tuple[str, Json]:
    body = {"updateMask": "status", "update": {"resourceName": campaign(ads), "status": "PAUSED"}}
    return f"customers/{OUTLET}/campaigns:mutate", {"operations": [body], **more}


def campaign(ads: AdsClient) -> str:
    return ads.named("Outlet | Generic", OUTLET)


def status(ads: AdsClient) -> str:
    return str(ads.read(campaign(ads), "campaign.status")["campaign"]["status"])


def test_cut_breaks_the_connection_before_anything_is_done(live: AdsClient) -> None:
    path, body = pause(live)
    live.fault(target="google", kind="cut")

    with pytest.raises(httpx2.TransportError):
        live.send(path, body, login=None)

    assert live.writes() == []
    broken = live.http.get("/log?kind=all").json()[-1]
    assert (broken["status"], broken["fault"]) == (None, "cut")
    assert status(live) == "ENABLED"


def test_lost_answer_applies_the_write_and_then_breaks_the_connection(live: AdsClient) -> None:
    live.fault(target="google", kind="lost_answer")
    path, body = pause(live)
    assert live.send(path, body | {"validateOnly": True}, login=None).status_code == 200

    with pytest.raises(httpx2.TransportError):
        live.send(path, body, login=None)

    assert len(live.writes()) == 1
    assert status(live) == "PAUSED"


def test_slow_outlasts_a_client_that_waits_less_and_is_then_over(live: AdsClient) -> None:
    path, body = pause(live)
    live.fault(target="google:mutate", kind="slow", seconds=0.5)

    with pytest.raises(httpx2.ReadTimeout):
        live.http.post(f"/google/v26/{path}", json=body, timeout=httpx2.Timeout(10, read=0.05))

    assert status(live)


def test_html_is_a_bad_gateway_of_no_json_at_all(live: AdsClient) -> None:
    path, body = pause(live)
    live.fault(target="google", kind="html")

    answer = live.send(path, body, login=None)

    assert answer.status_code == 502
    assert answer.headers["content-type"].startswith("text/html")


def google_auth(ads: AdsClient, **changed: str) -> Credentials:
    index = ads.index
    wanted = {name: index[name] for name in ("refresh_token", "client_id", "client_secret")} | changed
    return Credentials(None, token_uri=index["token_url"], **wanted)


def test_googles_own_client_gets_a_token_that_works(live: AdsClient, transport: Request) -> None:
    credentials = google_auth(live)

    credentials.refresh(transport)

    live.token = credentials.token
    assert credentials.valid
    assert status(live) == "ENABLED"


def test_googles_own_client_reads_the_refusal(live: AdsClient, transport: Request) -> None:
    credentials = google_auth(live, refresh_token="1//old")

    with pytest.raises(RefreshError, match="invalid_grant"):
        credentials.refresh(transport)
