"""Which capabilities each surface shows."""

import pytest

from tools.authority import Role, Scope
from tools.capability import Effect, Toolset
from tools.catalog import catalog
from tools.surfaces import RARE, Offer, ads_chat, mcp_tools, offered


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
    assert {c.scope for c in mcp_tools(catalog, scopes=[Scope.PIXEL_READ])} == {None, Scope.PIXEL_READ}


def test_what_fits_is_listed_whole() -> None:
    ads = mcp_tools(catalog, toolsets=[Toolset.ADS])

    assert offered(ads) == Offer(ads)


def test_of_what_does_not_fit_the_rarest_is_looked_up_and_nothing_is_lost() -> None:
    everything = mcp_tools(catalog)
    offer = offered(everything)
    looked_up = {capability.name for capability in offer.looked_up}

    assert {capability.name for capability in offer.all} == {capability.name for capability in everything}
    assert len(offer.all) == len(everything)
    assert looked_up == {name for name in RARE if name in looked_up}
    assert looked_up == set(RARE[: len(looked_up)])
    assert list(offer.listed) == [capability for capability in everything if capability in offer.listed]


def test_what_is_rare_is_in_the_catalog() -> None:
    assert len(set(RARE)) == len(RARE)
    assert all(name in catalog and catalog[name].for_models for name in RARE)


def test_the_ads_chat_has_everything_a_model_may_call() -> None:
    assert {capability.name for capability in ads_chat(catalog).all} == {c.name for c in mcp_tools(catalog)}
