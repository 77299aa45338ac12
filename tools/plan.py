"""What a person sees before saying yes, and what is held against reality before it is done."""

import hashlib
from decimal import Decimal
from typing import Any, Generic, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from tools.fields import Number, Platform, number
from tools.legible import legible

In = TypeVar("In", bound=BaseModel)

DAYS_A_MONTH = Decimal("30.4")
"""Average days a month as both ad platforms count it (Google caps a month at 30.4 daily budgets)."""


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Change(Frozen):
    """One field of one target; before and after are wire values, null where there is none."""

    target: str
    field: str
    before: JsonValue
    after: JsonValue


class MoneyEffect(Frozen):
    """The signed change in what may be spent, major units of `currency`; monthly = 30.4 × daily."""

    currency: str
    daily: Number
    monthly: Number

    @classmethod
    def of(cls, currency: str, daily: Decimal) -> "MoneyEffect":
        return cls(currency=currency, daily=number(daily), monthly=number(round(daily * DAYS_A_MONTH, 2)))


class Operation(Frozen):
    """One write, exactly as it will be sent: to an ad platform, or (platform left out) to our own records."""

    kind: str  # create_campaign | update_campaign | archive_campaign | delete_connection | …
    connectionId: str | None = None
    platform: Platform | None = None
    account_id: str | None = None
    campaign_id: str | None = None
    fields: dict[str, JsonValue] = Field(default_factory=dict)
    before: dict[str, JsonValue] = Field(default_factory=dict)  # the values the fields had when it was planned


class Plan(Frozen, Generic[In]):
    input: In
    summary: str
    changes: tuple[Change, ...]
    operations: tuple[Operation, ...]
    money: MoneyEffect | None = None
    amount_required: Number | None = None  # the person types this amount before the yes counts
    evidence: dict[str, JsonValue] = Field(default_factory=dict)  # why; shown with its asOf, not agreed to
    warnings: tuple[str, ...] = ()
    reversible: bool = True

    @property
    def digest(self) -> str:
        """SHA-256 over what the person agrees to: arguments, targets, before, after, money, operations."""
        agreed = self.model_dump(mode="json", include={"input", "changes", "operations", "money", "amount_required"})
        return hashlib.sha256(orjson.dumps(agreed, option=orjson.OPT_SORT_KEYS)).hexdigest()

    def shown(self) -> dict[str, Any]:
        """The wire shape of `approval.plan`."""
        shown: dict[str, Any] = {
            "summary": legible(self.summary),
            "changes": [change.model_dump(mode="json") for change in self.changes],
        }
        if self.money:
            shown["money"] = self.money.model_dump()
        if self.amount_required is not None:
            shown["amountRequired"] = self.amount_required
        if self.evidence:
            shown["evidence"] = self.evidence
        return shown | {"warnings": [legible(warning) for warning in self.warnings], "reversible": self.reversible}
