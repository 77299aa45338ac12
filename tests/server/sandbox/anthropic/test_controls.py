"""What a test steers the model by, and what it is told when it asks for what cannot be."""

from typing import Any

import pytest

from tests.server.sandbox.anthropic.api import Api, call, request, text, tool, user

TOOLS = [tool("list_things")]


def said(message: dict[str, Any]) -> str:
    return str(message["content"][-1].get("text"))


def test_scripted_turns_are_served_in_order_and_then_the_planner_answers(api: Api) -> None:
    api.script({"blocks": [text("One.")]}, {"blocks": [text("Two.")]})

    answers = [said(api.answer(tools=TOOLS, messages=[user("Who are you?")])) for _ in range(3)]

    assert answers[:2] == ["One.", "Two."]
    assert "scripted demo model" in answers[2]


def test_a_turn_waits_for_tools_for_its_model_or_for_its_words(api: Api) -> None:
    api.script(
        {"blocks": [text("With words.")], "says": "magic"},
        {"blocks": [text("A title.")], "model": "claude-haiku-5-5"},
        {"blocks": [text("With tools.")]},
    )

    assert said(api.answer(messages=[user("Name this.")])) == "Name this"
    assert said(api.answer(model="claude-haiku-5-5")) == "A title."
    assert said(api.answer(tools=TOOLS)) == "With tools."
    assert said(api.answer(tools=TOOLS, messages=[user("the magic word")])) == "With words."


def test_a_turn_may_say_its_own_usage_and_reason(api: Api) -> None:
    api.script({"blocks": [text("Well.")], "usage": {"output_tokens": 900}, "stop_reason": "pause_turn"})

    answer = api.answer(tools=TOOLS)

    assert (answer["usage"]["output_tokens"], answer["stop_reason"]) == (900, "pause_turn")


def test_a_fault_of_a_turn_befalls_it_and_uses_it_up(api: Api) -> None:
    api.script({"blocks": [text("Lost.")], "fault": {"kind": "overloaded"}}, {"blocks": [text("Said.")]})

    assert api.post(request(tools=TOOLS)).status_code == 529
    assert said(api.answer(tools=TOOLS)) == "Said."


def test_turns_that_wait_are_counted_and_cleared(api: Api) -> None:
    api.script({"blocks": [text("Never.")]})

    assert api.http.get("/anthropic/script").json() == {"waiting": 1}
    assert api.http.delete("/anthropic/script").json() == {"waiting": 0}
    assert said(api.answer(tools=TOOLS)) != "Never."


@pytest.mark.parametrize(
    ("turns", "complaint"),
    [
        ([], "send"),
        ({"turns": []}, "send"),
        ({"turns": ["x"]}, "a turn is an object"),
        ({"turns": [{"block": []}]}, "unknown block"),
        ({"turns": [{"blocks": ["x"]}]}, "blocks is a list of objects with a type"),
        ({"turns": [{"blocks": [], "fault": {"kind": "explode"}}]}, "fault: kind must be one of"),
        ({"turns": [{"blocks": [], "fault": "cut"}]}, "fault:"),
    ],
)
def test_turns_that_make_no_sense_are_refused_with_what_would(api: Api, turns: Any, complaint: str) -> None:
    answered = api.http.post("/anthropic/script", json=turns)

    assert answered.status_code == 400
    assert complaint in answered.json()["error"]


def test_requests_are_forgotten_on_request(api: Api) -> None:
    api.answer()

    assert len(api.http.get("/anthropic/requests").json()) == 1
    assert api.http.delete("/anthropic/requests").json() == []
    assert api.http.get("/anthropic/requests").json() == []


def test_the_mode_is_shown_and_only_two_exist(api: Api) -> None:
    assert api.http.get("/anthropic/mode").json() == {"gullible": False}
    assert api.http.post("/anthropic/mode", json={"gullible": "very"}).status_code == 400
    assert api.http.post("/anthropic/mode", json={"gullible": True}).json() == {"gullible": True}


def test_the_log_names_each_request_and_holds_no_key(api: Api) -> None:
    api.answer()
    seen = api.http.get("/log?kind=all")

    assert [(each["platform"], each["path"], each["status"]) for each in seen.json()] == [
        ("anthropic", "/v1/messages", 200)
    ]
    assert api.key not in seen.text
    assert api.http.get("/log").json() == []


@pytest.mark.parametrize(
    ("target", "hit"),
    [
        ("anthropic:haiku", False),
        ("anthropic:sonnet", True),
        ("anthropic:tools", True),
        ("anthropic:count_tokens", False),
    ],
)
def test_a_fault_may_be_narrowed_to_a_model_or_to_requests_with_tools(api: Api, target: str, hit: bool) -> None:
    api.http.post("/faults", json={"target": target, "kind": "server_error"})

    assert (api.post(request(tools=TOOLS)).status_code == 500) is hit


@pytest.mark.parametrize(
    ("target", "kind"), [("meta", "refusal"), ("anthropic", "lost_answer"), ("meta", "overloaded_mid")]
)
def test_a_fault_happens_only_where_it_can(api: Api, target: str, kind: str) -> None:
    answered = api.http.post("/faults", json={"target": target, "kind": kind})

    assert answered.status_code == 400
    assert "does not happen" in answered.json()["error"]


def test_ids_of_calls_are_given_where_a_turn_has_none(api: Api) -> None:
    unnamed = {name: value for name, value in call("").items() if name != "id"}
    api.script({"blocks": [unnamed, unnamed]})

    first, second = api.answer(tools=TOOLS)["content"]

    assert first["id"].startswith("toolu_")
    assert first["id"] != second["id"]
