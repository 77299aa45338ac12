"""What figures there are is what the pipes say of themselves."""

import jsonschema
import pytest

from tests.world import AGENT, KEY, STRANGER, VIEWER, World, principal
from tools.authority import Scope, Via
from tools.errors import InvalidArguments
from tools.pipes import PIPE_ALLOWLIST
from tools.schema import input_schema

READS = pytest.mark.parametrize(("name", "sent"), [("list_metrics", {}), ("describe_metric", {"pipe": "p_top_pages"})])


@READS
async def test_reading_takes_its_scope(world: World, name: str, sent: dict[str, str]) -> None:
    reader = principal(via=Via.KEY, scopes=frozenset(Scope) - {Scope.ANALYTICS_READ})

    error = await world.refusal(reader, name, **sent)

    assert (error.code, error.details["required"]) == ("insufficient_scope", "analytics:read")


async def test_every_pipe_that_may_be_named_is_listed_and_no_other(world: World) -> None:
    listed = await world.call(AGENT, "list_metrics")

    assert [row["pipe"] for row in listed["items"]] == list(PIPE_ALLOWLIST)
    assert listed["items"][1] == {"pipe": "p_top_pages", "answers": "What top pages there are."}


async def test_a_description_names_parameters_as_a_query_takes_them(world: World) -> None:
    told = await world.call(AGENT, "describe_metric", pipe="p_attributed_revenue")

    names = [each["name"] for each in told["parameters"]]
    assert names == ["websiteId", "since", "until", "tz", "path", "channel", "currency", "model", "by"]
    assert {
        "name": "model",
        "type": "String",
        "default": "last_touch",
        "choices": ["first_touch", "last_touch", "linear"],
    } in told["parameters"]
    assert told["answers"] == "What attributed revenue there are. Bots are left out."
    assert {"name": "revenue", "type": "Float64"} in told["columns"]


async def test_the_columns_are_asked_of_the_callers_own_workspace_and_of_today(world: World) -> None:
    await world.call(STRANGER, "describe_metric", pipe="p_top_pages")

    ((_, asked),) = world.pipes.asked
    assert asked == {"workspace_id": "wsp_south", "from": "2026-11-20", "to": "2026-11-20", "limit": "1"}


@pytest.mark.parametrize("pipe", PIPE_ALLOWLIST)
async def test_an_example_is_a_query_that_works(world: World, pipe: str) -> None:
    example = (await world.call(VIEWER, "describe_metric", pipe=pipe))["example"]

    jsonschema.validate(example, input_schema(world.capability("query_metrics").input))
    assert (await world.call(VIEWER, "query_metrics", **example))["pipe"] == pipe


async def test_a_pipe_that_refuses_its_example_is_described_without_columns(world: World) -> None:
    async def refuse(*_: object) -> None:
        raise InvalidArguments("Not so.", fix="Otherwise.", problems=[])

    world.pipes.query = refuse  # type: ignore[method-assign,assignment]  # the stand-in's

    assert "columns" not in await world.call(KEY, "describe_metric", pipe="p_top_pages")


@pytest.mark.parametrize("pipe", ["p_internal", "p_top_pages'", ""])
async def test_another_pipe_is_refused_with_those_there_are(world: World, pipe: str) -> None:
    error = await world.refusal(KEY, "describe_metric", pipe=pipe)

    assert (error.code, error.details["allowed"]) == ("invalid_pipe", list(PIPE_ALLOWLIST))
