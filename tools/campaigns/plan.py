"""Which campaigns return too little for what they cost: chosen with reasons, and what is left out with its own."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from pydantic import JsonValue

from tools.campaign_writes import UPDATE
from tools.context import Context
from tools.errors import CapabilityError
from tools.fields import Status, number
from tools.legible import legible
from tools.plan import Change, MoneyEffect, Operation
from tools.ports import CampaignState, InsightsQuery, InsightsReport
from tools.targets import Target, every_campaign
from tools.together import each, gaps

MOST_LEFT_OUT = 50
"""Campaigns named in what is left out; all are counted."""

_CENTS = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Rule:
    """What makes a campaign one to pause. `min_spend` is in each account's own currency."""

    query: InsightsQuery
    roas_below: Decimal
    min_spend: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One campaign with what it cost and brought in; `reason` says why it is where it is."""

    target: Target
    state: CampaignState
    reason: str
    spend: Decimal = Decimal(0)
    value: Decimal = Decimal(0)
    roas: Decimal | None = None

    def shown(self) -> dict[str, JsonValue]:
        row: dict[str, JsonValue] = {
            "campaign_id": self.state.campaign_id,
            "name": legible(self.state.name),
            "platform": self.target.connection.platform.value,
            "connectionId": self.target.connection.id,
            "account_id": self.target.account.account_id,
            "account": legible(self.target.account.name),
            "currency": self.state.currency,
            "spend": number(self.spend.quantize(_CENTS)),
            "conversion_value": number(self.value.quantize(_CENTS)),
        }
        return row | ({} if self.roas is None else {"roas": number(self.roas)}) | {"reason": self.reason}


@dataclass(slots=True)
class Survey:
    """What the accounts said. `fine` counts the campaigns that return enough."""

    chosen: list[Found] = field(default_factory=list)
    left_out: list[Found] = field(default_factory=list)
    fine: int = 0
    failed: list[tuple[Target, CapabilityError]] = field(default_factory=list)

    def limited(self, most: int) -> None:
        """Keep the worst; the rest waits for another time, and is said to."""
        self.chosen.sort(key=lambda found: (found.roas or Decimal(0), -found.spend, found.state.campaign_id))
        beyond = [
            Found(target=f.target, state=f.state, reason=f"over the bulk limit of {most}", spend=f.spend, value=f.value,
                  roas=f.roas)
            for f in self.chosen[most:]
        ]  # fmt: skip
        self.chosen, self.left_out = self.chosen[:most], beyond + self.left_out

    def evidence(self) -> dict[str, JsonValue]:
        shown: dict[str, JsonValue] = {"chosen": [found.shown() for found in self.chosen]}
        if self.left_out:
            who_spent_first = sorted(self.left_out, key=lambda found: not found.spend)
            shown["leftOut"] = [found.shown() for found in who_spent_first[:MOST_LEFT_OUT]]
            shown["leftOutBecause"] = dict(Counter(found.reason.split(";")[0] for found in self.left_out))
        if self.failed:
            shown["gaps"] = [gap.wire() for gap in gaps(self.failed)]
        return shown | {"returningEnough": self.fine}


async def survey(context: Context, held: Sequence[Target], rule: Rule) -> Survey:
    """Live, as planning is. An account that cannot be read is a gap; when none can, its error is raised."""
    found = Survey()

    async def ask(target: Target) -> tuple[list[CampaignState], InsightsReport]:
        states = await every_campaign(target)
        return states, await target.port.insights(target.credential, target.account, rule.query)

    def take(target: Target, answer: tuple[list[CampaignState], InsightsReport] | CapabilityError) -> bool:
        if isinstance(answer, CapabilityError):
            found.failed.append((target, answer))
        else:
            _judge(found, target, answer, rule)
        return True

    await each(context, held, ask, take)
    if found.failed and len(found.failed) == len(held):
        raise found.failed[0][1]
    return found


def _judge(found: Survey, target: Target, answer: tuple[list[CampaignState], InsightsReport], rule: Rule) -> None:
    states, report = answer
    rows = {row.campaign_id: row for row in report.rows}
    for state in states:
        row = rows.get(state.campaign_id)
        spend, value = (row.spend, row.conversion_value) if row else (Decimal(0), Decimal(0))
        roas = (value / spend).quantize(_CENTS) if spend and row and row.conversions else None
        if reason := _why_not(state, spend, roas, rule):
            found.left_out.append(Found(target=target, state=state, reason=reason, spend=spend, value=value, roas=roas))
        elif roas is not None and value >= rule.roas_below * spend:
            found.fine += 1
        else:
            because = f"ROAS {roas} is below {number(rule.roas_below)}"
            found.chosen.append(Found(target=target, state=state, reason=because, spend=spend, value=value, roas=roas))


def _why_not(state: CampaignState, spend: Decimal, roas: Decimal | None, rule: Rule) -> str | None:
    match state.status:
        case Status.PAUSED:
            return "already paused"
        case Status.ARCHIVED | Status.UNKNOWN:
            return f"not active; it is {legible(state.platform_status)}"
    if spend < rule.min_spend:
        return "below min_spend"
    return "no conversions were tracked; its ROAS is not known" if roas is None else None


async def as_agreed(context: Context, held: Sequence[Target], agreed: Mapping[str, Any]) -> Survey:
    """The same campaigns as in the plan that was agreed to, as they are now: what has changed makes it stale."""
    rows = {(row["connectionId"], row["account_id"], row["campaign_id"]): row for row in agreed["evidence"]["chosen"]}
    meant = [target for target in held if any(key[:2] == _key(target) for key in rows)]
    found: dict[tuple[str, str, str], Found] = {}

    async def ask(target: Target) -> list[CampaignState]:
        return await every_campaign(target)

    def take(target: Target, answer: list[CampaignState] | CapabilityError) -> bool:
        if isinstance(answer, CapabilityError):
            raise answer
        for state in answer:
            key = (*_key(target), state.campaign_id)
            if key in rows and state.status is Status.ACTIVE:
                found[key] = _again(target, state, rows[key])
        return True

    await each(context, meant, ask, take)
    return Survey(chosen=[found[key] for key in rows if key in found])


def _again(target: Target, state: CampaignState, row: Mapping[str, Any]) -> Found:
    spend, value = Decimal(repr(row["spend"])), Decimal(repr(row["conversion_value"]))
    roas = Decimal(repr(row["roas"])) if "roas" in row else None
    return Found(target=target, state=state, reason=row["reason"], spend=spend, value=value, roas=roas)


def _key(target: Target) -> tuple[str, str]:
    return target.connection.id, target.account.account_id


def operations(chosen: Iterable[Found]) -> tuple[Operation, ...]:
    return tuple(
        Operation(
            kind=UPDATE,
            connectionId=found.target.connection.id,
            platform=found.target.connection.platform,
            account_id=found.state.account_id,
            campaign_id=found.state.campaign_id,
            fields={"status": Status.PAUSED.value},
            before={"status": found.state.status.value},
        )
        for found in chosen
    )


def changes(chosen: Iterable[Found]) -> tuple[Change, ...]:
    return tuple(
        Change(target=found.state.campaign_id, field="status", before=found.state.status.value, after="PAUSED")
        for found in chosen
    )


def freed(chosen: Iterable[Found]) -> dict[str, Decimal]:
    """What may no longer be spent a day, by currency. A budget that others share goes on being spent by them."""
    budgets: dict[str, Decimal] = {}
    for found in chosen:
        if found.state.daily_budget is not None and not found.state.budget_shared:
            budgets[found.state.currency] = budgets.get(found.state.currency, Decimal(0)) - found.state.daily_budget
    return budgets


def money(chosen: Sequence[Found]) -> MoneyEffect | None:
    """Of one currency; several are never added up, and told each in a warning."""
    budgets = freed(chosen)
    currencies = {found.state.currency for found in chosen}
    if len(currencies) != 1:
        return None
    (currency,) = currencies
    return MoneyEffect.of(currency, budgets.get(currency, Decimal(0)))
