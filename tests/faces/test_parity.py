"""The same principal gets the same result, proposal, error and audit row through every face, for the whole registry."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from tests.app import Caller, Product
from tests.conversations import told as conversed
from tests.faces.faces import FACES, Answer, Log, at_rest
from tests.promises import promise
from tools.capability import AnyCapability
from tools.catalog import catalog

TODAY = dt.datetime.now(dt.UTC).date()
WEEK = {"since": str(TODAY - dt.timedelta(days=7)), "until": str(TODAY - dt.timedelta(days=1))}
STEPS = [{"type": "path", "value": "/"}, {"type": "payment"}]
EVERY = pytest.mark.parametrize("capability", catalog, ids=lambda capability: str(capability.name))


@dataclass(frozen=True)
class Scene:
    """Ids of one workspace, of everything a capability can be about."""

    campaign: str
    account: str
    connection: str
    change: str
    approval: str
    key: str
    website: str
    goal: str
    funnel: str
    share_link: str
    conversation: str


# What a person would send, for every capability there is.
VALID: dict[str, Any] = {
    "whoami": lambda _: {},
    "get_workspace_settings": lambda _: {},
    "update_workspace_settings": lambda _: {"warn_change_percent": 30},
    "list_connections": lambda _: {"platform": "meta"},
    "create_connection": lambda _: {"platform": "meta", "access_token": "EAAB" + "x" * 40},
    "test_connection": lambda scene: {"connectionId": scene.connection},
    "delete_connection": lambda scene: {"connectionId": scene.connection},
    "list_campaigns": lambda _: {"status": "ACTIVE", "limit": 3},
    "create_campaign": lambda scene: {
        "name": "Parity", "objective": "sales", "daily_budget": 12.5, "account_id": scene.account,
    },
    "update_campaign": lambda scene: {"campaign_id": scene.campaign, "name": "Parity"},
    "delete_campaign": lambda scene: {"campaign_id": scene.campaign, "mode": "archive"},
    "pause_low_roas_campaigns": lambda _: WEEK | {"roas_below": 1.5, "min_spend": 100},
    "get_insights": lambda scene: WEEK | {"breakdown": "campaign", "account_id": scene.account, "limit": 2},
    "list_changes": lambda scene: {"campaign_id": scene.campaign, "limit": 5},
    "undo_change": lambda scene: {"change_id": scene.change},
    "list_websites": lambda _: {"limit": 5},
    "create_website": lambda _: {"domain": "parity.example.org", "time_zone": "Europe/Berlin", "currency": "EUR"},
    "update_website": lambda scene: {"websiteId": scene.website, "name": "Parity"},
    "delete_website": lambda scene: {"websiteId": scene.website},
    "list_goals": lambda scene: {"websiteId": scene.website},
    "create_goal": lambda scene: {"websiteId": scene.website, "name": "Parity", "selector": "event:parity"},
    "update_goal": lambda scene: {"goal_id": scene.goal, "name": "Parity"},
    "delete_goal": lambda scene: {"goal_id": scene.goal},
    "list_funnels": lambda scene: {"websiteId": scene.website},
    "create_funnel": lambda scene: {"websiteId": scene.website, "name": "Parity", "steps": STEPS},
    "update_funnel": lambda scene: {"funnel_id": scene.funnel, "window_s": 60},
    "delete_funnel": lambda scene: {"funnel_id": scene.funnel},
    "list_share_links": lambda scene: {"websiteId": scene.website},
    "create_share_link": lambda scene: {"websiteId": scene.website, "name": "Parity"},
    "update_share_link": lambda scene: {"share_link_id": scene.share_link, "name": "Parity"},
    "delete_share_link": lambda scene: {"share_link_id": scene.share_link},
    "list_alerts": lambda _: {"limit": 5},
    "list_reports": lambda _: {"limit": 5},
    "get_install_snippet": lambda scene: {"websiteId": scene.website, "framework": "nextjs", "consent": True},
    "check_installation": lambda scene: {"websiteId": scene.website},
    "list_metrics": lambda _: {},
    "describe_metric": lambda _: {"pipe": "p_top_pages"},
    "query_metrics": lambda scene: WEEK | {"pipe": "p_top_pages", "websiteId": scene.website, "limit": 2},
    "get_pipe_token": lambda scene: WEEK | {"pipe": "p_top_pages", "websiteId": scene.website},
    "get_visitor": lambda scene: {"visitor_id": "v_abc", "websiteId": scene.website},
    "record_event": lambda scene: {
        "website_id": scene.website, "name": "payment", "visitor_id": "v_abc", "amount": 99.5, "currency": "USD",
        "event_id": "e-1",
    },
    "identify_visitor": lambda scene: {
        "website_id": scene.website, "visitor_id": "v_abc", "external_id": "jane@example.com",
        "traits": {"plan": "pro"},
    },
    "list_approvals": lambda _: {"status": "pending"},
    "get_approval": lambda scene: {"approval_id": scene.approval},
    "approve": lambda scene: {"approval_id": scene.approval},
    "deny": lambda scene: {"approval_id": scene.approval, "reason": "no"},
    "list_conversations": lambda _: {"q": "hello", "surface": "ads", "limit": 5},
    "get_conversation": lambda scene: {"conversationId": scene.conversation},
    "rename_conversation": lambda scene: {"conversationId": scene.conversation, "title": "Parity"},
    "delete_conversation": lambda scene: {"conversationId": scene.conversation},
    "get_usage": lambda _: {},
    "list_api_keys": lambda _: {},
    "create_api_key": lambda _: {"name": "Parity", "scopes": ["ads:read"]},
    "revoke_api_key": lambda scene: {"key_id": scene.key},
}  # fmt: skip

# A value that no face can take for a right one, where a capability has a field at all.
WRONG: dict[str, dict[str, Any]] = {
    "update_workspace_settings": {"warn_change_percent": "much"},
    "list_connections": {"platform": "myspace"},
    "create_connection": {"platform": 7},
    "test_connection": {"connectionId": "nonsense"},
    "delete_connection": {"connectionId": "nonsense"},
    "list_campaigns": {"limit": 5001},
    "create_campaign": {"daily_budget": "12.50"},
    "update_campaign": {"daily_budget": True},
    "delete_campaign": {"mode": "explode"},
    "pause_low_roas_campaigns": {"roas_below": 0},
    "get_insights": {"since": "yesterday"},
    "list_changes": {"limit": 0},
    "undo_change": {"change_id": "nonsense"},
    "list_websites": {"limit": 1001},
    "create_website": {"domain": "https://parity.example.org"},
    "update_website": {"time_zone": "Mars/Olympus"},
    "delete_website": {"websiteId": "nonsense"},
    "list_goals": {"websiteId": "nonsense"},
    "create_goal": {"selector": ""},
    "update_goal": {"name": 7},
    "delete_goal": {"goal_id": "nonsense"},
    "list_funnels": {"limit": 0},
    "create_funnel": {"steps": [{"type": "sql"}]},
    "update_funnel": {"window_s": 59},
    "delete_funnel": {"funnel_id": "nonsense"},
    "list_share_links": {"cursor": "nonsense"},
    "create_share_link": {"expires_days": 0},
    "update_share_link": {"remove_expiry": "yes"},
    "delete_share_link": {"share_link_id": "nonsense"},
    "list_alerts": {"limit": 0},
    "list_reports": {"limit": 0},
    "get_install_snippet": {"framework": "cobol"},
    "check_installation": {"websiteId": "nonsense"},
    "describe_metric": {"pipe": "p_nothing"},
    "query_metrics": {"model": "linear"},
    "get_pipe_token": {"since": "yesterday"},
    "get_visitor": {"visitor_id": "v" * 200},
    "record_event": {"name": "purchase"},
    "identify_visitor": {"traits": "plan"},
    "list_approvals": {"status": "lost"},
    "get_approval": {"approval_id": "nonsense"},
    "approve": {"amount": "lots"},
    "deny": {"reason": 7},
    "list_conversations": {"surface": "billboards"},
    "get_conversation": {"conversationId": "nonsense"},
    "rename_conversation": {"title": ""},
    "delete_conversation": {"conversationId": "nonsense"},
    "create_api_key": {"scopes": ["everything"]},
    "revoke_api_key": {"key_id": "nonsense"},
}

# The fields that name something of the workspace, and the scene's own of each.
IDS = {
    "campaign_id": "campaign",
    "connectionId": "connection",
    "change_id": "change",
    "approval_id": "approval",
    "key_id": "key",
    "websiteId": "website",
    "goal_id": "goal",
    "funnel_id": "funnel",
    "share_link_id": "share_link",
    "conversationId": "conversation",
}

# What a row of the log says about the call; the rest says when, under which request id and through which face.
AUDITED = (
    "action", "status", "error_message", "principal_id", "approval_id", "cache_key", "payload_digest", "payload",
)  # fmt: skip

MOMENTS = {"asOf", "as_of", "checkedAt", "expires_at", "lastUsedAt", "token", "cache"}
"""When something was read, used or minted, which differs between two calls through the same face too."""


async def furnished(product: Product, person: Caller) -> Scene:
    """A connection, a change that was made, a key, and an agent's proposal that waits."""
    connection = await product.connect(person)
    campaign = next(row for row in await person.data("GET", "/ads/campaigns") if row["status"] == "PAUSED")
    campaign_id = campaign["campaign_id"]
    await person.data("PATCH", f"/ads/campaigns/{campaign_id}", {"name": f"Renamed {connection}"})
    (change,) = await person.data("GET", "/changes")
    spare = await person.data("POST", "/api-keys", {"name": "Spare", "scopes": ["ads:read"]})
    agent = await person.data("POST", "/api-keys", {"name": "Agent", "scopes": ["ads:write"]})
    proposal = await product.bearer(agent["key"]).refusal(
        202, "PATCH", f"/ads/campaigns/{campaign_id}", {"name": "Proposed"}
    )
    approval = proposal["approval"]["id"]
    website = (await person.data("POST", "/pixel/websites", {"domain": f"{connection[4:]}.example.com"}))["id"]
    goal = await person.data("POST", "/pixel/goals", {"name": "Signup", "selector": "event:signup"})
    funnel = await person.data("POST", "/pixel/funnels", {"name": "Buy", "steps": STEPS})
    share_link = await person.data("POST", "/pixel/share-links", {"name": "Board"})
    me = await person.data("GET", "/me")
    conversation = await conversed(product.house.store, me["workspaceId"], me["principalId"])
    return Scene(
        campaign_id, campaign["account_id"], connection, change["id"], approval, spare["id"], website, goal["id"],
        funnel["id"], share_link["id"], conversation,
    )  # fmt: skip


