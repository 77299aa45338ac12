"""Each capability, run for real: its answer fits its published schema, and it takes nothing it did not publish."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from sqlalchemy import Table

from tests.conversations import told as conversed
from tests.world import AGENT, DIRECT_KEY, NOON, OWNER, World, open_world
from tools.capability import AnyCapability
from tools.catalog import catalog
from tools.schema import input_schema, output_schema
from tools.store import tables
from tools.store.tenant import Rows

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


async def conversation(world: World) -> dict[str, Any]:
    return {
        "conversationId": await conversed(world.store, "wsp_north", OWNER.user, branched_from="cnv_1", branched_turn=1)
    }


async def waiting_conversation(world: World) -> dict[str, Any]:
    held = (await approval(world))["approval_id"]
    return {"conversationId": await conversed(world.store, "wsp_north", OWNER.user, turns=2, approval=held)}


async def new_title(world: World) -> dict[str, Any]:
    return await conversation(world) | {"title": "Black Friday"}


async def conversations(world: World) -> dict[str, Any]:
    await conversation(world)
    await conversation(world)
    return {"q": "hello", "limit": 1}


async def conversations_of_the_month(world: World) -> dict[str, Any]:
    await conversed(world.store, "wsp_north", OWNER.user, at=int(NOON.timestamp() * 1000))
    return {}


async def new_key(_: World) -> dict[str, Any]:
    return {"name": "Reports", "scopes": ["ads:read"], "rate": 5, "expires_days": 3}


async def key(world: World) -> dict[str, Any]:
    return {"key_id": (await world.call(OWNER, "create_api_key", **await new_key(world)))["id"]}


async def keys(world: World) -> dict[str, Any]:
    await key(world)
    return {}


async def limits(_: World) -> dict[str, Any]:
    return {"campaign_daily_ceiling": 99.35, "approvals": "client"}


async def new_website(_: World) -> dict[str, Any]:
    return {"domain": "shop.example.com", "time_zone": "Europe/Berlin", "allow_localhost": True}


async def website(world: World) -> dict[str, Any]:
    """The one there is, for a domain is counted once."""
    held = (await world.call(OWNER, "list_websites"))["items"]
    made = held[0] if held else await world.call(OWNER, "create_website", **await new_website(world))
    return {"websiteId": made["id"]}


async def websites(world: World) -> dict[str, Any]:
    await website(world)
    return {}


async def moved_website(world: World) -> dict[str, Any]:
    return await website(world) | {"domain": "example.com", "name": "Moved"}


async def new_goal(world: World) -> dict[str, Any]:
    return await website(world) | {"name": "Signup", "selector": "event:signup"}


async def goal(world: World) -> dict[str, Any]:
    return {"goal_id": (await world.call(OWNER, "create_goal", **await new_goal(world)))["id"]}


async def changed_goal(world: World) -> dict[str, Any]:
    return await goal(world) | {"selector": "path:/welcome"}


async def new_funnel(world: World) -> dict[str, Any]:
    steps = [{"type": "path", "op": "starts_with", "value": "/shop"}, {"type": "payment"}]
    return await website(world) | {"name": "Buy", "steps": steps, "window_s": 3600}


async def funnel(world: World) -> dict[str, Any]:
    return {"funnel_id": (await world.call(OWNER, "create_funnel", **await new_funnel(world)))["id"]}


async def changed_funnel(world: World) -> dict[str, Any]:
    return await funnel(world) | {"window_s": 60}


async def new_share_link(world: World) -> dict[str, Any]:
    return await website(world) | {"name": "Board", "expires_days": 3}


async def share_link(world: World) -> dict[str, Any]:
    return {"share_link_id": (await world.call(OWNER, "create_share_link", **await new_share_link(world)))["id"]}


async def changed_share_link(world: World) -> dict[str, Any]:
    return await share_link(world) | {"remove_expiry": True}


async def goals(world: World) -> dict[str, Any]:
    await goal(world)
    return {}


async def funnels(world: World) -> dict[str, Any]:
    await funnel(world)
    return {}


async def share_links(world: World) -> dict[str, Any]:
    await share_link(world)
    return {}


async def pipe(world: World) -> dict[str, Any]:
    return await website(world) | {"pipe": "p_top_pages", "since": "2026-11-01", "until": "2026-11-20"}


async def visitor(world: World) -> dict[str, Any]:
    return await website(world) | {"visitor_id": "v_abc"}


async def payment(world: World) -> dict[str, Any]:
    return {"website_id": (await website(world))["websiteId"], "name": "payment", "amount": 99.5, "currency": "USD"}


async def identity(world: World) -> dict[str, Any]:
    site = (await website(world))["websiteId"]
    traits = [{"key": "plan", "value": "pro"}]
    return {"website_id": site, "visitor_id": "v_abc", "external_id": "jane@example.com", "traits": traits}


async def pages(world: World) -> dict[str, Any]:
    row = {"path": "/", "visitors": 3, "pageviews": 4, "bounce_rate": 0.5}
    world.pipes.rows["p_top_pages"] = [row, row]
    return await pipe(world) | {"limit": 1}


async def metric(_: World) -> dict[str, Any]:
    return {"pipe": "p_attributed_revenue"}


async def health(world: World) -> dict[str, Any]:
    held = await website(world)
    row = {"website_id": held["websiteId"], "last_event_at": "2026-11-20 11:59:00.000", "events_5m": 1}
    counted = {"events_24h": 2, "bots_24h": 1, "quarantined_24h": 1}
    drops = [{"reason": "wrong_domain", "events": 1}]
    world.pipes.rows["p_pixel_healthcheck"] = [row | counted | {"drops_24h": drops}]
    return held


async def told(world: World, table: Table, row: dict[str, Any]) -> dict[str, Any]:
    """A list of what no capability creates."""
    held = await website(world)
    rows = Rows(world.store, "wsp_north")
    made = rows.insert(table, id="row_1", website_id=held["websiteId"], created_at=1, **row)
    await world.store.write(lambda tx: tx.run(made))
    return held


async def alerts(world: World) -> dict[str, Any]:
    return await told(world, tables.alerts, {"metric": "visitors", "threshold": "< 5", "channel": "email"})


async def reports(world: World) -> dict[str, Any]:
    row = {"cadence": "daily", "recipients": ["ada@example.com"], "last_sent_at": 5}
    return await told(world, tables.reports, row)


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
    "list_websites": websites,
    "create_website": new_website,
    "update_website": moved_website,
    "delete_website": website,
    "list_goals": goals,
    "create_goal": new_goal,
    "update_goal": changed_goal,
    "delete_goal": goal,
    "list_funnels": funnels,
    "create_funnel": new_funnel,
    "update_funnel": changed_funnel,
    "delete_funnel": funnel,
    "list_share_links": share_links,
    "create_share_link": new_share_link,
    "update_share_link": changed_share_link,
    "delete_share_link": share_link,
    "list_alerts": alerts,
    "list_reports": reports,
    "get_install_snippet": website,
    "check_installation": health,
    "list_metrics": nothing,
    "describe_metric": metric,
    "query_metrics": pages,
    "get_pipe_token": pipe,
    "get_visitor": visitor,
    "record_event": payment,
    "identify_visitor": identity,
    "list_approvals": approvals,
    "get_approval": approval,
    "approve": approval,
    "deny": approval,
    "list_conversations": conversations,
    "get_conversation": waiting_conversation,
    "rename_conversation": new_title,
    "delete_conversation": conversation,
    "get_usage": conversations_of_the_month,
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
