"""The rows of a query: what exists, what it delivered in the period, in the platform's JSON."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta

from server.sandbox.google import dates, enums
from server.sandbox.google.delivery import Facts, total
from server.sandbox.google.fields import FIELDS, Field, Source, Type, Value
from server.sandbox.google.gaql import refusal
from server.sandbox.google.query import Plan
from server.sandbox.google.world import Account, Campaign, World

Row = dict[str, object]
Segments = tuple[str | int, ...]

_NETWORKS = {"SEARCH": "SEARCH", "DISPLAY": "CONTENT", "DEMAND_GEN": "YOUTUBE"}
_OF_DAY: dict[str, Callable[[date], str | int]] = {
    "segments.date": lambda day: day.isoformat(),
    "segments.week": lambda day: dates.monday(day).isoformat(),
    "segments.month": lambda day: dates.month(day).isoformat(),
    "segments.quarter": lambda day: dates.quarter(day).isoformat(),
    "segments.year": lambda day: day.year,
    "segments.day_of_week": lambda day: enums.DAY_OF_WEEK[day.weekday()],
}


def run(world: World, account: Account, plan: Plan) -> list[Row]:
    if plan.measures and account.customer.is_manager:
        raise refusal(
            "REQUESTED_METRICS_FOR_MANAGER",
            "Metrics cannot be requested for a manager account. To retrieve metrics, issue separate requests against "
            "each client account under the manager account.",
        )
    plain = [(field, test) for field, test in plan.tests if field.resource not in {"metrics", "segments"}]
    measured = [(field, test) for field, test in plan.tests if field.resource in {"metrics", "segments"}]
    found = [
        source for source in _sources(world, account, plan) if all(test(field.get(source)) for field, test in plain)
    ]
    if plan.measures:
        found = [
            each
            for source in found
            for each in _measured(world, source, plan)
            if all(test(field.get(each)) for field, test in measured)
        ]
    for field, descending in reversed(plan.order):
        found.sort(key=_key(field), reverse=descending)
    render = _renderer(plan)
    return [render(source) for source in found[: plan.limit]]


def _sources(world: World, account: Account, plan: Plan) -> Iterator[Source]:
    today = world.today(account.customer).isoformat()
    live = (each for each in account.campaigns.values() if each.status != "REMOVED")
    references = Counter(each.fields["campaignBudget"] for each in live)
    match plan.resource:
        case "campaign":
            for campaign in account.campaigns.values():
                yield Source(account, today, references, campaign, account.budgets[campaign.fields["campaignBudget"]])
        case "campaign_budget":
            for budget in account.budgets.values():
                yield Source(account, today, references, budget=budget)
        case "customer":
            yield Source(account, today, references)
        case _:
            for client in world.customers:
                path = [client, *world.managers_of(client)]
                if account.customer in path:
                    yield Source(account, today, references, client=client, level=path.index(account.customer))


def _measured(world: World, source: Source, plan: Plan) -> Iterator[Source]:
    """The source's delivery: in one row, or in one for each combination of segments that has any."""
    groups: dict[Segments, list[Facts]] = {} if plan.segments else {(): []}
    names = [field.name for field in plan.segments]
    today = world.today(source.account.customer)
    first = max(plan.since, world.first_day(source.account.customer))
    for offset in range((min(plan.until, today) - first).days + 1):
        day = first + timedelta(days=offset)
        for campaign in _campaigns(source):
            for device, facts in world.delivered(source.account, campaign, day, today).items():
                key = tuple(_segment(name, day, device, campaign) for name in names)
                groups.setdefault(key, []).append(facts)
    for key in sorted(groups, key=str):
        facts = total(groups[key])
        if not plan.segments or facts.impressions:
            yield replace(source, facts=facts, segments=dict(zip(names, key, strict=True)))


def _campaigns(source: Source) -> Sequence[Campaign]:
    if source.campaign is not None:
        return [source.campaign]
    every = list(source.account.campaigns.values())
    if source.budget is None:
        return every
    return [each for each in every if each.fields["campaignBudget"] == source.budget.resource_name]


def _segment(name: str, day: date, device: str, campaign: Campaign) -> str | int:
    if name == "segments.device":
        return device
    if name == "segments.ad_network_type":
        return _NETWORKS.get(campaign.fields["advertisingChannelType"], "MIXED")
    return _OF_DAY[name](day)


def _key(field: Field) -> Callable[[Source], tuple[bool, str, float]]:
    def key(source: Source) -> tuple[bool, str, float]:
        value = field.get(source)
        if isinstance(value, str):
            return True, value, 0.0
        return value is not None, "", float(value or 0)

    return key


def _renderer(plan: Plan) -> Callable[[Source], Row]:
    shown = [*plan.select]
    if not plan.omits_names:
        resources = dict.fromkeys([plan.resource, *(field.resource for field in plan.select)])
        names = [FIELDS[f"{each}.resource_name"] for each in resources if each not in {"metrics", "segments"}]
        shown = [*names, *(field for field in plan.select if field not in names)]

    def render(source: Source) -> Row:
        row: Row = {}
        for field in shown:
            _put(row, field, field.get(source))
        return row

    return render


def _put(row: Row, field: Field, value: Value) -> None:
    """A value equal to its type's default is left out, as on the platform; a segment or metric group is not."""
    *groups, last = field.json_path
    into = row
    for group in groups[:1] if not value else groups:
        into = into.setdefault(group, {})  # type: ignore[assignment]  # a row nests rows only
    if value:
        into[last] = str(value) if field.type is Type.INT64 else value
