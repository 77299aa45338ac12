"""Secrets pushed through every path of the real process are found nowhere afterwards: not in its answers, logs, error
reports, metrics, records, nor in any byte of its directory; and what should be found there, is."""

import asyncio
import contextlib
import gzip
import json
import os
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import pytest

from server.sandbox.app import create_app as create_sandbox
from tests.app import ALL_SCOPES, _served_new
from tests.canary.leaky import CONTROL
from tests.database import ON_POSTGRESQL, dumped, settings_in
from tests.faces.faces import handshake, modern
from tests.promises import promise
from tools.store.tables import metadata

pytestmark = pytest.mark.slow

REFUSED = "EAAB" + "Cznry" * 12
"""What a platform's token looks like, and no platform takes."""

SHAPED = {"platform token", "refused token", "Google token", "Google client secret", "API key", "local token"}
"""Told by their looks wherever they stand; random text is only known as a secret where its field says so."""


@dataclass
class Sink:
    """Where error reports are sent."""

    url: str
    received: list[bytes] = field(default_factory=list)
    arrived: threading.Event = field(default_factory=threading.Event)


@contextlib.contextmanager
def sink() -> Iterator[Sink]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            found.received.append(gzip.decompress(body) if self.headers.get("content-encoding") == "gzip" else body)
            if b"RuntimeError" in found.received[-1]:
                found.arrived.set()
            self.send_response(200)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found = Sink(f"http://public@127.0.0.1:{server.server_port}/1")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield found
        finally:
            server.shutdown()
            thread.join()


@dataclass
class Journey:
    """One run of the real process: where secrets went in, and all that came out."""

    directory: Path
    secrets: dict[str, str]
    sink: Sink
    log: Path
    answers: list[bytes] = field(default_factory=list)

    def outputs(self) -> dict[str, bytes]:
        """Everything that came out, by where it did. The two private files keep what is theirs to keep."""
        files = {path.name: path.read_bytes() for path in self.directory.rglob("*") if path.is_file()}
        private = {"settings.env": "encryption key", "serve.json": "local token"}
        for name, secret in private.items():
            files[name] = files[name].replace(self.secrets[secret].encode(), b"")
        return files | {
            **{f"table {name}": rows for name, rows in dumped(self.directory).items()},
            "stderr": self.log.read_bytes(),
            "error reports": b"\n".join(self.sink.received),
            "answers": b"\n".join(self.answers),
        }


@contextlib.asynccontextmanager
async def running(directory: Path, log: Path, environment: dict[str, str]) -> AsyncIterator[dict[str, Any]]:
    """The owner in the foreground, as `adwright serve` starts it; answers serve.json."""
    command = [sys.executable, "-m", "tests.canary.leaky", "serve", "--data", str(directory), "--port", "0"]
    with log.open("wb") as stderr:
        process = await asyncio.create_subprocess_exec(
            *command, stdout=stderr, stderr=stderr, env={**os.environ, **environment}
        )
        try:
            async with asyncio.timeout(30):
                while not (known := _known(directory)).get("token"):
                    assert process.returncode is None, f"see {log}"
                    await asyncio.sleep(0.02)
            yield known
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


def _known(directory: Path) -> dict[str, Any]:
    try:
        known: dict[str, Any] = json.loads((directory / "serve.json").read_bytes())
    except FileNotFoundError:
        return {}
    return known


@pytest.fixture
async def journey(tmp_path: Path) -> AsyncIterator[Journey]:
    """Every secret through every path; while it lasts the process runs, and its files are open."""
    directory = tmp_path / "data"
    async with contextlib.AsyncExitStack() as stack:
        reports = stack.enter_context(sink())
        sandbox = await stack.enter_async_context(_served_new(create_sandbox()))
        async with httpx2.AsyncClient() as client:
            simulated = (await client.get(sandbox)).json()
        meta, google = simulated["meta"], simulated["google"]
        environment = {
            "META_GRAPH_URL": meta["url"], "META_APP_ID": meta["app_id"], "META_APP_SECRET": meta["app_secret"],
            "GOOGLE_ADS_URL": google["url"], "GOOGLE_TOKEN_URL": google["token_url"],
            "GOOGLE_CLIENT_ID": google["client_id"], "GOOGLE_CLIENT_SECRET": google["client_secret"],
            "SENTRY_DSN": reports.url, **settings_in(directory),
        }  # fmt: skip
        known = await stack.enter_async_context(running(directory, tmp_path / "stderr", environment))
        key_line = (directory / "settings.env").read_text(encoding="utf-8").partition("ENCRYPTION_KEYS=")[2]
        secrets = {
            "platform token": meta["access_token"],
            "refused token": REFUSED,
            "app secret": meta["app_secret"],
            "Google token": google["refresh_token"],
            "Google client secret": google["client_secret"],
            "local token": known["token"],
            "encryption key": key_line.splitlines()[0].strip("'\"").partition(":")[2],
        }
        told = Journey(directory, secrets, reports, tmp_path / "stderr")
        await _travel(told, known["url"])
        yield told


async def _travel(told: Journey, url: str) -> None:
    """Each secret is carried by a person and an agent of its own: nobody meets a limit."""
    secrets = told.secrets
    local = {"authorization": f"Bearer {secrets['local token']}"}
    async with httpx2.AsyncClient(base_url=url, headers=local) as operator:
        for carried in [*secrets, "API key", "sign-in token", "session cookie"]:
            email = f"{carried.replace(' ', '-')}@adwright.test".lower()
            await operator.post("/local/users", json={"email": email, "role": "owner"})
            wanted = {"name": CONTROL, "scopes": ALL_SCOPES, "user": email}
            key = (await operator.post("/local/keys", json=wanted)).json()["data"]["key"]
            link = (await operator.post("/local/login-links", json={"email": email})).json()["data"]["url"]
            await _carry(told, carried, url, key, link)
    async with httpx2.AsyncClient(base_url=url, timeout=30, headers={"authorization": f"Bearer {key}"}) as agent:
        assert (await agent.get("/api/v1/ads/insights")).json()["code"] == "internal"
        told.answers.append((await agent.get("/metrics")).content)