def cases(capability: AnyCapability, scene: Scene, strangers: Scene) -> dict[str, dict[str, Any]]:
    """What is sent, by what is right or wrong with it."""
    valid: dict[str, Any] = VALID[capability.name](scene)
    sent = {"valid": valid, "unknown field": valid | {"workspaceId": "wsp_other"}}
    if capability.input.model_fields:
        sent["wrong value"] = valid | WRONG[capability.name]
    foreign = {name: getattr(strangers, IDS[name]) for name in IDS if name in capability.rest.path_fields}
    if foreign.pop("campaign_id", None):  # both workspaces reach the same platform; a connection tells them apart
        foreign["connectionId"] = strangers.connection
    if foreign:
        sent["a stranger's id"] = valid | foreign
    return sent


def comparable(value: Any) -> Any:
    """Without request ids and the moments of reading."""
    if isinstance(value, Mapping):
        return {name: comparable(each) for name, each in value.items() if name not in MOMENTS | {"meta"}}
    return [comparable(each) for each in value] if isinstance(value, list) else value


def told(capability: AnyCapability, answer: Answer) -> Any:
    data = comparable(answer.data)
    if capability.name == "whoami" and answer.kind == "ok":
        assert data.pop("via") in {"key", "mcp"}  # the one fact about a call that is not the same everywhere
    return answer.kind, data


