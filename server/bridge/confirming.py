"""Taking the person at this machine to the page where they decide, when the client cannot."""

import asyncio
import json
from typing import Any

from server.bridge.http import Lost, NotSent
from server.bridge.messages import compact
from server.bridge.upstream import Server
from server.process.browser import can_open, open_page

_MARK = b"confirm_required"


class Confirming:
    """Opens each approval once. The sign-in link goes to the browser and nowhere else."""

    def __init__(self, *, enabled: bool) -> None:
        self._enabled = enabled and can_open()
        self._opened: set[str] = set()
        self._opening: set[asyncio.Task[None]] = set()

    def look(self, answer: bytes, server: Server) -> None:
        if not self._enabled or _MARK not in answer:
            return
        approval = _pending(json.loads(answer))
        if approval is None or approval["id"] in self._opened:
            return
        self._opened.add(approval["id"])
        task = asyncio.create_task(self._open(approval, server))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _open(self, approval: dict[str, Any], server: Server) -> None:
        page = await _signed_in(approval["id"], server) if server.local else approval["url"]
        if page:
            await asyncio.to_thread(open_page, page)


def _pending(message: dict[str, Any]) -> dict[str, Any] | None:
    told = message.get("result")
    body = told.get("structuredContent") if isinstance(told, dict) else None
    if not isinstance(body, dict) or body.get("code") != "confirm_required":
        return None
    approval = body.get("approval")
    return approval if isinstance(approval, dict) and approval.get("status") == "pending" else None


async def _signed_in(approval_id: str, server: Server) -> str | None:
    headers = {"authorization": server.authorization, "content-type": "application/json"}
    try:
        with await server.http.open(
            "POST", "/local/login-links", headers, compact({"next": f"/approvals/{approval_id}"})
        ) as response:
            body = json.loads(await response.read())
    except (NotSent, Lost, ValueError):
        return None  # the approval's own address stands in the result
    url = body.get("data", {}).get("url")
    return url if isinstance(url, str) else None
