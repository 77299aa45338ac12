"""What the OpenAPI document says of the chat, whose operations are no capabilities."""

from typing import Any, NamedTuple

from api.components import closed, parameters, ref
from api.examples import REQUEST_ID
from tools.authority import Scope
from tools.capability import Rate
from tools.conversations.model import Asked
from tools.schema import input_schema

_ID = "cnv_3f0c9a1d5e7b2468ace01357"
_TAG = "chat"
_NAMES = [
    "run_started", "thinking_delta", "text_delta", "tool_use", "tool_result", "confirm_required", "confirm_resolved",
    "usage", "error", "done",
]  # fmt: skip
_EVENT = closed(
    {
        "id": {"type": "string", "pattern": "^[0-9]+$"},
        "event": {"type": "string", "enum": _NAMES},
        "data": {"type": "string", "contentMediaType": "application/json", "description": "A JSON object."},
    }
)
_TOLD = {"id": "2", "event": "text_delta", "data": '{"text":"You spent 412.50 USD yesterday."}'}
_EVENTS = (
    "Server-sent events, each with an `id` that counts up within the conversation: `run_started` (the conversation, "
    "the run, its turn, the model, and in the first run of a turn the person's message), `thinking_delta`, "
    "`text_delta`, `tool_use`, `tool_result`, `confirm_required` (the approval a person decides about, with its "
    "`toolUseId`), `confirm_resolved`, `usage` (tokens of the run, cost in USD), `error` (the flat error shape), and "
    "`done`, whose `stopReason` is end_turn, confirm_required, stopped, cap, refusal, max_tokens or error. A comment "
    "comes every 15 seconds while nothing else does."
)


_BRANCH = (
    "A new message to a conversation that waits for a decision supersedes what waits. With `replacesTurn` the message "
    "is asked instead of what that turn asked: a new conversation begins that shares what came before it, and the "
    "other one stays as it is."
)
_ONCE = (
    "Makes the turn safe to ask for again, for 24 hours: the same request follows the turn that began, from its first "
    "event, with Idempotent-Replayed: true, and starts nothing; another request gets 422 idempotency_mismatch."
)


class Chatting(NamedTuple):
    what: str
    scope: Scope
    question: str


SURFACES = {
    "ads": Chatting(
        "Send a message to the ads agent and follow its answer. It reads with the caller's authority; what it would "
        "change becomes an approval, and the decision begins a new run of the same turn.",
        Scope.ADS_READ,
        "What did we spend yesterday?",
    ),
    "analytics": Chatting(
        "Send a message to the analytics agent and follow its answer. It reads web analytics with the caller's "
        "authority, and has no tool that changes anything.",
        Scope.ANALYTICS_READ,
        "Where did visitors come from last week?",
    ),
}


def chat_paths() -> dict[str, Any]:
    follow = (
        "Follow one of your own conversations: with `Last-Event-ID` the events after that one, each once; after 0 the "
        "whole conversation, as it was streamed; without, those of the current run. It stays open while a run or an "
        "approval is."
    )
    stop = (
        "End the running turn, also one that waits for a person; what was said is kept, and what waits is superseded."
    )
    return {
        **{f"/api/v1/{surface}/chat": {"post": _chat(surface, told)} for surface, told in SURFACES.items()},
        "/api/v1/chat/{conversationId}/events": {
            "get": _operation("chat_events", "Chat events", follow, _following(), [])
        },
        "/api/v1/chat/{conversationId}/stop": {"post": _operation("stop_chat", "Stop chat", stop, _stopping(), [])},
    }


def _operation(name: str, title: str, description: str, more: dict[str, Any], failures: list[int]) -> dict[str, Any]:
    told = sorted([400, 401, 403, 404, 429, 500, 503, *failures])
    return {
        "operationId": name,
        "tags": [_TAG],
        "summary": title,
        "description": description,
        "security": [{"apiKey": []}, {"session": []}],
        **more,
        "responses": more["responses"] | {str(status): ref("responses", f"Error{status}") for status in told},
    }


def _chat(surface: str, chatting: Chatting) -> dict[str, Any]:
    name, calls, per = Rate.CHAT.label, Rate.CHAT.per_minute, Rate.CHAT.per
    told = (
        f"{chatting.what} Leaving does not stop the turn. {_BRANCH} {_EVENTS}\n\nAn API key or a signed-in person. "
        f"Scope: `{chatting.scope}`. Rate limit: {calls} turns a minute per {per} (`{name}`)."
    )
    failures = [402, 409, 413, 415, 422]
    return _operation(f"{surface}_chat", f"{surface.title()} chat", told, _asking(chatting.question), failures)


def _asking(question: str) -> dict[str, Any]:
    schema = input_schema(Asked) | {"dependentRequired": {"replacesTurn": ["conversationId"]}}
    going_on = {"message": "And the week before?", "conversationId": _ID, "page": "/campaigns"}
    examples = {
        "begin": {"value": {"message": question}},
        "go_on": {"value": going_on},
        "ask_again": {"value": {"message": question, "conversationId": _ID, "replacesTurn": 1}},
    }
    shown = {"schema": schema, "examples": examples}
    once = parameters()["Idempotency-Key"] | {"description": _ONCE}
    return {
        "parameters": [once],
        "requestBody": {"required": True, "content": {"application/json": shown}},
        "responses": {"200": _stream("The turn, to the end of its run.", "Idempotent-Replayed")},
    }


def _following() -> dict[str, Any]:
    last = {
        "name": "Last-Event-ID",
        "in": "header",
        "description": "The id of the last event that arrived; 0 for all there are.",
        "schema": {"type": "string", "pattern": "^[0-9]{1,15}$"},
        "example": "2",
    }
    return {
        "parameters": [_conversation(), last],
        "responses": {
            "200": _stream("The events."),
            "204": {"description": "Nothing is open, and nothing came since.", "headers": _headers()},
        },
    }


def _stopping() -> dict[str, Any]:
    identifier = {"type": "string", "pattern": "^cnv_[A-Za-z0-9]+$"}
    runs = {"type": "boolean", "description": "false: nothing ran."}
    data = closed({"conversationId": identifier, "stopping": runs})
    example = {"data": {"conversationId": _ID, "stopping": True}, "meta": {"request_id": REQUEST_ID}}
    content = {"schema": closed({"data": data, "meta": ref("schemas", "Meta")}), "example": example}
    stopped = {"description": "Done.", "headers": _headers(), "content": {"application/json": content}}
    return {"parameters": [_conversation()], "responses": {"200": stopped}}


def _conversation() -> dict[str, Any]:
    schema = {"type": "string", "pattern": "^cnv_[A-Za-z0-9]{1,40}$"}
    return {"name": "conversationId", "in": "path", "required": True, "schema": schema, "example": _ID}


def _stream(description: str, *more: str) -> dict[str, Any]:
    content = {"text/event-stream": {"schema": _EVENT, "example": _TOLD}}  # of each event
    return {"description": description, "headers": _headers(*more), "content": content}


def _headers(*more: str) -> dict[str, Any]:
    return {name: ref("headers", name) for name in ("X-Request-Id", *more)}
