"""What every conversation of a version begins with, exactly."""

import json
from hashlib import sha256

import pytest

from agent.snapshot import prompt, snapshot
from tools.catalog import catalog
from tools.finding import shown
from tools.surfaces import ads_chat

VERSIONS = {1: "4ba0275510112f1c"}


def test_a_changed_prompt_is_a_new_version() -> None:
    """Old conversations keep theirs; which of them had which is told by the number."""
    current = prompt("ads")

    assert VERSIONS[current.version] == sha256(current.text.encode()).hexdigest()[:16], "raise version, add a line here"


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
