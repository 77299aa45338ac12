"""The stand-in without a socket and without the SDK: requests as plain JSON, and a clock that a test moves."""

from typing import Any

import orjson
from starlette.testclient import TestClient

from server.sandbox.anthropic.endpoint import API_KEY

SONNET = "claude-sonnet-5-5"


def tool(name: str, description: str = "Reads something.", **more: Any) -> dict[str, Any]:
    schema = {"type": "object", "properties": {"limit": {"type": "integer"}}, "additionalProperties": False}
    return {"name": name, "description": description, "input_schema": schema} | more


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def assistant(content: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": content}


def text(words: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": words} | more


def call(id_: str, name: str = "list_things", /, **arguments: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": id_, "name": name, "input": arguments}


def result(id_: str, content: str = "{}") -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": id_, "content": content}


class Api:
    key = API_KEY

    def __init__(self, http: TestClient) -> None:
        self.http = http

    def post(self, body: Any, path: str = "/v1/messages", key: str = API_KEY, **headers: str) -> Any:
        known = {"x-api-key": key, "anthropic-version": "2026-10-21"} | headers
        return self.http.post(f"/anthropic{path}", content=orjson.dumps(body), headers=known)

    def answer(self, body: dict[str, Any] | None = None, /, key: str = API_KEY, **fields: Any) -> dict[str, Any]:
        given = request(**fields) if body is None else body
        answered = self.post(given, key=key)
        assert answered.status_code == 200, answered.text
        message: dict[str, Any] = answered.json()
        return message

    def refusal(self, body: dict[str, Any] | None = None, /, **fields: Any) -> str:
        """The message of a 400."""
        answered = self.post(request(**fields) if body is None else body)
        assert answered.status_code == 400, answered.text
        error: dict[str, Any] = answered.json()["error"]
        assert error["type"] == "invalid_request_error"
        return str(error["message"])

    def usage(self, body: dict[str, Any], key: str = API_KEY) -> tuple[int, int, int]:
        """Tokens read, written and neither."""
        usage = self.answer(body, key=key)["usage"]
        return usage["cache_read_input_tokens"], usage["cache_creation_input_tokens"], usage["input_tokens"]

    def script(self, *turns: dict[str, Any]) -> None:
        answered = self.http.post("/anthropic/script", json={"turns": list(turns)})
        assert answered.status_code == 201, answered.text

    def fault(self, kind: str, **more: Any) -> None:
        answered = self.http.post("/faults", json={"target": "anthropic", "kind": kind, **more})
        assert answered.status_code == 201, answered.text


def request(**fields: Any) -> dict[str, Any]:
    return {"model": SONNET, "max_tokens": 1000, "messages": [user("How is it going?")]} | fields
