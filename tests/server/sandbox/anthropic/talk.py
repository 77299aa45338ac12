"""A person, the stand-in and the real tools: the tool loop at its plainest, each change decided as the test says."""

import json
from dataclasses import dataclass, field
from typing import Any

from agent.tools import tool_params
from server.sandbox.anthropic.endpoint import API_KEY
from tests.server.sandbox.anthropic.api import SONNET
from tests.world import AGENT, OWNER, World
from tools.errors import CapabilityError

CONTEXT = '<context>{"today":"2026-11-20","time_zone":"UTC","currencies":["USD","EUR","JPY"]}</context>'
_MOST_CALLS = 12


@dataclass
class Talk:
    world: World
    agrees: bool = True
    messages: list[dict[str, Any]] = field(default_factory=list)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """Of the last question."""

    async def ask(self, words: str) -> str:
        said = [{"type": "text", "text": CONTEXT}, {"type": "text", "text": words}]
        self.messages.append({"role": "user", "content": said})
        self.calls = []
        self.world.clock.pass_by(seconds=10)
        for _ in range(_MOST_CALLS):
            content = await self._answer()
            self.messages.append({"role": "assistant", "content": content})
            calls = [block for block in content if block["type"] == "tool_use"]
            if not calls:
                return "\n".join(block["text"] for block in content if block["type"] == "text")
            self.calls += [(call["name"], call["input"]) for call in calls]
            self.messages.append({"role": "user", "content": [await self._result(call) for call in calls]})
        raise AssertionError(f"no end after {self.calls}")

    async def _answer(self) -> list[dict[str, Any]]:
        body = {
            "model": SONNET, "max_tokens": 8000, "messages": self.messages,
            "tools": tool_params(self.world.door.registry),
        }  # fmt: skip
        headers = {"x-api-key": API_KEY, "anthropic-version": "2026-10-21"}
        answered = await self.world.sandbox.post("/anthropic/v1/messages", json=body, headers=headers)
        assert answered.status_code == 200, answered.text
        content: list[dict[str, Any]] = answered.json()["content"]
        return content

    async def _result(self, call: dict[str, Any]) -> dict[str, Any]:
        """Worded as the in-app agent words it."""
        try:
            told = {"status": "ok", "untrusted": await self._called(call)}
        except CapabilityError as error:
            body = error.body("req_test")
            told = {"status": "error", "code": body.pop("code"), "fix": body.pop("fix", ""), "untrusted": body}
        return {"type": "tool_result", "tool_use_id": call["id"], "content": json.dumps(told),
                "is_error": told["status"] == "error"}  # fmt: skip

    async def _called(self, call: dict[str, Any]) -> dict[str, Any]:
        try:
            return await self.world.call(AGENT, call["name"], **call["input"])
        except CapabilityError as error:
            if error.code != "confirm_required":
                raise
            approval = error.body("req_test")["approval"]
        arguments = {"approval_id": approval["id"]}
        if not self.agrees:
            denied = await self.world.call(OWNER, "deny", **arguments)
            return {"code": "already_decided", "message": f"A person said no; {denied['status']}.", "fix": "Ask."}
        if "amountRequired" in approval["plan"]:
            arguments["amount"] = approval["plan"]["amountRequired"]
        done = await self.world.call(OWNER, "approve", **arguments)
        return {"approval_id": approval["id"], "decision": "approved", "result": done["result"]}
