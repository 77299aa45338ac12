"""Which capabilities each surface shows."""

import pytest

from tools.authority import Role, Scope
from tools.capability import Effect, Toolset
from tools.catalog import catalog
from tools.surfaces import mcp_tools


def test_a_model_sees_what_is_neither_for_people_only_nor_a_record() -> None:
    seen = mcp_tools(catalog)

    assert list(seen) == [capability for capability in catalog if capability.for_models]
    assert not {"approve", "deny", "create_connection", "create_api_key"} & {capability.name for capability in seen}


@pytest.mark.parametrize("toolset", [toolset for toolset in Toolset if any(c.toolset is toolset for c in catalog)])
def test_a_toolset_shows_its_own_only(toolset: Toolset) -> None:
    seen = mcp_tools(catalog, toolsets=[toolset])

    assert seen
    assert {capability.toolset for capability in seen} == {toolset}


def test_several_toolsets_show_what_each_of_them_does_in_the_catalogs_order() -> None:
    both = mcp_tools(catalog, toolsets=[Toolset.APPROVALS, Toolset.WORKSPACE])

    assert [c for c in both if c.toolset is Toolset.APPROVALS] == list(mcp_tools(catalog, toolsets=[Toolset.APPROVALS]))
    assert list(both) == [c for c in mcp_tools(catalog) if c in both]


def test_reading_only_shows_nothing_that_changes_anything() -> None:
    seen = mcp_tools(catalog, read_only=True)

    assert {capability.effect for capability in seen} == {Effect.READ}
    assert "list_campaigns" in {capability.name for capability in seen}


def test_a_viewer_is_not_shown_what_its_scopes_refuse() -> None:
    names = {capability.name for capability in mcp_tools(catalog, scopes=Role.VIEWER.scopes)}

    assert {"whoami", "list_campaigns", "get_insights"} <= names
    assert not {"update_campaign", "delete_connection"} & names
    assert {c.name for c in mcp_tools(catalog, scopes=[Scope.PIXEL_READ])} == {"whoami"}
