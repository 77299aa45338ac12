"""The world of a task: the real door, loop and sandbox, set up as its fixture says and read at the platforms."""

import contextlib
import datetime as dt
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from hmac import new as hmac
from pathlib import Path
from typing import Any

from agent.model import ModelSettings
from tests.agent.talk import Talk, open_talk
from tests.evals import figures
from tests.evals.figures import Figure
from tests.evals.seen import Campaigns
from tests.evals.store import DOMAIN, SITE, WORKSPACE, ZONE
from tests.evals.task import Book, Fixture, Places, Task
from tests.tools.pixel.sites import add_site
from tests.world import DIRECT_KEY, OWNER, World, principal
from tools.analytics import PipeStore
from tools.authority import Principal, Role

_STATES = {"ENABLED": "ACTIVE", "REMOVED": "ARCHIVED"}
_WITHOUT_MINOR = frozenset({"JPY"})
_DAYS = range(-130, 8)
KEPT_MINUTES = 16
"""After which nothing that was read earlier is answered from what was kept."""
OUTLET = "4210007021"
"""The one customer of the sandbox that is reached without its manager."""


@dataclass
class Stage:
    talk: Talk
    by: Principal
    places: Places
    figures: Mapping[str, Figure]
    before: Campaigns
    writes_before: int

    @property
    def world(self) -> World:
        return self.talk.world


@contextlib.asynccontextmanager
async def open_stage(
    path: Path, book: Book, task: Task, *, shop: PipeStore | None = None, model: ModelSettings | None = None
) -> AsyncIterator[Stage]:
    """With `model` that one answers, else the sandbox's stand-in."""
    fixture = book.worlds[task.world]
    async with open_talk(path, pipes=shop if fixture.shop else None) as talk:
        if model is not None:
            talk.settings = model
            await talk.restart()
        if fixture.google:
            await talk.world.connect_google()
        known = await talk.world.campaigns()
        ids = {
            call: _found(known, name)
            for call, name in book.campaigns.items()
            if fixture.google or name.startswith("meta/")
        }
        await _furnish(talk.world, fixture, ids, shop)
        today = talk.world.clock.now.date()
        days = {"today": today.isoformat()} | {f"{n}d": (today + dt.timedelta(days=n)).isoformat() for n in _DAYS}
        places = Places(days | ids, {})
        read = await _figures(talk.world, book, task, places)
        places = Places(
            days | ids | {n: each.value for n, each in read.items()}, {n: each.shown for n, each in read.items()}
        )
        before, writes = await campaigns(talk.world), len(await talk.world.writes_seen())
        for fault in fixture.faults:
            await talk.world.break_next(**fault)
        if fixture.faults:
            talk.world.clock.pass_by(minutes=KEPT_MINUTES)
        yield Stage(talk, principal(Role(task.by)), places, read, before, writes)


def _found(known: Iterable[Mapping[str, Any]], described: str) -> str:
    """`platform/currency/name`: a name alone is not always of one campaign."""
    wanted = described.split("/", 2)
    return next(
        str(each["campaign_id"]) for each in known if [each["platform"], each["currency"], each["name"]] == wanted
    )


async def _furnish(world: World, fixture: Fixture, ids: Mapping[str, str], shop: Any) -> None:
    if fixture.shop:
        await add_site(world, SITE, domain=DOMAIN, name="Northwind Outlet", time_zone=ZONE)
    if fixture.visitors_now:
        await shop.append("pageviews", [_view(number) for number in range(fixture.visitors_now)])
    for campaign, name in fixture.names.items():
        await _renamed(world, ids[campaign], name)
    for tool, arguments in fixture.did:
        await world.call(DIRECT_KEY, tool, **Places(ids, {}).fill(arguments))
    if fixture.names:
        world.clock.pass_by(minutes=KEPT_MINUTES)


def _view(number: int) -> dict[str, Any]:
    at = dt.datetime.now(dt.UTC)
    name = sha256(f"{number} {at}".encode()).hexdigest()
    return {
        "workspace_id": WORKSPACE, "website_id": SITE, "ts": f"{at:%Y-%m-%d %H:%M:%S}.000", "event_id": name[:32],
        "visitor_id": f"now-{number}", "session_id": name[32:], "url": f"https://{DOMAIN}/", "host": DOMAIN,
        "path": "/", "channel": "direct",
    }  # fmt: skip


async def _figures(world: World, book: Book, task: Task, places: Places) -> dict[str, Figure]:
    read: dict[str, Any] = {}
    found = {}
    for name, described in task.figures.items():
        source, path, kind = figures.split(described)
        if source not in read:
            asked = book.sources[source]
            read[source] = await world.call(OWNER, asked.tool, **places.fill(asked.given))
        found[name] = Figure(figures.pick(read[source], places.words(path)), kind)
    return found


async def campaigns(world: World) -> dict[str, dict[str, Any]]:
    """Every campaign as its platform has it, asked there and not through the product."""
    answer = await world.sandbox.delete("/faults")
    assert answer.is_success
    known = (await world.sandbox.get("/")).json()
    return await _of_meta(world, known["meta"]) | await _of_google(world, known["google"])


async def _of_meta(world: World, known: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    found = {}
    for account in known["accounts"]:
        asked = _signed(known) | {
            "fields": "name,status,daily_budget", "limit": "200",
            "effective_status": '["ACTIVE","PAUSED","ARCHIVED"]',
        }  # fmt: skip
        answer = await world.sandbox.get(f"/meta/v26.0/{account['id']}/campaigns", params=asked)
        for row in answer.json()["data"]:
            budget = float(row.get("daily_budget", 0)) / (1 if account["currency"] in _WITHOUT_MINOR else 100)
            found[row["id"]] = {
                "platform": "meta",
                "name": row["name"],
                "status": row["status"],
                "daily_budget": budget,
            }
    return found


async def _of_google(world: World, known: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    names = ("client_id", "client_secret", "refresh_token")
    form = {name: known[name] for name in names} | {"grant_type": "refresh_token"}
    token = (await world.sandbox.post("/google/token", data=form)).json()["access_token"]
    found = {}
    for customer in known["customers"]:
        headers = {"authorization": f"Bearer {token}"}
        if customer != OUTLET:
            headers["login-customer-id"] = known["customers"][0]
        query = "SELECT campaign.id, campaign.name, campaign.status, campaign_budget.amount_micros FROM campaign"
        where = f"/google/v26/customers/{customer}/googleAds:search"
        answer = await world.sandbox.post(where, json={"query": query}, headers=headers)
        for row in answer.json().get("results", ()):
            told, micros = row["campaign"], float(row.get("campaignBudget", {}).get("amountMicros", 0))
            status = _STATES.get(told["status"], told["status"])
            found[told["id"]] = {
                "platform": "google",
                "name": told["name"],
                "status": status,
                "daily_budget": micros / 1e6,
            }
    return found


async def _renamed(world: World, campaign: str, name: str) -> None:
    known = (await world.sandbox.get("/")).json()["meta"]
    answer = await world.sandbox.post(f"/meta/v26.0/{campaign}", data=_signed(known) | {"name": name})
    assert answer.is_success, answer.text


def _signed(known: Mapping[str, Any]) -> dict[str, str]:
    token, secret = known["access_token"], known["app_secret"]
    return {"access_token": token, "appsecret_proof": hmac(secret.encode(), token.encode(), sha256).hexdigest()}
