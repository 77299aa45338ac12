"""Wire values in words."""

from typing import Any

import pytest

from server.web.card import STANDINGS, card, figure, money_text, words
from tools.approval import ApprovalStatus

APPROVAL: dict[str, Any] = {
    "id": "apr_1",
    "status": "pending",
    "capability": "update_campaign",
    "arguments": {"campaign_id": "77", "daily_budget": 15000},
    "plan": {
        "summary": "Raise it",
        "changes": [{"target": "77", "field": "daily_budget", "before": 12000, "after": 15000}],
        "money": {"currency": "JPY", "daily": 3000, "monthly": 91200},
        "amountRequired": 15000,
        "evidence": {"platform": "meta", "account": "Tokyo (act_1)", "connection": "Northwind", "clicks7d": 1200},
        "warnings": [],
        "reversible": True,
    },
    "digest": "d",
    "url": "http://x/approvals/apr_1",
    "requestedBy": "bot",
    "via": "mcp",
    "createdAt": "2026-11-22T09:00:00Z",
    "expiresAt": "2026-11-22T09:15:00Z",
}


def with_plan(**fields: Any) -> dict[str, Any]:
    return APPROVAL | {"plan": APPROVAL["plan"] | fields}


def test_money_has_the_decimals_of_its_currency_and_a_sign_where_it_changes() -> None:
    shown = card(APPROVAL)

    assert (shown.changes[0].before, shown.changes[0].after) == ("¥12,000", "¥15,000")
    assert (shown.daily, shown.monthly, shown.money_tone) == ("+¥3,000", "+¥91,200", "more")
    assert shown.amount == "15000"


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (1234.5, "USD", "$1,234.50"),
        (-60, "EUR", "−€60.00"),
        (15000, "JPY", "¥15,000"),
        (12.5, "KWD", "12.500 KWD"),
        (0, "CHF", "0.00 CHF"),
    ],
)
def test_amounts_read_as_their_currency_writes_them(amount: float, currency: str, text: str) -> None:
    assert money_text(amount, currency) == text


def test_what_a_person_types_has_no_separators() -> None:
    assert figure(1234.5, "USD") == "1234.50"


@pytest.mark.parametrize(
    ("name", "label"), [("daily_budget", "Daily budget"), ("platformDryRun", "Platform dry run"), ("roas", "ROAS")]
)
def test_wire_names_become_labels(name: str, label: str) -> None:
    assert words(name) == label


def test_where_it_happens_is_said_in_words() -> None:
    assert card(APPROVAL).where == "Meta · Northwind · Tokyo (act_1)"


def test_without_evidence_the_arguments_say_where() -> None:
    approval = with_plan(evidence={}) | {"arguments": {"connectionId": "con_1", "account_id": "act_9"}}

    assert card(approval).where == "con_1 · act_9"


def test_a_change_without_money_shows_no_money() -> None:
    plan = {name: value for name, value in APPROVAL["plan"].items() if name not in {"money", "amountRequired"}}

    shown = card(APPROVAL | {"plan": plan})

    assert (shown.daily, shown.amount) == (None, None)
    assert shown.changes[0].after == "15,000"


def test_values_of_every_kind_can_be_read() -> None:
    changes = [
        {"target": "t", "field": "special_ad_categories", "before": None, "after": ["HOUSING"]},
        {"target": "t", "field": "eu_political_ads", "before": False, "after": True},
    ]

    rows = card(with_plan(changes=changes)).changes

    assert (rows[0].before, rows[0].after) == (None, '[\n  "HOUSING"\n]')
    assert (rows[1].before, rows[1].after) == ("no", "yes")


def test_the_exact_call_is_shown_word_for_word() -> None:
    assert card(APPROVAL).call == 'update_campaign({\n  "campaign_id": "77",\n  "daily_budget": 15000\n})'


def test_every_status_is_said_in_words() -> None:
    assert STANDINGS.keys() == {status.value for status in ApprovalStatus}


def test_what_changes_along_with_the_campaign_that_was_asked_about_is_told_from_it() -> None:
    changes = [{"target": each, "field": "daily_budget", "before": 150, "after": 80} for each in ("77", "78")]
    shared = [{"campaign_id": "78", "name": "Brand"}]

    rows = card(with_plan(changes=changes, evidence={"budgetSharedWith": shared})).changes

    assert [row.label for row in rows] == ["This campaign (77)", "Brand (78)"]


def test_the_campaigns_of_a_bulk_change_are_a_table_and_its_changes_bear_their_names() -> None:
    chosen = {"campaign_id": "77", "name": "Waste", "platform": "google", "connectionId": "con_1", "account": "Tokyo",
              "currency": "JPY", "spend": 12000, "roas": 0.2, "reason": "ROAS 0.2 is below 1"}  # fmt: skip
    left_out = {"campaign_id": "78", "name": "New", "currency": "USD", "spend": 3.5, "reason": "below min_spend"}
    approval = with_plan(evidence={"chosen": [chosen], "leftOut": [left_out], "leftOutBecause": {"below min_spend": 1}})

    shown = card(approval | {"result": {"paused": 1, "receipts": [{"campaign_id": "77", "status": "done"}]}})

    assert [(table.title, table.columns) for table in shown.tables] == [
        ("Chosen", ("Name", "Platform", "Account", "Spend", "ROAS", "Reason")),
        ("Left out", ("Name", "Spend", "Reason")),
    ]  # fmt: skip
    assert shown.tables[0].rows == (("Waste", "Google Ads", "Tokyo", "¥12,000", "0.20", "ROAS 0.2 is below 1"),)
    assert shown.tables[1].rows == (("New", "$3.50", "below min_spend"),)
    assert shown.evidence == (("Left out because", "1 below min_spend"),)
    assert shown.changes[0].label == "Waste (77)"
    assert (shown.result, shown.result_tables[0].rows) == ((("Paused", "1"),), (("77", "Done"),))
