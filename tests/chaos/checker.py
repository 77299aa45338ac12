"""The promises, judged from evidence alone: never an effect without its yes, never two for one, every recovery told."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

Form = tuple[tuple[str, str], ...]
"""The fields a write sets, as the platform spells them, sorted."""

Terms = tuple[tuple[str, str, str], ...]
"""Field, value before and value after, as JSON, sorted: what a person was shown, and what was then sent."""

CLAIMED = frozenset({"done", "failed", "unknown", "stale"})
UNTOUCHED = frozenset({"pending", "denied", "expired", "superseded", "stale"})
"""States in which nothing was ever sent for an approval."""


def form(fields: Mapping[str, object]) -> Form:
    return tuple(sorted((name, str(value)) for name, value in fields.items()))


def terms(changes: Mapping[str, tuple[object, object]]) -> Terms:
    return tuple(sorted((name, json.dumps(before), json.dumps(after)) for name, (before, after) in changes.items()))


@dataclass(frozen=True, kw_only=True)
class Write:
    """A change that the platform accepted. `node` is the campaign, or the account a campaign was created in."""

    seq: int
    at: int  # ms
    node: str
    form: Form
    ours: bool = True


@dataclass(frozen=True, kw_only=True)
class Journalled:
    """A row of the journal of platform writes, as list_changes shows it."""

    id: str
    node: str
    form: Form
    status: str
    principal: str
    at: int  # ms, whole seconds
    approval: str | None = None
    terms: Terms = ()
    read_back: bool = False
    recovered: bool = False


@dataclass(frozen=True, kw_only=True)
class Approval:
    id: str
    status: str
    decided_by: str | None = None
    terms: Terms = ()


@dataclass(frozen=True, kw_only=True)
class Audited:
    """A row of the audit log that tells how a change ended."""

    outcome: str
    approval: str | None = None
    change: str | None = None


@dataclass(frozen=True, kw_only=True)
class Evidence:
    writes: tuple[Write, ...] = ()
    journal: tuple[Journalled, ...] = ()
    approvals: tuple[Approval, ...] = ()
    audit: tuple[Audited, ...] = ()
    campaigns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """What the platform has now, by campaign."""
    chains: Mapping[str, str | None] = field(default_factory=dict)
    """The audit chains, each with the problem found in it."""
    yes: frozenset[str] = frozenset()
    no: frozenset[str] = frozenset()
    """Approvals that a person said yes or no to, whether or not an answer came back."""
    told: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The states that deciders of an approval were told when they succeeded."""
    without_asking: frozenset[str] = frozenset()
    """Principals whose writes need no yes."""


def violations(evidence: Evidence) -> list[str]:
    """What is wrong, in words; nothing when every promise was kept."""
    matched = _matched(evidence)
    return [
        *_writes(evidence, matched),
        *_approvals(evidence, matched),
        *_journal(evidence, matched),
        *_told(evidence),
        *_platform(evidence, matched),
        *(f"the audit chain of {name or 'the operator'}: {bad}" for name, bad in evidence.chains.items() if bad),
    ]


def _matched(evidence: Evidence) -> dict[int, Journalled]:
    """Each accepted write of ours with the journal row it came from. Rows that claim to be done are taken first; those
    that claim to have failed never: the write they leave over is then one that nobody owned up to."""
    rows: defaultdict[tuple[str, Form], list[Journalled]] = defaultdict(list)
    preferred = sorted((r for r in evidence.journal if r.status != "failed"), key=lambda r: (_unsure(r), r.at))
    for row in preferred:
        rows[row.node, row.form].append(row)
    matched: dict[int, Journalled] = {}
    for write in sorted(evidence.writes, key=lambda w: w.seq):
        fits = rows[write.node, write.form]
        earlier = [row for row in fits if write.ours and row.at <= write.at]
        if earlier:
            fits.remove(earlier[0])
            matched[write.seq] = earlier[0]
    return matched


def _unsure(row: Journalled) -> int:
    if row.status != "done":
        return 2
    return 1 if row.read_back else 0