async def _carry(told: Journey, carried: str, url: str, key: str, link: str) -> None:
    async def keep(answer: httpx2.Response) -> None:
        told.answers.append(await answer.aread() + str(answer.headers).encode())

    agents = {"authorization": f"Bearer {key}"}
    async with (
        httpx2.AsyncClient(base_url=url, headers={"x-requested-with": "test"}, timeout=30) as person,
        httpx2.AsyncClient(base_url=url, headers=agents, event_hooks={"response": [keep]}, timeout=30) as agent,
    ):
        await person.get(link)
        minted = {
            "API key": key, "sign-in token": link.partition("token=")[2],
            "session cookie": person.cookies["adwright_session"],
        }  # fmt: skip
        told.secrets |= {name: minted[name] for name in minted if name == carried}
        person.event_hooks = {"response": [keep]}
        await person.get(link)  # used up, and refused
        secret = told.secrets[carried]
        await _connect(person, secret, told.secrets["platform token"])
        await _connect_google(person, secret, told.secrets["Google token"])
        await _misplace(person, secret)
        await _misplace(agent, secret)
        if carried in SHAPED:
            await _quoted(agent, secret)


async def _connect(person: httpx2.AsyncClient, secret: str, token: str) -> None:
    path, good = "/api/v1/connections", {"platform": "meta", "name": CONTROL}
    for wrong in (
        good | {"access_token": [secret]},
        good | {"access_token": {"value": secret}},
        good | {"token": secret},
        good | {"access_token": token, "app_secret": secret},
        {"platform": secret, "access_token": secret},
    ):
        assert (await person.post(path, json=wrong)).status_code == 422
    expected = 201 if secret == token else 424  # a token that the platform does not know is refused there
    assert (await person.post(path, json=good | {"access_token": secret})).status_code == expected
    broken = f'{{"access_token": "{secret}"'.encode()
    assert (await person.post(path, content=broken, headers={"content-type": "application/json"})).status_code == 400


async def _connect_google(person: httpx2.AsyncClient, secret: str, token: str) -> None:
    """As a token, and as the secret of a client that Google does not know."""
    sent = {"platform": "google", "name": CONTROL, "refresh_token": secret}
    expected = 201 if secret == token else 424
    assert (await person.post("/api/v1/connections", json=sent)).status_code == expected
    wrong_client = sent | {"refresh_token": token, "client_id": "another", "client_secret": secret}
    assert (await person.post("/api/v1/connections", json=wrong_client)).status_code == 424


async def _misplace(client: httpx2.AsyncClient, secret: str) -> None:
    """Where a secret has no business: query, header, cookie, credential of the wrong kind."""
    for method, path in (("GET", "/ads/campaigns"), ("GET", "/me"), ("POST", "/connections")):
        await client.request(method, f"/api/v1{path}", params={"access_token": secret})
        await client.request(method, f"/api/v1{path}", headers={"x-api-key": secret, "cookie": f"token={secret}"})
    await client.get("/api/v1/me", headers={"authorization": f"Bearer {secret}x"})
    await client.get("/api/v1/me", headers={"authorization": f"Token {secret}"})
    await client.get("/login", params={"token": secret})
    await client.get("/local/status", headers={"authorization": f"Bearer {secret}-"})


async def _quoted(agent: httpx2.AsyncClient, secret: str) -> None:
    """As an ordinary argument, in a path and over MCP: what records and logs have to keep is kept masked."""
    await agent.post(f"/api/v1/connections/{secret}/test")
    await agent.get("/api/v1/ads/campaigns", params={"account_id": secret})
    for call in (modern, handshake):
        for name, arguments in (
            ("list_campaigns", {"cursor": secret}),
            ("list_campaigns", {"access_token": secret}),
            ("get_approval", {"approval_id": secret}),
            ("get_insights", {"since": secret}),
            ("create_connection", {"platform": "meta", "access_token": secret}),
        ):
            answer = await call(agent, "tools/call", {"name": name, "arguments": arguments})
            assert "error" in answer or answer["result"]["isError"]


@promise("dev.observability.sentry-redacted", "dev.connections.sealed", "dev.keys.columns")
async def test_no_secret_is_found_anywhere(journey: Journey) -> None:
    assert await asyncio.to_thread(journey.sink.arrived.wait, 10)
    outputs = journey.outputs()

    leaks = [
        f"{name} in {where}: …{_around(content, secret)}…"
        for where, content in outputs.items()
        for name, secret in journey.secrets.items()
        if secret.encode() in content
    ]
    assert not leaks, "\n".join(leaks)
    files = set() if ON_POSTGRESQL else {"adwright.db", "adwright.db-wal", "adwright.db-shm"}
    assert outputs.keys() >= files | {f"table {table}" for table in metadata.tables}
    # The probe sees what is there: the same text that stood beside each secret on its way.
    for where in ("stderr", "error reports", "answers"):
        assert CONTROL.encode() in outputs[where], where
    assert any(CONTROL.encode() in outputs[name] for name in files or ["table ad_sync_logs"])
    assert b"adwright_unexpected_errors_total 1.0" in outputs["answers"]
    assert b"RuntimeError" in outputs["error reports"]
    assert b"ada@adwright.test" not in outputs["error reports"]


def _around(content: bytes, secret: str) -> str:
    at = content.index(secret.encode())
    return content[max(0, at - 80) : at + 20].decode(errors="replace")
