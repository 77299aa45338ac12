"""What holds for every capability, whoever adds it."""

import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from server.mcp_endpoint.listing import described
from tests.promises import promise
from tests.registry.refresh import SNAPSHOTS, text
from tools.authority import Role, Scope
from tools.capability import AnyCapability, Effect, Input, Toolset
from tools.catalog import catalog
from tools.finding import FIND, answer, call_with, finding_tools, shown, target
from tools.schema import input_schema, output_schema
from tools.surfaces import MOST_BYTES, MOST_TOOLS, Offer, ads_chat, mcp_tools, offered

ROOT = Path(__file__).parents[2]
SLICES = sorted(path.parent for path in (ROOT / "tools").glob("*/__init__.py") if path.parent.name != "store")
SHARED = {"__init__", "model", "store", "plan", "format"}
LONGEST_DESCRIPTION = 600

every = pytest.mark.parametrize("capability", list(catalog), ids=lambda capability: capability.name)


def nodes(schema: Any) -> Iterator[dict[str, Any]]:
    """Every subschema, and no map of property names."""
    if isinstance(schema, list):
        for item in schema:
            yield from nodes(item)
    elif isinstance(schema, dict):
        yield schema
        for keyword, value in schema.items():
            yield from nodes(list(value.values()) if keyword == "properties" else value)


@every
def test_a_name_is_a_verb_and_a_noun(capability: AnyCapability) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]{2,63}", capability.name)
    assert capability.name.split("_")[0] in {
        "list", "get", "create", "update", "delete", "test", "undo", "pause", "revoke", "approve", "deny", "whoami",
        "query", "rename", "describe", "check", "record", "identify",
    }  # fmt: skip


@every
def test_a_description_says_something_and_not_too_much(capability: AnyCapability) -> None:
    assert 40 <= len(capability.description) <= LONGEST_DESCRIPTION
    assert capability.description.endswith(".")
    assert "\n" not in capability.description


@every
def test_an_input_is_closed_and_flat_without_unions_maps_or_nulls(capability: AnyCapability) -> None:
    schema = input_schema(capability.input)
    assert issubclass(capability.input, Input)
    assert schema["type"] == "object"
    for node in nodes(schema):
        assert not {"anyOf", "oneOf", "allOf", "not", "$ref", "$defs", "patternProperties", "title"} & node.keys()
        assert node["type"] in {"object", "string", "integer", "number", "boolean", "array"}
        if node["type"] == "object":
            assert node["additionalProperties"] is False
    for name, field in schema["properties"].items():
        assert field.get("description"), f"{name} does not say what it is"
        assert field["type"] != "object", f"{name} is nested"


@every
def test_an_output_names_what_it_always_has(capability: AnyCapability) -> None:
    schema = output_schema(capability.output)

    assert schema["type"] == "object"
    assert schema["required"]
    assert not [node for node in nodes(schema) if {"$ref", "$defs"} & node.keys()]


@every
def test_a_tool_says_what_it_does_to_the_world(capability: AnyCapability) -> None:
    if not capability.for_models:
        return
    tool = described(capability)
    annotations = tool.annotations

    assert tool.title == capability.title
    assert tool.output_schema
    assert annotations is not None
    assert annotations.read_only_hint is (capability.effect is Effect.READ)
    assert annotations.destructive_hint is (capability.effect is Effect.DESTROY)
    assert annotations.idempotent_hint is capability.idempotent
    assert annotations.open_world_hint is not None


@every
def test_what_changes_the_world_needs_a_plan_or_a_person(capability: AnyCapability) -> None:
    if capability.effect in (Effect.CHANGE, Effect.DESTROY):
        assert (capability.plan is not None) is not capability.human_only
        assert capability.scope is not None


@every
def test_a_secret_is_a_persons_to_paste(capability: AnyCapability) -> None:
    secret = [node for node in nodes(input_schema(capability.input)) if node.get("format") == "password"]

    assert bool(secret) is capability.takes_secret
    if secret:
        assert capability.human_only


@every
def test_every_scope_is_in_some_role(capability: AnyCapability) -> None:
    assert capability.scope is None or capability.scope in Role.OWNER.scopes