def _writes(evidence: Evidence, matched: Mapping[int, Journalled]) -> Iterator[str]:
    """Every effect has its row in the journal, and behind it a person's yes or someone who need not ask."""
    decided = {approval.id for approval in evidence.approvals if approval.decided_by}
    for write in evidence.writes:
        if not write.ours:
            continue
        row, what = matched.get(write.seq), f"accepted write {write.seq} ({write.node}: {dict(write.form)})"
        if row is None:
            denied = [r for r in evidence.journal if (r.node, r.form, r.status) == (write.node, write.form, "failed")]
            yield f"{what} has no journal row" + (f", but {denied[-1].id} claims it failed" if denied else "")
        elif row.approval is None and row.principal not in evidence.without_asking:
            yield f"{what} was made for {row.principal} without an approval"
        elif row.approval is not None and row.approval not in decided & evidence.yes:
            yield f"{what} was made under {row.approval}, to which nobody said yes"
    for name, times in Counter(row.approval for row in matched.values() if row.approval).items():
        if times > 1:
            yield f"{name} has {times} accepted writes"


def _approvals(evidence: Evidence, matched: Mapping[int, Journalled]) -> Iterator[str]:
    """Every claim came to an end that its journal bears out."""
    rows: defaultdict[str | None, list[Journalled]] = defaultdict(list)
    for row in evidence.journal:
        rows[row.approval].append(row)
    effects = {row.approval for row in matched.values()}
    for approval in evidence.approvals:
        journal, has_effect = rows[approval.id], approval.id in effects
        states = [row.status for row in journal]
        problems = {
            "is left executing": approval.status == "executing",
            "was claimed without a yes": approval.status in CLAIMED and approval.id not in evidence.yes,
            "was denied without a no": approval.status == "denied" and approval.id not in evidence.no,
            "had its write sent more than once": len(journal) > 1,
            "was agreed to on other terms": any(row.terms != approval.terms for row in journal),
            "was carried out": approval.status in UNTOUCHED and (bool(journal) or has_effect),
            "is not done in the journal": approval.status == "done" and states != ["done"],
            "took effect all the same": approval.status == "failed" and (has_effect or bool({*states} - {"failed"})),
            "is not unknown in the journal": approval.status == "unknown" and states != ["unknown"],
        }
        yield from (f"{approval.id} ({approval.status}) {problem}" for problem, so in problems.items() if so)


def _journal(evidence: Evidence, matched: Mapping[int, Journalled]) -> Iterator[str]:
    made = {row.id for row in matched.values()}
    for row in evidence.journal:
        if row.status == "intent":
            yield f"{row.id} is left without an outcome"
        elif row.status == "done" and row.id not in made and not row.read_back:
            yield f"{row.id} is done, but the platform never accepted it"
        elif row.status == "done" and row.id not in made and not _seen(evidence.writes, row):
            yield f"{row.id} is done by what was read back, but the platform never had it"


def _seen(writes: Iterable[Write], row: Journalled) -> bool:
    """Whether each value was there once: reading back cannot tell our change from the same one by somebody else."""
    there = {value for write in writes if write.node == row.node for value in write.form}
    return there.issuperset(row.form)


def _told(evidence: Evidence) -> Iterator[str]:
    """How it ended stands in the audit log once, and never turns out otherwise for whoever was told."""
    outcomes: defaultdict[str | None, list[str]] = defaultdict(list)
    for audited in evidence.audit:
        outcomes[audited.approval].append(audited.outcome)
    for approval in evidence.approvals:
        if approval.status in CLAIMED and outcomes[approval.id] != [approval.status]:
            yield f"{approval.id} is {approval.status}, and the audit log tells {outcomes[approval.id] or 'nothing'}"
        answers = evidence.told.get(approval.id, ())
        if len(answers) > 1:
            yield f"{len(answers)} people were told that they decided {approval.id}"
        if answers and answers[0] != approval.status:
            yield f"{approval.id} is {approval.status}, whoever decided was told {answers[0]}"
    recovered = {audited.change for audited in evidence.audit}
    for row in evidence.journal:
        if row.recovered and row.approval is None and row.id not in recovered:
            yield f"{row.id} was recovered, and the audit log does not tell it"


def _platform(evidence: Evidence, matched: Mapping[int, Journalled]) -> Iterator[str]:
    """What is done is there, until somebody changes it again."""
    last: dict[tuple[str, str], tuple[str, Write]] = {}
    for write in sorted(evidence.writes, key=lambda w: w.seq):
        for name, value in write.form:
            last[write.node, name] = (value, write)
    for (node, name), (value, write) in last.items():
        has = evidence.campaigns.get(node)
        row = matched.get(write.seq)
        if has is not None and row is not None and row.status == "done" and has.get(name) != value:
            yield f"{row.id} is done, and {node} has {name} {has.get(name)} instead of {value}"
