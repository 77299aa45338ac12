"""Who acts on the owner: people with sessions, gated and direct keys, an MCP client, and someone at the platform."""

import asyncio
import hmac
import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import httpx2

from tests.chaos.harness import Owner, Sandbox

TIMEOUT = 45.0
SCOPES = ["ads:read", "ads:write"]
DRIFT = "drift"
"""The sandbox logs a call's `debug`; the product never sends one, so this marks what somebody else did."""


@dataclass(frozen=True)
class Answer:
    """What a caller was told; status 0 where the connection broke before it was told anything."""

    status: int
    body: dict[str, Any]

    @property
    def approval(self) -> dict[str, Any] | None:
        found = self.body.get("approval") if self.body.get("code") == "confirm_required" else None
        return found if isinstance(found, dict) else None

    def __str__(self) -> str:
        said = self.body.get("code") or (self.body.get("data") or {}).get("status") or ""
        return f"{self.status or 'no answer'} {said}".strip()


LOST = Answer(0, {})


async def _answer(client: httpx2.AsyncClient, method: str, url: str, **more: Any) -> Answer:
    try:
        answer = await client.request(method, url, **more)
        return Answer(answer.status_code, answer.json())
    except (httpx2.TransportError, json.JSONDecodeError):
        return LOST


@dataclass
class People:
    owner: Owner
    sandbox: Sandbox
    sessions: list[httpx2.AsyncClient] = field(default_factory=list)
    gated: list[tuple[str, str]] = field(default_factory=list)  # (id, key)
    direct: list[tuple[str, str]] = field(default_factory=list)
    without_asking: set[str] = field(default_factory=set)
    """Ids of principals whose writes need nobody's yes."""
    outside: httpx2.AsyncClient = field(default_factory=lambda: httpx2.AsyncClient(timeout=TIMEOUT))
    _calls: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    async def move_in(self) -> None:
        """An owner, a member, their sessions and keys, and the connection, through the doors everyone uses."""
        for email, role in (("ada@chaos.test", "owner"), ("ben@chaos.test", "owner"), ("cleo@chaos.test", "member")):
            user = await self.local("POST", "/local/users", {"email": email, "role": role})
            self.without_asking.add(user["id"])
            self.sessions.append(await self._signed_in(email))
        for direct, keys in ((False, self.gated), (True, self.direct)):
            for number in range(2):
                name = f"{'direct' if direct else 'gated'} {number}"
                body = {"name": name, "scopes": SCOPES, "rate": 100_000, "direct": direct}
                key = await self.local("POST", "/local/keys", body)
                keys.append((key["id"], key["key"]))
        self.without_asking |= {key_id for key_id, _ in self.direct}
        pasted = {"platform": "meta", "access_token": self.sandbox.known["access_token"], "name": "Northwind"}
        ready = await _answer(self.sessions[0], "POST", "/api/v1/connections", json=pasted)
        limits = {"budget_edits_per_hour": 60, "campaign_daily_ceiling": 1e9, "account_daily_ceiling": 1e9}
        eased = await _answer(self.sessions[0], "PATCH", "/api/v1/workspace/settings", json=limits)
        if (ready.status, eased.status) != (201, 200):
            raise RuntimeError(f"the workspace could not be furnished: {ready}, {eased}")

    async def local(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        headers = {"authorization": f"Bearer {self.owner.token}"}
        answer = await self.outside.request(method, self.owner.url + path, json=body or {}, headers=headers)
        answer.raise_for_status()
        return answer.json()["data"]

    async def by_key(self, key: str, method: str, path: str, body: Mapping[str, Any] | None = None) -> Answer:
        headers = {"authorization": f"Bearer {key}"}
        return await _answer(self.outside, method, f"{self.owner.url}/api/v1{path}", json=body, headers=headers)

    async def by_session(self, who: int, method: str, path: str, body: Mapping[str, Any] | None = None) -> Answer:
        return await _answer(self.sessions[who], method, f"/api/v1{path}", json=body)

    async def by_mcp(self, key: str, tool: str, arguments: Mapping[str, Any]) -> Answer:
        """A client that declared no elicitation and opened no session, as a plain script would."""
        headers = {
            "authorization": f"Bearer {key}",
            "accept": "application/json, text/event-stream",
            "mcp-protocol-version": "2025-11-25",
        }
        params = {"name": tool, "arguments": arguments}
        body = {"jsonrpc": "2.0", "id": next(self._calls), "method": "tools/call", "params": params}
        answer = await _answer(self.outside, "POST", f"{self.owner.url}/mcp", json=body, headers=headers)
        told = answer.body.get("result", {}).get("structuredContent", answer.body)
        return Answer(answer.status, told)

    async def listed(self, path: str) -> list[dict[str, Any]]:
        """Every page, as one of the people reads them."""
        found: list[dict[str, Any]] = []
        query: dict[str, str] = {"limit": "500"}
        while True:
            answer = await self.sessions[0].get(f"/api/v1{path}", params=query)
            answer.raise_for_status()
            body = answer.json()
            found += body["data"]
            if not (cursor := body["meta"].get("next_cursor")):
                return found
            query["cursor"] = cursor

    async def drift(self, campaign_id: str, form: Mapping[str, str]) -> Answer:
        """Somebody changes a campaign in the platform's own tool."""
        data = {**form, **self._credentials(), "debug": DRIFT}
        return await _answer(self.outside, "POST", f"{self.sandbox.url}/meta/v26.0/{campaign_id}", data=data)

    async def on_the_platform(self) -> list[dict[str, Any]]:
        """Every campaign as the platform has it, archived ones too."""
        every = json.dumps(["ACTIVE", "PAUSED", "ARCHIVED"])
        params = {"fields": "id,account_id,name,status,daily_budget", "limit": "5000", "effective_status": every}
        urls = [
            f"{self.sandbox.url}/meta/v26.0/{account['id']}/campaigns" for account in self.sandbox.known["accounts"]
        ]
        answers = await asyncio.gather(*(self.outside.get(url, params=params | self._credentials()) for url in urls))
        return [row for answer in answers for row in answer.json()["data"]]

    async def accepted(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.outside.get(f"{self.sandbox.url}/log")).json()
        return found

    async def fault(self, kind: str, target: str, **more: Any) -> None:
        body = {"target": target, "kind": kind, **more}
        (await self.outside.post(f"{self.sandbox.url}/faults", json=body)).raise_for_status()

    async def no_faults(self) -> None:
        (await self.outside.delete(f"{self.sandbox.url}/faults")).raise_for_status()

    async def leave(self) -> None:
        for client in (*self.sessions, self.outside):
            await client.aclose()

    def _credentials(self) -> dict[str, str]:
        token, secret = str(self.sandbox.known["access_token"]), str(self.sandbox.known["app_secret"])
        return {"access_token": token, "appsecret_proof": hmac.new(secret.encode(), token.encode(), sha256).hexdigest()}

    async def _signed_in(self, email: str) -> httpx2.AsyncClient:
        link = await self.local("POST", "/local/login-links", {"email": email})
        headers = {"origin": self.owner.url}
        person = httpx2.AsyncClient(base_url=self.owner.url, timeout=TIMEOUT, headers=headers)
        await person.get(link["url"])
        return person