@every
def test_a_route_reads_with_get_and_never_writes_with_it(capability: AnyCapability) -> None:
    route = capability.rest

    assert route.path.startswith("/")
    assert route.path_fields <= capability.input.model_fields.keys()
    if route.method == "GET":
        assert capability.effect is Effect.READ
    if route.method == "DELETE":
        assert capability.effect is Effect.DESTROY


def surfaces() -> dict[str, Offer]:
    """Each that a URL or a header can ask for, to whoever may do everything, and the chats'."""
    chosen = [toolsets for count in range(len(Toolset)) for toolsets in combinations(Toolset, count)]
    offers = {
        f"{','.join(toolsets) or 'all'}{' read-only' if read_only else ''}": offered(
            mcp_tools(catalog, toolsets=toolsets, read_only=read_only)
        )
        for toolsets in chosen
        for read_only in (False, True)
    }
    return offers | {"ads chat": ads_chat(catalog)}


@pytest.mark.parametrize("surface", list(surfaces()))
def test_a_surface_is_small_enough_for_a_model(surface: str) -> None:
    tools = shown(surfaces()[surface])
    size = sum(len(described(tool).model_dump_json(by_alias=True, exclude_none=True)) for tool in tools)

    assert len(tools) <= MOST_TOOLS
    assert size <= MOST_BYTES


@promise("dev.overview.one-surface")
@pytest.mark.parametrize("surface", list(surfaces()))
def test_everything_but_what_is_a_persons_is_reached_over_mcp_and_from_the_ads_chat(surface: str) -> None:
    """By its own name, or through call_read or call_write after it was found."""
    offer = surfaces()[surface]
    tools = {tool.name: tool for tool in finding_tools(offer)}
    toolsets = [toolset for toolset in Toolset if toolset in surface.split()[0].split(",")] or list(Toolset)
    reads_only = surface.endswith("read-only")

    reached = {capability.name for capability in offer.listed}
    for capability in offer.looked_up:
        assert capability.name in answer(tools[FIND], offer, frozenset(Scope), {}).wire_json().decode()
        assert target(tools[call_with(capability)], offer, {"name": capability.name})[0] is capability
        reached.add(capability.name)

    excepted = {c.name for c in catalog if c.human_only or c.effect is Effect.RECORD}
    meant = {c.name for c in catalog if c.toolset in toolsets and (not reads_only or c.effect is Effect.READ)}
    assert reached == (meant if surface != "ads chat" else {c.name for c in catalog}) - excepted
    assert {
        "approve", "deny", "create_connection", "create_api_key", "revoke_api_key", "update_workspace_settings",
    } <= excepted  # fmt: skip


@every
def test_the_committed_snapshot_is_what_is_published(capability: AnyCapability) -> None:
    committed = SNAPSHOTS / f"{capability.name}.json"

    assert committed.exists(), "run `python -m tests.registry.refresh` and look at the difference"
    assert committed.read_bytes() == text(capability), (
        "what callers see has changed; if that is meant, run `python -m tests.registry.refresh` and commit it"
    )


def test_no_snapshot_outlives_its_capability() -> None:
    assert {path.stem for path in SNAPSHOTS.glob("*.json")} == {capability.name for capability in catalog}


def files() -> Iterator[tuple[Path, Path]]:
    """Each file of a slice that holds capabilities, and its test."""
    for folder in SLICES:
        for path in sorted(folder.glob("*.py")):
            if path.stem not in SHARED:
                yield path, ROOT / "tests" / "tools" / folder.name / f"test_{path.stem}.py"


@pytest.mark.parametrize(("path", "test"), list(files()), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_capabilitys_file_is_in_the_catalog_and_has_its_test(path: Path, test: Path) -> None:
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)

    assert [capability.name for capability in catalog if capability.run.__module__ == module]
    assert test.exists(), f"{path} has no {test}"


@every
def test_a_capability_lives_in_a_file_of_its_slice(capability: AnyCapability) -> None:
    _, folder, stem = capability.run.__module__.split(".")

    assert ROOT / "tools" / folder in SLICES
    assert stem not in SHARED
