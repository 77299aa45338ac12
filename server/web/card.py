"""An approval as a person reads it: words, figures with their currency, and what may be done now."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
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
_IDS = frozenset({"connectionId", "account_id", "currency", "conversion_value"})
_AMOUNTS = _MONEY_FIELDS | {"spend"}
FACES = {
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
class Table:
    """Rows of evidence or results, such as the campaigns of a bulk change."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class ChangeRow:
    target: str
    label: str  # the target's name where it is known, and its id
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
    tables: tuple[Table, ...]
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
    result_tables: tuple[Table, ...]
    call: str


def card(approval: Mapping[str, Any]) -> Card:
    """From the wire shape of an approval."""
    plan, error = approval["plan"], approval.get("error") or {}
    money, evidence, currency = plan.get("money"), plan.get("evidence") or {}, _currency(plan)
    changes = change_rows(plan, approval["arguments"].get("campaign_id"))
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
        tables=_tables(evidence),
        as_of=_time(evidence.get("asOf")),
        reversible=plan["reversible"],
        asked_by=approval["requestedBy"],
        face=FACES.get(approval["via"], approval["via"]),
        created=dt.datetime.fromisoformat(approval["createdAt"]),
        expires=dt.datetime.fromisoformat(approval["expiresAt"]),
        decided_by=approval.get("decidedBy"),
        decided=_time(approval.get("decidedAt")),
        reason=error.get("reason"),
        error=error.get("message"),
        error_fix=error.get("fix"),
        fresh=approval.get("supersededBy"),
        result=_facts(approval.get("result") or {}, currency),
        result_tables=_tables(approval.get("result") or {}),
        call=f"{approval['capability']}({_pretty(approval['arguments'])})",
    )


def change_rows(plan: Mapping[str, Any], asked: str | None = None) -> tuple[ChangeRow, ...]:
    """What changes, from the wire shape of a plan; the evidence names what changes along with the one asked about."""
    names = dict(_names(plan.get("evidence") or {}))
    if asked:
        names.setdefault(asked, "This campaign")
    return tuple(_change(change, _currency(plan), names) for change in plan["changes"])


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
    """A wire name as a label: daily_budget → Daily budget, platformDryRun → Platform dry run, roas → ROAS."""
    spaced = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).replace("_", " ").strip()
    return (spaced[:1].upper() + spaced[1:]).replace("Roas", "ROAS")


def _currency(plan: Mapping[str, Any]) -> str:
    money = plan.get("money")
    return str(money["currency"]) if money else ""


def _places(currency: str) -> int:
    return 0 if currency in _WITHOUT_CENTS else 3 if currency in _THREE_DECIMALS else 2


def _names(evidence: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for rows in evidence.values():
        if _is_table(rows):
            yield from ((row["campaign_id"], row["name"]) for row in rows if {"campaign_id", "name"} <= row.keys())


def _change(change: Mapping[str, Any], currency: str, names: Mapping[str, str]) -> ChangeRow:
    shown_in = currency if change["field"] in _MONEY_FIELDS else ""
    before, after = (_said(change["field"], change[side], shown_in) for side in ("before", "after"))
    target = change["target"]
    label = f"{names[target]} ({target})" if target in names else target
    return ChangeRow(target, label, words(change["field"]), before, after)


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, Mapping) for row in value)


def _tables(values: Mapping[str, Any]) -> tuple[Table, ...]:
    return tuple(_table(words(name), rows) for name, rows in values.items() if _is_table(rows))


def _table(title: str, rows: Sequence[Mapping[str, Any]]) -> Table:
    """What people read: without the ids of what stands there by its name, and amounts in the row's currency."""
    every = dict.fromkeys(name for row in rows for name in row)
    named = {"campaign_id"} if "name" in every else set()
    columns = [name for name in every if name not in _IDS | named]
    return Table(
        title,
        tuple(words(name) for name in columns),
        tuple(tuple(_cell(row, name) for name in columns) for row in rows),
    )


def _cell(row: Mapping[str, Any], name: str) -> str:
    currency = str(row.get("currency", "")) if name in _AMOUNTS else ""
    return _said(name, row.get(name), currency) or "–"


def _said(name: str, value: Any, currency: str) -> str | None:
    """A value as the other pages say it, where its name tells how."""
    match name, value:
        case "platform", str():
            return PLATFORMS.get(value, value)
        case "status", str():
            return value.replace("_", " ").capitalize()
        case "roas", int() | float():
            return f"{value:.2f}"
    return _value(value, currency)


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
    if isinstance(value, Mapping) and all(isinstance(count, int) for count in value.values()):
        return ", ".join(f"{count} {what}" for what, count in value.items())
    return _pretty(value)


def _facts(values: Mapping[str, Any], currency: str) -> tuple[tuple[str, str], ...]:
    facts = {name: value for name, value in values.items() if not _is_table(value)}
    shown = ((words(name), _value(value, currency if name in _MONEY_FIELDS else "")) for name, value in facts.items())
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
