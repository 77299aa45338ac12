"""The evidence of a run, gathered as an outsider can: the platform's log, our API, and the rows of the audit log."""

import json
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.chaos.checker import Approval, Audited, Evidence, Journalled, Write, form, terms
from tests.chaos.database import File, Schema
from tests.chaos.people import DRIFT, People

Database = File | Schema
FIELDS = ("name", "status", "daily_budget")
_UNSETTLED = """SELECT (SELECT count(*) FROM approvals WHERE status = 'executing')
                     + (SELECT count(*) FROM platform_writes WHERE status = 'intent')"""
_STEPS = {
    "claimed": """SELECT count(*) FROM approvals a WHERE status = 'executing'
                  AND NOT EXISTS (SELECT 1 FROM platform_writes w WHERE w.approval_id = a.id)""",
    "sending": "SELECT count(*) FROM platform_writes WHERE status = 'intent'",
    "sent": """SELECT count(*) FROM approvals a JOIN platform_writes w ON w.approval_id = a.id
               WHERE a.status = 'executing' AND w.status <> 'intent'""",
}
_OUTCOMES = """SELECT approval_id, payload FROM ad_sync_logs
               WHERE payload LIKE '%"outcome":%' OR payload LIKE '%"recovered":%'"""


@dataclass
class Decisions:
    """What people said, noted before it was sent: a yes whose answer was lost is a yes."""

    yes: set[str] = field(default_factory=set)
    no: set[str] = field(default_factory=set)
    told: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def were_told(self, approval_id: str, status: str) -> None:
        self.told[approval_id] = (*self.told.get(approval_id, ()), status)


def unsettled(database: Database) -> int:
    return int(database.rows(_UNSETTLED)[0][0])


def steps(database: Database) -> Counter[str]:
    """Where the changes are that an owner left unfinished."""
    return +Counter({step: database.rows(query)[0][0] for step, query in _STEPS.items()})


def lapse(database: Database, approval_id: str, seconds: float) -> None:
    """Time passes for one approval: it expires so many seconds from now."""
    at = int((time.time() + seconds) * 1000)
    database.run(f"UPDATE approvals SET expires_at = {at} WHERE id = '{approval_id}'")  # noqa: S608 - an id of ours


async def gather(people: People, database: Database, decisions: Decisions) -> Evidence:
    """Nothing may be under way any more."""
    minor = {account["id"]: 1 if account["currency"] == "JPY" else 100 for account in people.sandbox.known["accounts"]}
    verified = (await people.local("POST", "/local/audit/verify"))["chains"]
    return Evidence(
        writes=tuple(_write(entry) for entry in await people.accepted()),
        journal=tuple(_journalled(row, minor) for row in await people.listed("/changes")),
        approvals=tuple(_approval(row) for row in await people.listed("/approvals")),
        audit=tuple(_audited(database)),
        campaigns={row["id"]: {name: str(row.get(name)) for name in FIELDS} for row in await people.on_the_platform()},
        chains={chain["workspace"]: None if chain["ok"] else str(chain["problem"]) for chain in verified},
        yes=frozenset(decisions.yes),
        no=frozenset(decisions.no),
        told=dict(decisions.told),
        without_asking=frozenset(people.without_asking),
    )


def _write(entry: Mapping[str, Any]) -> Write:
    _, _, node, *_ = str(entry["path"]).split("/")
    params = entry["params"]
    return Write(
        seq=int(entry["seq"]),
        at=_ms(entry["at"]),
        node=node,
        form=form({name: params[name] for name in FIELDS if name in params}),
        ours=params.get("debug") != DRIFT,
    )


def _journalled(row: Mapping[str, Any], minor: Mapping[str, int]) -> Journalled:
    outcome = row.get("outcome") or {}
    fields = {name: value for name, value in row["fields"].items() if name in FIELDS}
    if "daily_budget" in fields:
        fields["daily_budget"] = round(fields["daily_budget"] * minor[row["account_id"]])
    return Journalled(
        id=row["id"],
        node=row["account_id"] if row["kind"] == "create_campaign" else row["campaign_id"],
        form=form(fields),
        status=row["status"],
        principal=row["requestedBy"],
        at=_ms(row["at"]),
        approval=row.get("approvalId"),
        terms=terms({name: (row["before"].get(name), value) for name, value in row["fields"].items()}),
        read_back="readBack" in outcome or "confirmedBy" in outcome,
        recovered=bool(outcome.get("recovered")),
    )


def _approval(row: Mapping[str, Any]) -> Approval:
    return Approval(
        id=row["id"],
        status=row["status"],
        decided_by=row.get("decidedBy"),
        terms=terms({each["field"]: (each.get("before"), each.get("after")) for each in row["plan"]["changes"]}),
    )


def _audited(database: Database) -> Iterable[Audited]:
    for approval, payload in database.rows(_OUTCOMES):
        told = json.loads(payload)
        if "outcome" in told or told.get("recovered"):
            yield Audited(outcome=told.get("outcome", ""), approval=approval, change=told.get("change_id"))


def _ms(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp() * 1000)
