"""What every conversation of a version begins with, exactly."""

import json
from hashlib import sha256

import pytest

from agent.snapshot import prompt, snapshot
from tools.authority import Scope
from tools.capability import Effect
from tools.catalog import catalog
from tools.finding import shown
from tools.surfaces import ads_chat, analytics_chat

VERSIONS = {("ads", 1): "4ba0275510112f1c", ("analytics", 1): "0ed87434300cae60", ("title", 1): "f4c5a840229b7bba"}


@pytest.mark.parametrize("surface", ["ads", "analytics", "title"])
def test_a_changed_prompt_is_a_new_version(surface: str) -> None:
    """Old conversations keep theirs; which of them had which is told by the number."""
    current = prompt(surface)

    digest = sha256(current.text.encode()).hexdigest()[:16]
    assert VERSIONS[surface, current.version] == digest, "raise version, add a line here"


@pytest.mark.parametrize("turned", [False, True])
def test_the_bytes_do_not_depend_on_the_order_of_declaration(turned: bool) -> None:
    listed = shown(ads_chat(catalog))

    assert snapshot("ads", tuple(reversed(listed)) if turned else listed) == snapshot("ads", listed)


def test_no_tool_is_missing_and_none_decides_an_approval() -> None:
    offer = ads_chat(catalog)
    tools = {tool["name"] for tool in json.loads(snapshot("ads", shown(offer)).tools)}

    assert tools == {tool.name for tool in shown(offer)}
    assert {c.name for c in offer.all} == {c.name for c in catalog if c.for_models}
    assert {"list_campaigns", "update_campaign", "get_insights", "query_metrics", "find_capability"} <= tools
    assert not {"approve", "deny", "create_api_key", "create_connection"} & {c.name for c in offer.all}
    assert len(tools) <= 25


def test_the_analytics_chat_has_nothing_that_changes_anything() -> None:
    offer = analytics_chat(catalog)
    tools = {tool["name"] for tool in json.loads(snapshot("analytics", shown(offer)).tools)}

    assert tools == {capability.name for capability in offer.all}
    assert {capability.effect for capability in offer.all} == {Effect.READ}
    assert {capability.scope for capability in offer.all} <= {Scope.PIXEL_READ, Scope.ANALYTICS_READ, None}
    assert {"query_metrics", "list_metrics", "describe_metric", "list_websites", "whoami"} <= tools
    assert not {"get_pipe_token", "get_visitor", "list_campaigns", "get_insights", "list_connections"} & tools