def test_every_capability_has_its_arguments_here() -> None:
    assert VALID.keys() == {capability.name for capability in catalog}
    assert WRONG.keys() == {capability.name for capability in catalog if capability.input.model_fields}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scenes(one_product: Product) -> tuple[Scene, Scene]:
    """Of a workspace and of a stranger's. A key does nothing to them: what it asks for waits for a person."""
    theirs, stranger = await one_product.second_workspace()
    scenes = await furnished(one_product, await one_product.person()), await furnished(one_product, stranger)
    for workspace, scene in zip((one_product.home, theirs), scenes, strict=True):
        await at_rest(one_product, workspace, scene.connection)
    return scenes


@promise("dev.overview.one-surface")
@EVERY
@pytest.mark.asyncio(loop_scope="module")
async def test_every_face_answers_the_same(
    shared: Product, scenes: tuple[Scene, Scene], capability: AnyCapability
) -> None:
    key = await shared.key()
    log = Log(shared)
    await log.new()
    seen: list[str] = []
    for case, arguments in cases(capability, *scenes).items():
        answers, rows = {}, {}
        for face, call in FACES.items():
            answers[face] = await call(key, capability.name, arguments)
            shared.house.audit._end_minute()  # what is told once a minute is told of this one call
            rows[face] = await log.new()
        seen += differences(capability, case, answers, rows)
    assert not seen, "\n".join(seen)


