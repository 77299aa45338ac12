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

_EXAMPLES: Mapping[tuple[str, str], str] = {
    ("p_funnel", "steps"): "/,/pricing,/thanks",
    ("p_funnel_v2", "steps"): '[{"type": "path", "value": "/pricing"}, {"type": "payment"}]',
    ("p_metric_series", "metric"): "visitors",
    ("p_visitor_profile", "visitor_id"): "v_abc",
    ("p_visitor_timeline", "visitor_id"): "v_abc",
}
"""What no pipe answers without: it has no default."""


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
    example: Mapping[str, JsonValue]  # arguments of query_metrics


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
        answers=" ".join(pipe.description.split()),
        parameters=tuple(_parameter(name, each) for each in pipe.parameters if (name := field_of(each.name))),
        columns=await _columns(context, pipe),
        example={"pipe": pipe.name} | {str(field_of(name)): text for name, text in _needed(pipe).items()},
    )


def _first(description: str) -> str:
    """The first sentence says what is answered; the others are for whoever asks."""
    return " ".join(description.split()).partition(". ")[0].rstrip(".") + "."


def _parameter(name: str, parameter: PipeParameter) -> Parameter:
    return Parameter(
        name=name,
        type=parameter.type,
        description=parameter.description,
        required=parameter.required,
        default=parameter.default,
        choices=parameter.choices,
    )


def _needed(pipe: Pipe) -> dict[str, str]:
    """An example of each parameter without which the pipe answers nothing, by its own name."""
    return {
        each.name: _EXAMPLES.get((pipe.name, each.name), next(iter(each.choices), "1"))
        for each in pipe.parameters
        if field_of(each.name) and (each.required or (pipe.name, each.name) in _EXAMPLES)
    }


async def _columns(context: Context, pipe: Pipe) -> tuple[Column, ...]:
    """As the store itself names them, in its answer about today."""
    today, taken = str(context.clock().date()), {each.name for each in pipe.parameters}
    asked = {"from": today, "to": today, "limit": "1"}
    parameters = _needed(pipe) | {name: text for name, text in asked.items() if name in taken}
    try:
        found = await context.pipes.query(pipe.name, parameters | {"workspace_id": context.principal.workspace})
    except InvalidArguments:
        return ()
    return tuple(Column(name=column.name, type=column.type) for column in found.columns)
