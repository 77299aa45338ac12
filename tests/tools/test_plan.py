"""What a person agrees to is what the digest covers."""

from decimal import Decimal
from typing import Any

import pytest

from tools.capability import Input
from tools.plan import Change, MoneyEffect, Operation, Plan


class Wish(Input):
    campaign_id: str
    name: str = "New"


def plan(**changed: Any) -> Plan[Wish]:
    fields: dict[str, Any] = {
        "input": Wish(campaign_id="1"),
        "summary": "Rename it",
        "changes": (Change(target="1", field="name", before="Old", after="New"),),
        "operations": (Operation(kind="update_campaign", campaign_id="1", fields={"name": "New"}),),
    }
    return Plan(**(fields | changed))


@pytest.mark.parametrize(
    "changed",
    [
        {"input": Wish(campaign_id="2")},
        {"input": Wish(campaign_id="1", name="Other")},
        {"changes": (Change(target="2", field="name", before="Old", after="New"),)},
        {"changes": (Change(target="1", field="name", before="Older", after="New"),)},
        {"changes": (Change(target="1", field="name", before="Old", after="Newer"),)},
        {"operations": (Operation(kind="update_campaign", campaign_id="2", fields={"name": "New"}),)},
        {"operations": ()},
        {"money": MoneyEffect.of("USD", Decimal(1))},
        {"amount_required": 40},
    ],
)
def test_the_digest_covers_all_that_a_person_agrees_to(changed: dict[str, Any]) -> None:
    assert plan(**changed).digest != plan().digest


@pytest.mark.parametrize(
    "changed", [{"summary": "Other words"}, {"evidence": {"asOf": "now"}}, {"warnings": ("careful",)}]
)
def test_the_digest_does_not_cover_how_it_is_explained(changed: dict[str, Any]) -> None:
    assert plan(**changed).digest == plan().digest


def test_the_same_plan_made_again_has_the_same_digest() -> None:
    assert plan().digest == plan().digest
    assert (
        plan(operations=(Operation(kind="k", fields={"a": 1, "b": 2}),)).digest
        == plan(operations=(Operation(kind="k", fields={"b": 2, "a": 1}),)).digest
    )


@pytest.mark.parametrize(
    ("daily", "wire", "monthly"), [("4", 4, 121.6), ("-40", -40, -1216), ("0.05", 0.05, 1.52), ("0", 0, 0)]
)
def test_a_month_has_30_4_days(daily: str, wire: float, monthly: float) -> None:
    assert MoneyEffect.of("USD", Decimal(daily)) == MoneyEffect(currency="USD", daily=wire, monthly=monthly)


def test_what_is_not_there_is_not_shown() -> None:
    assert plan().shown() == {
        "summary": "Rename it",
        "changes": [{"target": "1", "field": "name", "before": "Old", "after": "New"}],
        "warnings": [],
        "reversible": True,
    }


def test_what_is_there_is_shown_as_users_meet_it() -> None:
    shown = plan(
        money=MoneyEffect.of("JPY", Decimal(500)), amount_required=1500, evidence={"asOf": "now"}, reversible=False
    ).shown()

    assert shown["money"] == {"currency": "JPY", "daily": 500, "monthly": 15200}
    assert (shown["amountRequired"], shown["evidence"], shown["reversible"]) == (1500, {"asOf": "now"}, False)
