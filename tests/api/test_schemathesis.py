"""An outside judge drives the documented API of the real product: what the document says is what the server does."""

import asyncio
import contextlib
import datetime as dt
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from itertools import count
from pathlib import Path

import pytest

from tests.api.streams import first, turn
from tests.app import Caller, Product, open_product
from tests.conversations import told
from tools.catalog import catalog

EXAMPLES = int(os.environ.get("ADWRIGHT_SCHEMATHESIS_EXAMPLES", "200"))
FOR_PEOPLE = [capability.name for capability in catalog if capability.human_only]
SHARES = {"session": len(catalog), "key": len(catalog) - len(FOR_PEOPLE)}
"""The operations each caller is judged by; every one of them gets the same share of the examples."""

MILLISECONDS_A_HIT = 950
"""How fast the limits' clock runs: calls that are counted twice are refused now and then, not most of the time."""

CONFIG = f"""
hooks = "{Path(__file__).with_name("schemathesis_hooks.py")}"

[generation]
deterministic = true
allow-x00 = false # refused everywhere, and told; no schema says so, as every text would need a pattern

[phases.fuzzing]
# With values of earlier answers the same seed is another case each time, and Hypothesis then gives an operation up.
extra-data-sources.responses = false

[phases.stateful.generation]
max-examples = {max(1, EXAMPLES // 100)} # chains of several calls each
"""
# Whoever connects needs a real token, and everybody would then see each account twice. A new campaign needs an account,
# a budget and a day that fit each other, which is luck. A few examples an operation may all be refused; then the judge
# asks for nothing more.
REACHED_CONFIG = f"""
[checks.EveryOperationIsReached]
enabled = {str(EXAMPLES >= 2000).lower()}
never = ["create_campaign", "create_connection"]
"""

Known = Mapping[str, Sequence[str | float]]


@pytest.fixture
async def product(tmp_path: Path) -> AsyncIterator[Product]:
    ticks = count(step=MILLISECONDS_A_HIT)
    async with open_product(tmp_path, limits_clock=lambda: next(ticks), analytics=True) as product:
        yield product


@pytest.fixture
async def person(product: Product) -> Caller:
    return await product.person()


@pytest.fixture
async def key(product: Product) -> Caller:
    return await product.key()


@pytest.fixture
async def known(product: Product, person: Caller, key: Caller) -> Known:
    """What exists, and what fits it, by the name of its argument: so that the judge gets past the first refusal."""
    connection = await product.connect(person)
    campaigns = await person.data("GET", "/ads/campaigns", limit=500)
    (connected,) = await person.data("GET", "/connections")
    waiting = []
    for campaign in [campaign for campaign in campaigns if campaign["status"] == "ACTIVE"]:
        path = f"/ads/campaigns/{campaign['campaign_id']}"
        await person.data("PATCH", path, {"name": f"{campaign['name']} II"})
        waiting.append(await key.refusal(202, "PATCH", path, {"status": "PAUSED"}))
    keys = [await person.data("POST", "/api-keys", {"name": "Spare", "scopes": ["ads:read"]}) for _ in range(20)]
    conversation = first(await turn(person, "Hello?"), "run_started")["conversationId"]
    me = await person.data("GET", "/me")
    for _ in range(20):  # enough of them for each deletion the judge tries
        await told(product.house.store, me["workspaceId"], me["principalId"])
    conversations = [row["id"] for row in await person.data("GET", "/chat")]
    return await with_websites(person) | {
        "conversationId": [conversation, *conversations],
        "replacesTurn": [1],
        "campaign_id": [campaign["campaign_id"] for campaign in campaigns],
        "account_id": [account["account_id"] for account in connected["accounts"]],
        "connectionId": [connection],
        "key_id": [spare["id"] for spare in keys],
        "approval_id": [answer["approval"]["id"] for answer in waiting],
        "daily_budget": [12.5, 45, 150, 200, 2000, 30000],
        "start_date": [(dt.date.today() + dt.timedelta(days=days)).isoformat() for days in (2, 30)],  # noqa: DTZ011 - any zone's future
        "change_id": [change["id"] for change in await person.data("GET", "/changes", limit=500)],
    }


