"""Cache reads and writes follow from the true prefix, and from nothing else."""

from typing import Any

import pytest

from server.sandbox.anthropic.endpoint import OTHER_API_KEY
from tests.server.sandbox.anthropic.api import Api, request, text, tool, user
from tests.server.sandbox.conftest import Clock

LONG = "You operate ad accounts. " * 120
FIVE, HOUR = {"type": "ephemeral"}, {"type": "ephemeral", "ttl": "1h"}
TOOLS = [tool("alpha"), tool("beta")]


def marked(**fields: Any) -> dict[str, Any]:
    return request(**{"tools": TOOLS, "system": [text(LONG, cache_control=HOUR)]} | fields)


def total(api: Api, body: dict[str, Any]) -> int:
    counted = {name: value for name, value in body.items() if name != "max_tokens"}
    return int(api.post(counted, "/v1/messages/count_tokens").json()["input_tokens"])


def test_a_prefix_is_written_once_and_read_from_then_on(api: Api) -> None:
    body = marked()

    first, second = api.usage(body), api.usage(body)

    assert first[0] == 0
    assert first[1] > 700
    assert second == (first[1], 0, first[2])
    assert sum(first) == sum(second) == total(api, body)


def test_writes_are_told_apart_by_their_time_to_live(api: Api) -> None:
    usage = api.answer(marked(cache_control=FIVE))["usage"]["cache_creation"]

    assert usage["ephemeral_1h_input_tokens"] > 700
    assert 0 < usage["ephemeral_5m_input_tokens"] < 20


def test_the_automatic_mark_moves_with_the_conversation(api: Api) -> None:
    messages = [user("How is it going?")]
    first = api.usage(marked(messages=messages, cache_control=FIVE))

    messages += [{"role": "assistant", "content": "Well."}, user("And now?")]
    second = api.usage(marked(messages=messages, cache_control=FIVE))

    assert second[0] == first[1]
    assert second[2] == 0


@pytest.mark.parametrize(
    "change",
    [
        {"tools": TOOLS[::-1]},
        {"tools": [TOOLS[0], tool("beta", "Reads something else.")]},
        {"system": [text(LONG + "!", cache_control=HOUR)]},
        {"model": "claude-opus-5-5"},
    ],
)
def test_a_changed_prefix_is_not_read(api: Api, change: dict[str, Any]) -> None:
    api.answer(marked())

    read, written, _ = api.usage(marked(**change))

    assert read == 0
    assert written > 700


def test_a_changed_tail_reads_what_stands_before_it(api: Api) -> None:
    first = api.usage(marked())

    assert api.usage(marked(messages=[user("Something else entirely")]))[0] == first[1]


@pytest.mark.parametrize("change", [{"tool_choice": {"type": "none"}}, {"thinking": {"type": "adaptive"}}])
def test_choosing_tools_and_thinking_otherwise_costs_only_the_messages(api: Api, change: dict[str, Any]) -> None:
    body = marked(messages=[user([text(LONG, cache_control=FIVE)])])
    system = api.answer(body)["usage"]["cache_creation"]["ephemeral_1h_input_tokens"]

    assert api.usage(body | change)[0] == system


@pytest.mark.parametrize(("mark", "lives"), [(FIVE, {"minutes": 4}), (HOUR, {"minutes": 59})])
def test_what_is_read_lives_on_and_what_is_not_expires(
    api: Api, clock: Clock, mark: dict[str, str], lives: dict[str, float]
) -> None:
    body = marked(system=[text(LONG, cache_control=mark)])
    written = api.usage(body)[1]

    for _ in range(3):
        clock.pass_by(**lives)
        assert api.usage(body)[0] == written
    clock.pass_by(minutes=lives["minutes"] + 2)

    assert api.usage(body)[0] == 0


def test_a_short_prefix_is_not_cached_and_nothing_says_so(api: Api) -> None:
    body = marked(system=[text("Short.", cache_control=HOUR)])

    assert [api.usage(body)[:2] for _ in range(2)] == [(0, 0), (0, 0)]


def test_models_differ_in_what_is_too_short(api: Api) -> None:
    assert api.usage(marked())[1] > 0
    assert api.usage(marked(model="claude-haiku-4-5"))[1] == 0


