"""The judge of chaos has to be right itself: it passes honest histories and names each kind of broken promise."""

import re
from dataclasses import replace

import pytest

from tests.chaos.__main__ import play
from tests.chaos.checker import Approval, Audited, Evidence, Journalled, Write, form, terms, violations

NAME = form({"name": "Chaos 1"})
SHOWN = terms({"name": ("Chaos 0", "Chaos 1")})
WRITE = Write(seq=1, at=2_500, node="120", form=NAME)
ROW = Journalled(
    id="chg_1", node="120", form=NAME, status="done", principal="key_gated", at=2_000, approval="apr_1", terms=SHOWN
)
DONE = Approval(id="apr_1", status="done", decided_by="Ada", terms=SHOWN)
KEPT = Evidence(
    writes=(WRITE,),
    journal=(ROW,),
    approvals=(DONE,),
    audit=(Audited(outcome="done", approval="apr_1"),),
    campaigns={"120": {"name": "Chaos 1", "status": "PAUSED", "daily_budget": "4000"}},
    chains={"wsp_1": None},
    yes=frozenset({"apr_1"}),
    told={"apr_1": ("done",)},
    without_asking=frozenset({"key_direct"}),
)


def ended(status: str) -> Evidence:
    """The same approval with another end, and nothing sent for it."""
    audit = (Audited(outcome=status, approval="apr_1"),)
    approvals = (replace(DONE, status=status),)
    return replace(KEPT, writes=(), journal=(), audit=audit, approvals=approvals, told={})


def test_a_history_that_keeps_every_promise_is_left_alone() -> None:
    assert violations(KEPT) == []
    assert violations(Evidence()) == []
    assert violations(ended("failed")) == violations(ended("stale")) == []
    assert violations(replace(ended("denied"), audit=(), yes=frozenset(), no=frozenset({"apr_1"}))) == []


def test_a_direct_key_needs_no_approval() -> None:
    row = replace(ROW, approval=None, principal="key_direct")
    assert violations(replace(KEPT, journal=(row,), approvals=(), audit=(), told={})) == []


def test_what_somebody_else_changed_on_the_platform_is_not_ours_to_explain() -> None:
    drift = Write(seq=2, at=3_000, node="120", form=form({"status": "PAUSED"}), ours=False)
    assert violations(replace(KEPT, writes=(WRITE, drift))) == []


def test_a_lost_answer_confirmed_by_reading_back_may_be_anybodys_change() -> None:
    somebody_elses = replace(WRITE, ours=False)
    read_back = replace(ROW, read_back=True)
    assert violations(replace(KEPT, writes=(somebody_elses,), journal=(read_back,))) == []


FORGED = {
    "accepted write 1 .* has no journal row": replace(KEPT, journal=()),
    "write 1 .* has no journal row, but chg_1 claims it failed": replace(
        KEPT, journal=(replace(ROW, status="failed"),)
    ),
    "accepted write 2 .* has no journal row": replace(KEPT, writes=(WRITE, replace(WRITE, seq=2))),
    "write 1 .* has no journal row$": replace(KEPT, writes=(replace(WRITE, at=1_000),)),
    "made for key_gated without an approval": replace(KEPT, journal=(replace(ROW, approval=None),)),
    "made under apr_1, to which nobody said yes": replace(KEPT, yes=frozenset()),
    "write 1 .* made under apr_1, to which nobody said yes": replace(KEPT, approvals=(replace(DONE, decided_by=None),)),
    "made under apr_9, to which nobody said yes": replace(KEPT, journal=(replace(ROW, approval="apr_9"),)),
    "apr_1 has 2 accepted writes": replace(
        KEPT, writes=(WRITE, replace(WRITE, seq=2)), journal=(ROW, replace(ROW, id="chg_2"))
    ),
    r"apr_1 \(done\) had its write sent more than once": replace(
        KEPT, journal=(ROW, replace(ROW, id="chg_2", status="unknown"))
    ),
    r"apr_1 \(done\) was agreed to on other terms": replace(
        KEPT, journal=(replace(ROW, terms=terms({"name": ("Somebody else's", "Chaos 1")})),)
    ),
    "apr_1 .* is left executing": ended("executing"),
    "apr_1 .* was claimed without a yes": replace(ended("failed"), yes=frozenset()),
    "apr_1 .* was denied without a no": ended("denied"),
    r"apr_1 \(denied\) was carried out": replace(
        KEPT, approvals=(replace(DONE, status="denied"),), no=frozenset({"apr_1"})
    ),
    r"apr_1 \(expired\) was carried out": replace(KEPT, approvals=(replace(DONE, status="expired"),)),
    r"apr_1 \(superseded\) was carried out": replace(KEPT, approvals=(replace(DONE, status="superseded"),)),
    r"apr_1 \(stale\) was carried out": replace(KEPT, approvals=(replace(DONE, status="stale"),)),
    r"apr_1 \(pending\) was carried out": replace(KEPT, approvals=(replace(DONE, status="pending"),)),
    r"apr_1 \(failed\) took effect all the same": replace(KEPT, approvals=(replace(DONE, status="failed"),)),
    r"apr_1 \(done\) is not done in the journal": ended("done"),
    r"apr_1 \(unknown\) is not unknown in the journal": ended("unknown"),
    "chg_1 is left without an outcome": replace(KEPT, journal=(replace(ROW, status="intent"),)),
    "chg_1 is done, but the platform never accepted it": replace(KEPT, writes=()),
    "chg_1 is done by what was read back, but the platform never had it": replace(
        KEPT, writes=(), journal=(replace(ROW, read_back=True),)
    ),
    "the audit log tells nothing": replace(KEPT, audit=()),
    r"the audit log tells \['failed'\]": replace(KEPT, audit=(Audited(outcome="failed", approval="apr_1"),)),
    r"the audit log tells \['done', 'done'\]": replace(KEPT, audit=KEPT.audit * 2),
    "2 people were told that they decided apr_1": replace(KEPT, told={"apr_1": ("done", "done")}),
    "apr_1 is done, whoever decided was told failed": replace(KEPT, told={"apr_1": ("failed",)}),
    "chg_1 was recovered, and the audit log does not tell it": replace(
        KEPT, journal=(replace(ROW, approval=None, principal="key_direct", recovered=True),)
    ),
    "chg_1 is done, and 120 has name Chaos 0 instead of Chaos 1": replace(KEPT, campaigns={"120": {"name": "Chaos 0"}}),
    "the audit chain of wsp_1: row 7 is missing": replace(KEPT, chains={"wsp_1": "row 7 is missing"}),
}


@pytest.mark.parametrize("objection", FORGED)
def test_a_forged_history_is_objected_to(objection: str) -> None:
    found = violations(FORGED[objection])

    assert any(re.search(objection, each) for each in found), found


@pytest.mark.slow
async def test_the_real_processes_keep_every_promise_for_three_rounds() -> None:
    result = await play(3, seed=1)

    assert (result.violation, result.closing) == ("", "3 passed, 0 failed")
