"""Say which figures there are, and what each takes and answers: as the pipes themselves tell it."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, JsonValue

from tools.analytics import Pipe, PipeParameter
from tools.authority import Scope
from tools.capability import GET, Input, Listing, Nothing, Output, Toolset, read
from tools.context import Context
from tools.errors import InvalidArguments
from tools.pipes import allowed_pipes, field_of, one_pipe

_EXAMPLES: Mapping[str, str] = {
    "visitor_id": "v_abc",
    "steps": "/,/pricing,/thanks",
    "goal": "signup",
    "event": "signup",
    "metric": "visitors",
}
"""Of parameters that have neither a default nor choices."""


class MetricRow(Output):
    pipe: str
    answers: str


class MetricsThereAre(Listing[MetricRow]):
    """The published ones first."""


class MetricWanted(Input):
    pipe: Annotated[str, Field(description="Name of the pipe, from list_metrics.")]


class Parameter(Output):
    name: str  # as query_metrics takes it
    type: str
    description: str = ""
    required: bool = False
    default: str | None = None
    choices: tuple[str, ...] = ()


class Column(Output):
    name: str
    type: str


class MetricDescription(Output):
    pipe: str
    answers: str
    parameters: tuple[Parameter, ...]
    columns: tuple[Column, ...] = ()  # left out where the pipe answers nothing to its example
    example: dict[str, JsonValue]  # arguments of query_metrics


@read(scope=Scope.ANALYTICS_READ, rest=GET("/analytics/metrics"), toolset=Toolset.ANALYTICS)
async def list_metrics(context: Context, _: Nothing) -> MetricsThereAre:
    """List the analytics pipes that query_metrics reads, each with the question it answers: visitors, pages, sources,
    campaigns, funnels, goals, retention, revenue by attribution model, lifetime value, return on ad spend."""
    found = await allowed_pipes(context)
    return MetricsThereAre(items=tuple(MetricRow(pipe=pipe.name, answers=_first(pipe.description)) for pipe in found))


@read(scope=Scope.ANALYTICS_READ, rest=GET("/analytics/metrics/{pipe}"), toolset=Toolset.ANALYTICS)
async def describe_metric(context: Context, wanted: MetricWanted) -> MetricDescription:
    """Describe one analytics pipe: the question it answers, the parameters query_metrics takes for it with their types,
    defaults and choices, the columns of its rows, and an example."""
    pipe = await one_pipe(context, wanted.pipe)
    return MetricDescription(
        pipe=pipe.name,
        answers=pipe.description,
        parameters=tuple(_parameter(name, each) for each in pipe.parameters if (name := field_of(each.name))),
        columns=await _columns(context, pipe),
        example={"pipe": pipe.name} | {name: _example(each) for name, each in _required(pipe)},
    )


def _first(description: str) -> str:
    """The first sentence says what is answered; the others are for whoever asks."""
    return description.strip().partition("\n")[0].partition(". ")[0].rstrip(".") + "."


def _parameter(name: str, parameter: PipeParameter) -> Parameter:
    return Parameter(
        name=name,
        type=parameter.type,
        description=parameter.description,
        required=parameter.required,
        default=parameter.default,
        choices=parameter.choices,
    )


def _required(pipe: Pipe) -> list[tuple[str, PipeParameter]]:
    return [(name, each) for each in pipe.parameters if each.required and (name := field_of(each.name))]


def _example(parameter: PipeParameter) -> str:
    return next(iter(parameter.choices), _EXAMPLES.get(parameter.name, parameter.default or "1"))


async def _columns(context: Context, pipe: Pipe) -> tuple[Column, ...]:
    """As the store itself names them, in its answer about today."""
    today, taken = str(context.clock().date()), {each.name for each in pipe.parameters}
    asked = {"from": today, "to": today, "limit": "1"}
    parameters = {name: _example(each) for each in pipe.parameters if each.required and (name := each.name)}
    parameters |= {name: text for name, text in asked.items() if name in taken}
    try:
        found = await context.pipes.query(pipe.name, parameters | {"workspace_id": context.principal.workspace})
    except InvalidArguments:
        return ()
    return tuple(Column(name=column.name, type=column.type) for column in found.columns)