async def test_every_face_names_what_is_missing_and_how_old_the_rest_is(product: Product) -> None:
    await product.connect(await product.person())
    key = await product.key()
    broken, *_ = [account["id"] for account in product.known["accounts"]]
    for name in ("list_campaigns", "get_insights"):
        await product.break_next("html", f"meta:{broken}", times=99)
        for face, call in FACES.items():
            answer = await call(key, name, {"limit": 5})
            assert [gap["account_id"] for gap in answer.data["gaps"]] == [broken], (name, face)
            assert answer.data["cache"].keys() == {"hit", "ageSeconds"}, (name, face)


def differences(
    capability: AnyCapability, case: str, answers: dict[str, Answer], rows: dict[str, list[dict[str, Any]]]
) -> list[str]:
    """One line for each way in which a face differs from REST."""
    expected, found = told(capability, answers["REST"]), []
    for face, answer in answers.items():
        if not capability.for_models and face.startswith("MCP"):
            if answer.kind != "absent" or rows[face]:
                found.append(f"{face}, {case}: {capability.name} is not for models, yet {answer}")
            continue
        if told(capability, answer) != expected:
            found.append(f"{face}, {case}:\n  {told(capability, answer)}\n  REST:\n  {expected}")
        if (audited := [audit(row) for row in rows[face]]) != [audit(row) for row in rows["REST"]]:
            found.append(f"{face}, {case}, audit:\n  {audited}\n  REST:\n  {[audit(row) for row in rows['REST']]}")
    if capability.human_only and answers["REST"].code != "human_required":
        found.append(f"REST, {case}: {answers['REST']}")
    if len(rows["REST"]) != 1:
        found.append(f"{case}: {len(rows['REST'])} audit rows for one call")
    if case == "valid" and not capability.human_only and answers["REST"].kind == "refused":
        found.append(f"{case}: refused, so nothing was compared: {answers['REST']}")
    if case != "valid" and answers["REST"].kind != "refused":
        found.append(f"{case}: was not refused: {answers['REST']}")
    return found


def audit(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in AUDITED}
