"""What every Graph call shares: tokens, proofs, versions and the shape of an error."""

import json

import pytest

from tests.server.sandbox.graph_client import GraphClient

NO_OBJECT = (100, 33, "GraphMethodException")


def test_a_token_is_taken_from_query_form_or_header(graph: GraphClient) -> None:
    signed = {"access_token": graph.token, "appsecret_proof": graph.proof(graph.token)}
    campaign = graph.campaign_named(graph.us, "Retargeting")
    bearer = {"Authorization": f"Bearer {graph.token}"}
    proof = {"appsecret_proof": signed["appsecret_proof"]}

    answers = [
        graph.http.get("/meta/v26.0/me", params=signed),
        graph.http.get("/meta/v26.0/me/", params=proof, headers=bearer),
        graph.http.post(f"/meta/v26.0/{campaign}", data=signed | {"status": "PAUSED"}),
        graph.http.post(f"/meta/v26.0/{campaign}/", params=signed, data={"status": "PAUSED"}),
        graph.http.post(f"/meta/v26.0/{campaign}", params=signed, files={"status": (None, "PAUSED")}),
        graph.http.get("/meta/me", params=signed),
    ]

    assert [answer.status_code for answer in answers] == [200] * 6


@pytest.mark.parametrize(
    ("parameters", "code", "message"),
    [
        ({}, 104, "An access token is required"),
        ({"access_token": "stolen"}, 190, "Cannot parse access token"),
    ],
)
def test_without_a_good_token_nothing_is_answered(
    graph: GraphClient, parameters: dict[str, str], code: int, message: str
) -> None:
    answer = graph.http.get("/meta/v26.0/me", params=parameters)

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == code
    assert message in answer.json()["error"]["message"]


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_every_method_needs_the_right_appsecret_proof(graph: GraphClient, method: str) -> None:
    campaign = graph.campaign_named(graph.us, "Retargeting")
    where = f"/meta/v26.0/{campaign}"

    missing = graph.http.request(method, where, params={"access_token": graph.token}).json()["error"]
    wrong = graph.http.request(
        method, where, params={"access_token": graph.token, "appsecret_proof": graph.proof("other")}
    ).json()["error"]

    assert (missing["code"], missing["type"]) == (wrong["code"], wrong["type"]) == (100, "GraphMethodException")
    assert "require an appsecret_proof" in missing["message"]
    assert "Invalid appsecret_proof" in wrong["message"]


def test_the_app_token_is_good_for_debugging_only(graph: GraphClient) -> None:
    app_token = f"{graph.app_id}|{graph.app_secret}"

    debugged = graph.http.get("/meta/v26.0/debug_token", params={"access_token": app_token, "input_token": graph.token})
    refused = graph.http.get("/meta/v26.0/me", params={"access_token": app_token})

    assert debugged.json()["data"]["is_valid"] is True
    assert refused.json()["error"]["code"] == 2500


@pytest.mark.parametrize(("version", "code"), [("v19.0", 2635), ("v24.0", 2635), ("v99.0", 2500)])
def test_a_version_that_is_not_live_is_refused(graph: GraphClient, version: str, code: int) -> None:
    answer = graph.http.get(f"/meta/{version}/me", params={"access_token": graph.token})

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == code


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "1", NO_OBJECT),
        ("POST", "1", NO_OBJECT),
        ("DELETE", "1", NO_OBJECT),
        ("GET", "act_1/campaigns", NO_OBJECT),
        ("POST", "me", NO_OBJECT),
        ("GET", "nothing/here", (2500, None, "OAuthException")),
        ("GET", "", NO_OBJECT),
    ],
)
def test_what_does_not_exist_is_refused_in_the_platforms_words(
    graph: GraphClient, method: str, path: str, expected: tuple[int, int | None, str]
) -> None:
    error = graph.error(method, path)

    assert (error["code"], error.get("error_subcode"), error["type"]) == expected


def test_an_unknown_edge_is_a_nonexisting_field_of_its_node(graph: GraphClient) -> None:
    error = graph.error("GET", f"{graph.us}/secrets")

    assert error["message"] == "(#100) Tried accessing nonexisting field (secrets) on node type (AdAccount)"
    assert graph.error("POST", f"{graph.us}/secrets")["error_subcode"] == 33


def test_an_expired_token_is_190_463_and_shows_in_debug_token(graph: GraphClient) -> None:
    graph.fault(target="meta", kind="expired_token", times=2)

    error = graph.error("GET", f"{graph.us}/campaigns")
    debugged = graph.get("debug_token", input_token=graph.token)["data"]

    assert (error["code"], error["error_subcode"]) == (190, 463)
    assert (debugged["is_valid"], debugged["error"]["subcode"]) == (False, 463)
    assert graph.get("debug_token", input_token=graph.token)["data"]["is_valid"] is True


def test_throttling_says_in_minutes_when_to_come_back(graph: GraphClient) -> None:
    graph.fault(target=f"meta:{graph.us}", kind="throttled")

    answer = graph.send("GET", f"{graph.us}/campaigns")

    assert answer.status_code == 400
    error = answer.json()["error"]
    assert (error["code"], error["error_subcode"]) == (17, 2446079)
    usage = json.loads(answer.headers["X-Business-Use-Case-Usage"])[graph.us.removeprefix("act_")]
    assert usage[0]["estimated_time_to_regain_access"] == 5
    assert graph.send("GET", f"{graph.eu}/campaigns").status_code == 200


def test_a_throttled_call_about_no_account_still_says_when_to_come_back(graph: GraphClient) -> None:
    graph.fault(target="meta", kind="throttled")

    answer = graph.send("GET", "me/adaccounts")

    (usage,) = json.loads(answer.headers["X-Business-Use-Case-Usage"]).values()
    assert usage[0]["estimated_time_to_regain_access"] == 5


def test_a_server_error_is_transient(graph: GraphClient) -> None:
    graph.fault(target="meta", kind="server_error")

    answer = graph.send("GET", "me")

    assert answer.status_code == 500
    assert (answer.json()["error"]["code"], answer.json()["error"]["is_transient"]) == (2, True)


def test_any_error_of_the_platform_can_be_asked_for(graph: GraphClient) -> None:
    graph.fault(target="meta:GET", kind="error", code=80004, subcode=2446079, status=400, message="too many calls")

    answer = graph.send("GET", graph.us)

    error = answer.json()["error"]
    assert (error["code"], error["error_subcode"], error["message"]) == (80004, 2446079, "too many calls")
    (usage,) = json.loads(answer.headers["X-Business-Use-Case-Usage"]).values()
    assert usage[0]["estimated_time_to_regain_access"] == 5