async def with_websites(person: Caller) -> dict[str, list[str | float]]:
    """Two, so that none is implied, and enough of what belongs to them for each deletion the judge tries."""
    made = [
        await person.data("POST", "/pixel/websites", {"domain": domain}) for domain in ("one.example", "two.example")
    ]
    of = {"websiteId": made[0]["id"], "name": "Spare"}
    steps = [{"type": "path", "value": "/"}, {"type": "payment"}]
    bodies: dict[str, dict[str, object]] = {
        "goals": {"selector": "event:spare"},
        "funnels": {"steps": steps},
        "share-links": {},
    }
    spare = {
        path: [(await person.data("POST", f"/pixel/{path}", of | body))["id"] for _ in range(10)]
        for path, body in bodies.items()
    }
    return {
        "websiteId": [website["id"] for website in made],
        "goal_id": spare["goals"],
        "funnel_id": spare["funnels"],
        "share_link_id": spare["share-links"],
        "domain": [f"shop{number}.example.com" for number in range(50)],
        "time_zone": ["UTC", "Europe/Berlin", "America/New_York"],
        "currency": ["USD", "EUR", "JPY"],
        "website_id": [website["id"] for website in made],
        "pipe": ["p_top_pages", "p_geo", "p_mer"],
    }


@pytest.fixture
async def cursors(person: Caller, known: Known) -> Mapping[str, str]:  # noqa: ARG001 - what is listed has to be there
    """A second page of every listing."""
    listings = (
        "list_campaigns", "list_changes", "list_approvals", "list_websites", "list_goals", "list_funnels",
        "list_share_links", "list_conversations",
    )  # fmt: skip
    pages = {name: await person("GET", catalog[name].rest.path, limit=1) for name in listings}
    return {name: page.json()["meta"]["next_cursor"] for name, page in pages.items()}


# To judge takes minutes: each caller is judged on one of the databases.


@pytest.mark.slow
@pytest.mark.sqlite
async def test_schemathesis_finds_nothing_as_a_person(
    product: Product, person: Caller, known: Known, cursors: Mapping[str, str], tmp_path: Path
) -> None:
    signed_in = f'auth.openapi.session.api_key = "{person.http.cookies["adwright_session"]}"'
    origin = f'headers = {{ Origin = "{product.url}" }}'
    config = [signed_in, origin, config_of(known), CONFIG, REACHED_CONFIG, config_of_cursors(cursors)]

    await judged(product, config, tmp_path)


@pytest.mark.slow
@pytest.mark.postgresql
async def test_schemathesis_finds_nothing_as_a_key(
    product: Product, key: Caller, known: Known, cursors: Mapping[str, str], tmp_path: Path
) -> None:
    bearer = f'auth.openapi.apiKey.bearer = "{key.key}"'
    config = [bearer, config_of(known), CONFIG, REACHED_CONFIG, config_of_cursors(cursors)]

    await judged(product, config, tmp_path, *(f"--exclude-operation-id={name}" for name in FOR_PEOPLE))


def config_of(known: Known) -> str:
    """Four times in five a value that exists, wherever an argument of its name is sent."""
    dictionaries = [f"dictionaries.{name}.values = {json.dumps(values)}" for name, values in known.items()]
    bound = [
        f'parameters."{where}.{name}" = {{ dictionary = "{name}", probability = 0.8 }}'
        for name in known
        for where in ("path", "query", "body")
    ]
    return "\n".join(dictionaries + bound)


def config_of_cursors(cursors: Mapping[str, str]) -> str:
    return "\n".join(
        f'[dictionaries.page_{name}]\nvalues = ["{cursor}"]\n'
        f'[[operations]]\ninclude-operation-id = "{name}"\n'
        f'parameters."query.cursor" = {{ dictionary = "page_{name}", probability = 0.9 }}'
        for name, cursor in cursors.items()
    )


async def judged(product: Product, config: Sequence[str], directory: Path, *options: str) -> None:
    path = directory / "schemathesis.toml"
    path.write_text("\n".join(config), encoding="utf-8")
    judge = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "schemathesis.cli",
        f"--config-file={path}",
        "run",
        f"{product.url}/api/v1/openapi.json",
        f"--url={product.url}",
        f"--max-examples={max(1, EXAMPLES // sum(SHARES.values()))}",
        "--continue-on-failure",
        "--no-color",
        "--warnings=off",
        *options,
        cwd=directory,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        told, _ = await judge.communicate()
    finally:
        with contextlib.suppress(ProcessLookupError):
            judge.kill()
    assert judge.returncode == 0, told.decode()
