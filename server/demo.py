"""Furnishing a demo through the doors everyone else uses: an owner, a gated API key, the sandbox's ad accounts."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx2

from tools.authority import Scope
from tools.secret import Secret

OWNER = "owner@demo.adwright.local"
SCOPES = sorted(Scope)
"""The key may ask for anything; being gated, it decides nothing."""


async def prepare(url: str, local_token: Secret, sandbox_url: str, known: Mapping[str, Any]) -> dict[str, str]:
    """What demo.json adds to the addresses: {"api_key", "login_url"}. `known` is what it said before: a key that still
    works is kept, so that clients configured with it go on working."""
    operator = {"authorization": f"Bearer {local_token.reveal()}"}
    async with httpx2.AsyncClient(base_url=url, headers=operator, timeout=30) as local:
        if not (await _data(local, "GET", "/local/status"))["workspaces"]:
            await _data(local, "POST", "/local/users", {"email": OWNER, "name": "Demo owner", "role": "owner"})
        await _connect(local, url, local_token, sandbox_url)
        api_key = await _working_key(url, known) or await _new_key(local)
        link = await _data(local, "POST", "/local/login-links", {"next": "/campaigns"})
    return {"api_key": api_key, "login_url": link["url"]}


@contextlib.asynccontextmanager
async def signed_in(url: str, local_token: Secret) -> AsyncIterator[httpx2.AsyncClient]:
    """The demo's owner, as in a browser."""
    operator = {"authorization": f"Bearer {local_token.reveal()}"}
    async with (
        httpx2.AsyncClient(base_url=url, headers=operator, timeout=30) as local,
        httpx2.AsyncClient(base_url=url, timeout=60, headers={"origin": url}) as person,
    ):
        link = await _data(local, "POST", "/local/login-links", {})
        await person.get(link["url"])
        yield person


async def _connect(local: httpx2.AsyncClient, url: str, local_token: Secret, sandbox_url: str) -> None:
    """As a person would: signed in, pasting the tokens the sandbox hands out."""
    if (await _data(local, "GET", "/api/v1/connections"))["rows"]:
        return
    async with signed_in(url, local_token) as person:
        known = (await person.get(f"{sandbox_url}/")).json()
        for token in (
            {"platform": "meta", "access_token": known["meta"]["access_token"], "name": "Northwind (sandbox)"},
            {
                "platform": "google",
                "refresh_token": known["google"]["refresh_token"],
                "name": "Northwind Google (sandbox)",
            },
        ):
            await _data(person, "POST", "/api/v1/connections", token)


async def _working_key(url: str, known: Mapping[str, Any]) -> str | None:
    key = known.get("api_key")
    if not isinstance(key, str):
        return None
    async with httpx2.AsyncClient(base_url=url, headers={"authorization": f"Bearer {key}"}) as client:
        return key if (await client.get("/api/v1/me")).status_code == httpx2.codes.OK else None


async def _new_key(local: httpx2.AsyncClient) -> str:
    key: str = (await _data(local, "POST", "/local/keys", {"name": "Demo", "scopes": SCOPES}))["key"]
    return key


async def _data(client: httpx2.AsyncClient, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
    answer = await client.request(method, path, json=body)
    answer.raise_for_status()
    data = answer.json()["data"]
    return {"rows": data} if isinstance(data, list) else data
