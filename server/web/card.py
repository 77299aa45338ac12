"""An approval as a person reads it: words, figures with their currency, and what may be done now."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}
_WITHOUT_CENTS = frozenset({
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF",
})  # fmt: skip
_THREE_DECIMALS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
_MONEY_FIELDS = frozenset({"daily_budget"})
_SHOWN_ELSEWHERE = frozenset({"account", "connection", "platform", "asOf"})
_FACES = {
    "session": "the REST API, signed in",
    "key": "the REST API",
    "mcp": "MCP",
    "agent": "the chat agent",
    "cli": "the command line",
}
PLATFORMS = {"meta": "Meta", "google": "Google Ads"}


@dataclass(frozen=True, slots=True)
class Standing:
    """A status in words: the badge, the tone of the card, and what it means for whoever looks."""

    label: str
    tone: str  # warn | busy | good | bad | plain
    icon: str
    meaning: str


STANDINGS = {
    "pending": Standing("Waiting", "warn", "shield-alert", "Nothing is changed until you decide."),
    "executing": Standing("In progress", "busy", "loader-circle", "Agreed; the change is being applied now."),
    "done": Standing("Done", "good", "circle-check", "The change was applied, once."),
    "failed": Standing("Failed", "bad", "circle-x", "The change was agreed to but could not be applied."),
    "unknown": Standing(
        "Outcome unknown",
        "bad",
        "circle-help",
        "The change was sent, but the platform's answer was lost. Look at the campaign before anyone proposes it anew; "
        "it is never sent twice by itself.",
    ),
    "stale": Standing(
        "Out of date", "warn", "history", "Things changed between the proposal and the yes, so nothing was applied."
    ),
    "denied": Standing("Denied", "plain", "ban", "Nothing was changed."),
    "expired": Standing(
        "Expired", "plain", "clock", "Nobody decided in time, so nothing was changed. It has to be proposed again."
    ),
    "superseded": Standing("Replaced", "plain", "history", "A newer proposal took its place; nothing was changed."),
}


@dataclass(frozen=True, slots=True)
class ChangeRow:
    target: str
    field: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Card:
    id: str
    status: str
    standing: Standing
    capability: str
    summary: str
    digest: str
    where: str
    changes: tuple[ChangeRow, ...]
    targets: int
    daily: str | None
    monthly: str | None
    money_tone: str  # more | less | same
    amount: str | None  # to be typed
    currency: str
    warnings: tuple[str, ...]
    evidence: tuple[tuple[str, str], ...]
    as_of: dt.datetime | None
    reversible: bool
    asked_by: str
    face: str
    created: dt.datetime
    expires: dt.datetime
    decided_by: str | None
    decided: dt.datetime | None
    reason: str | None
    error: str | None
    error_fix: str | None
    fresh: str | None  # the id that took its place
    result: tuple[tuple[str, str], ...]
    call: str


def card(approval: Mapping[str, Any]) -> Card:
    """From the wire shape of an approval."""
    plan, error = approval["plan"], approval.get("error") or {}
    money, evidence, currency = plan.get("money"), plan.get("evidence") or {}, _currency(plan)
    changes = change_rows(plan)
    amount = plan.get("amountRequired")
    return Card(
        id=approval["id"],
        status=approval["status"],
        standing=STANDINGS[approval["status"]],
        capability=approval["capability"],
        summary=plan["summary"],
        digest=approval["digest"],
        where=_where(approval["arguments"], evidence),
        changes=changes,
        targets=len({change.target for change in changes}),
        daily=_signed(money["daily"], currency) if money else None,
        monthly=_signed(money["monthly"], currency) if money else None,
        money_tone=_tone(money["daily"]) if money else "same",
        amount=None if amount is None else figure(amount, currency),
        currency=currency,
        warnings=tuple(plan["warnings"]),
        evidence=evidence_rows(plan),
        as_of=_time(evidence.get("asOf")),
        reversible=plan["reversible"],
        asked_by=approval["requestedBy"],
        face=_FACES.get(approval["via"], approval["via"]),
        created=dt.datetime.fromisoformat(approval["createdAt"]),
        expires=dt.datetime.fromisoformat(approval["expiresAt"]),
        decided_by=approval.get("decidedBy"),
        decided=_time(approval.get("decidedAt")),
        reason=error.get("reason"),
        error=error.get("message"),
        error_fix=error.get("fix"),
        fresh=approval.get("supersededBy"),
        result=_facts(approval.get("result") or {}, currency),
        call=f"{approval['capability']}({_pretty(approval['arguments'])})",
    )


def change_rows(plan: Mapping[str, Any]) -> tuple[ChangeRow, ...]:
    """What changes, from the wire shape of a plan."""
    return tuple(_change(change, _currency(plan)) for change in plan["changes"])


def evidence_rows(plan: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    told = {name: value for name, value in (plan.get("evidence") or {}).items() if name not in _SHOWN_ELSEWHERE}
    return _facts(told, _currency(plan))


def figure(amount: float, currency: str) -> str:
    """The digits of an amount as its currency writes them, without the currency: what a person types."""
    return f"{amount:.{_places(currency)}f}"


def money_text(amount: float, currency: str) -> str:
    digits = f"{abs(amount):,.{_places(currency)}f}"
    sign = "−" if amount < 0 else ""
    symbol = _SYMBOLS.get(currency)
    return f"{sign}{symbol}{digits}" if symbol else f"{sign}{digits} {currency}"


def words(name: str) -> str:
    """A wire name as a label: daily_budget → Daily budget, platformDryRun → Platform dry run."""
    spaced = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).replace("_", " ").strip()
    return spaced[:1].upper() + spaced[1:]


def _currency(plan: Mapping[str, Any]) -> str:
    money = plan.get("money")
    return str(money["currency"]) if money else ""


def _places(currency: str) -> int:
    return 0 if currency in _WITHOUT_CENTS else 3 if currency in _THREE_DECIMALS else 2


def _change(change: Mapping[str, Any], currency: str) -> ChangeRow:
    shown_in = currency if change["field"] in _MONEY_FIELDS else ""
    before, after = (_value(change[side], shown_in) for side in ("before", "after"))
    return ChangeRow(change["target"], words(change["field"]), before, after)


def _value(value: Any, currency: str = "") -> str | None:
    match value:
        case None | "":
            return None
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return money_text(value, currency) if currency else f"{value:,}"
        case str():
            return value
    return _pretty(value)


def _facts(values: Mapping[str, Any], currency: str) -> tuple[tuple[str, str], ...]:
    shown = ((words(name), _value(value, currency if name in _MONEY_FIELDS else "")) for name, value in values.items())
    return tuple((name, value) for name, value in shown if value is not None)


def _where(arguments: Mapping[str, Any], evidence: Mapping[str, Any]) -> str:
    platform = str(evidence.get("platform", ""))
    connection = evidence.get("connection") or arguments.get("connectionId")
    parts = (PLATFORMS.get(platform, platform), connection, evidence.get("account") or arguments.get("account_id"))
    return " · ".join(str(part) for part in parts if part)


def _signed(amount: float, currency: str) -> str:
    return f"+{money_text(amount, currency)}" if amount > 0 else money_text(amount, currency)


def _tone(daily: float) -> str:
    return "more" if daily > 0 else "less" if daily < 0 else "same"


def _time(text: Any) -> dt.datetime | None:
    try:
        return dt.datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _pretty(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
