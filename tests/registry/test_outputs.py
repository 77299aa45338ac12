"""Each capability, run for real: its answer fits its published schema, and it takes nothing it did not publish."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.world import AGENT, DIRECT_KEY, OWNER, World, open_world
from tools.capability import AnyCapability
from tools.catalog import catalog
from tools.schema import input_schema, output_schema

Arguments = Callable[[World], Awaitable[dict[str, Any]]]
LEADS = "Leads | Size guide download"

every = pytest.mark.parametrize("capability", list(catalog), ids=lambda capability: capability.name)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path) as opened:
        yield opened


async def nothing(_: World) -> dict[str, Any]:
    return {}


async def connection(world: World) -> dict[str, Any]:
    return {"connectionId": (await world.call(OWNER, "list_connections"))["items"][0]["id"]}


async def token(world: World) -> dict[str, Any]:
    return {"platform": "meta", "access_token": (await world.sandbox.get("/")).json()["meta"]["access_token"]}


async def campaign(world: World) -> dict[str, Any]:
    return {"campaign_id": (await world.campaign(name=LEADS))["campaign_id"]}


async def new_campaign(_: World) -> dict[str, Any]:
    return {
        "account_id": "act_702114450310001", "name": "Spring", "objective": "sales", "daily_budget": 30.35,
        "special_ad_categories": ["HOUSING"],
    }  # fmt: skip


async def new_budget(world: World) -> dict[str, Any]:
    return await campaign(world) | {"daily_budget": 40.35}


async def figures(world: World) -> dict[str, Any]:
    await world.break_next("html", target="meta:act_702114450310002:insights", times=9)
    return {"breakdown": "campaign"}


async def rows(world: World) -> dict[str, Any]:
    await world.break_next("html", target="meta:act_702114450310002:campaigns", times=9)
    return {}


async def rule(world: World) -> dict[str, Any]:
    await world.break_next("expired_token", target="meta:12023100010000004:write")
    return {"since": "2026-11-01", "until": "2026-11-15", "roas_below": 1.5, "min_spend": 100.5}


async def change(world: World) -> dict[str, Any]:
    await world.call(DIRECT_KEY, "update_campaign", **await new_budget(world))
    return {}


async def undo(world: World) -> dict[str, Any]:
    await change(world)
    return {"change_id": (await world.call(OWNER, "list_changes"))["items"][0]["id"]}


async def approval(world: World) -> dict[str, Any]:
    return {"approval_id": (await world.propose(AGENT, "update_campaign", **await new_budget(world)))["id"]}


async def approvals(world: World) -> dict[str, Any]:
    await world.call(OWNER, "approve", **await approval(world))
    await world.call(OWNER, "deny", **await second(world), reason="no")
    await world.propose(AGENT, "update_campaign", **await campaign(world), status="PAUSED")
    return {}


async def second(world: World) -> dict[str, Any]:
    return {"approval_id": (await world.propose(AGENT, "update_campaign", **await campaign(world), name="N"))["id"]}


async def new_key(_: World) -> dict[str, Any]:
    return {"name": "Reports", "scopes": ["ads:read"], "rate": 5, "expires_days": 3}


async def key(world: World) -> dict[str, Any]:
    return {"key_id": (await world.call(OWNER, "create_api_key", **await new_key(world)))["id"]}


async def keys(world: World) -> dict[str, Any]:
    await key(world)
    return {}


async def limits(_: World) -> dict[str, Any]:
    return {"campaign_daily_ceiling": 99.35, "approvals": "client"}


RUNS: dict[str, Arguments] = {
    "whoami": nothing,
    "get_workspace_settings": nothing,
    "update_workspace_settings": limits,
    "list_connections": nothing,
    "create_connection": token,
    "test_connection": connection,
    "delete_connection": connection,
    "list_campaigns": rows,
    "create_campaign": new_campaign,
    "update_campaign": new_budget,
    "delete_campaign": campaign,
    "pause_low_roas_campaigns": rule,
    "get_insights": figures,
    "list_changes": change,
    "undo_change": undo,
    "list_approvals": approvals,
    "get_approval": approval,
    "approve": approval,
    "deny": approval,
    "list_api_keys": keys,
    "create_api_key": new_key,
    "revoke_api_key": key,
}


def test_every_capability_is_run_here() -> None:
    assert RUNS.keys() == {capability.name for capability in catalog}


@every
async def test_an_answer_fits_its_schema(world: World, capability: AnyCapability) -> None:
    arguments = await RUNS[capability.name](world)
    jsonschema.validate(arguments, input_schema(capability.input), cls=jsonschema.Draft202012Validator)

    answer = await world.call(OWNER, capability.name, **arguments)

    jsonschema.validate(answer, closed(output_schema(capability.output)), cls=jsonschema.Draft202012Validator)


@every
async def test_what_was_not_published_is_not_taken(world: World, capability: AnyCapability) -> None:
    arguments = await RUNS[capability.name](world)

    unknown = await world.refusal(OWNER, capability.name, **arguments, workspace_id="wsp_south")
    assert [problem["field"] for problem in unknown.details["problems"]] == ["workspace_id"]
    for name in capability.input.model_fields:
        null = await world.refusal(OWNER, capability.name, **(arguments | {name: None}))
        assert (null.code, name in null.message) == ("invalid_arguments", True)


@every
async def test_what_is_required_is_missed(world: World, capability: AnyCapability) -> None:
    for name in input_schema(capability.input).get("required", ()):
        arguments = {key: value for key, value in (await RUNS[capability.name](world)).items() if key != name}
        error = await world.refusal(OWNER, capability.name, **arguments)
        assert (error.code, error.details["problems"][0]["field"]) == ("invalid_arguments", name)


def closed(schema: Any) -> Any:
    """The schema with nothing more allowed than it names, so that an answer cannot say what is not published."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: closed(value) for key, value in schema.items()}
    return (
        inner | {"additionalProperties": False} if "properties" in schema and schema.get("type") == "object" else inner
    )