def test_another_workspace_shares_nothing(api: Api) -> None:
    api.answer(marked())

    assert api.usage(marked(), key=OTHER_API_KEY)[0] == 0


@pytest.mark.parametrize(("pieces", "found"), [(19, True), (20, False)])
def test_only_twenty_pieces_are_looked_back(api: Api, pieces: int, found: bool) -> None:
    start = [text(LONG, cache_control=FIVE)]
    api.answer(request(messages=[user(start)]))

    more = [text(f"Line {number}") for number in range(pieces)]
    more[-1]["cache_control"] = FIVE

    assert (api.usage(request(messages=[user([text(LONG), *more])]))[0] > 0) is found


def test_what_was_refused_is_not_cached(api: Api) -> None:
    api.refusal(marked(max_tokens=10**9))

    assert api.usage(marked())[0] == 0


def test_asking_for_no_tokens_warms_the_cache(api: Api) -> None:
    api.script({"blocks": [text("Later.")]})

    warmed = api.answer(marked(max_tokens=0))

    assert (warmed["content"], warmed["stop_reason"]) == ([], "max_tokens")
    assert api.usage(marked())[0] == warmed["usage"]["cache_creation_input_tokens"] > 0


def test_deferred_tools_enter_the_prefix_where_they_are_referred_to(api: Api) -> None:
    hidden = tool("gamma", "A long description. " * 50, defer_loading=True)
    without, deferred = total(api, marked()), total(api, marked(tools=[*TOOLS, hidden]))

    messages = [
        user("Find one."),
        {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "alpha", "input": {}}]},
        user([{"type": "tool_result", "tool_use_id": "toolu_1",
               "content": [{"type": "tool_reference", "tool_name": "gamma"}]}]),
    ]  # fmt: skip
    loaded = total(api, marked(tools=[*TOOLS, hidden], messages=messages))

    assert deferred == without
    assert loaded > total(api, marked(messages=messages)) + 200


def test_a_miss_is_explained_to_who_asks(api: Api) -> None:
    asking: dict[str, Any] = {"diagnostics": {"previous_message_id": None}}
    first = api.answer(marked(**asking))
    asking = {"diagnostics": {"previous_message_id": first["id"]}}

    def reason(**change: Any) -> Any:
        found = api.answer(marked(**asking, **change))["diagnostics"]
        return found and found["cache_miss_reason"]["type"]

    assert first["diagnostics"] is None
    assert reason() is None
    assert reason(tools=TOOLS[::-1]) == "tools_changed"
    assert reason(tools=TOOLS[:1]) == "tools_changed"
    assert reason(system="Otherwise.") == "system_changed"
    assert reason(messages=[user("Otherwise")]) == "messages_changed"
    assert reason(model="claude-opus-5-5") == "model_changed"
    asking["diagnostics"]["previous_message_id"] = "msg_nowhere"
    assert reason() == "previous_message_not_found"


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (request(system=[text(f"{n}", cache_control=FIVE) for n in range(5)]), "A maximum of 4 blocks"),
        (request(system=[text(f"{n}", cache_control=FIVE) for n in range(4)], cache_control=FIVE), "Found 5."),
        (request(system=[text("a", cache_control=FIVE), text("b", cache_control=HOUR)]), "must not come after"),
        (request(system=[text("a", cache_control=FIVE)], cache_control=HOUR), "must not come after"),
        (request(messages=[user([text("a", cache_control=HOUR)])], cache_control=FIVE), "of another ttl"),
        (request(system=[text("a", cache_control={"type": "ephemeral", "ttl": "2h"})]), "system.0.cache_control.ttl"),
    ],
)
def test_marks_that_the_api_does_not_take_are_refused(api: Api, body: dict[str, Any], complaint: str) -> None:
    assert complaint in api.refusal(body)


def test_four_marks_in_order_are_taken(api: Api) -> None:
    marks = [HOUR, HOUR, FIVE]

    assert api.answer(system=[text(f"{n}", cache_control=mark) for n, mark in enumerate(marks)], cache_control=FIVE)
