"""What a model may answer, and all that it may cost: the cases of the property test of turns."""

from decimal import Decimal

from hypothesis import strategies as st

from agent.limits import Limits
from tests.agent.deciding import FACES
from tests.agent.talk import calls, text

CAMPAIGNS = ("12023100010000005", "12023100010000002", "12023100010000007")
LIMITS = Limits(model_calls=5, tool_calls=6, dollars=Decimal("0.30"))
CEILING = 70
BUDGETS = (Decimal("0.60"), Decimal("1.50"), Decimal(9))
"""Of a month: for a turn or two with the longest answers, for some, for all."""
WEEK = {"since": "2026-11-13", "until": "2026-11-19", "breakdown": "campaign"}
SLOW = {"kind": "slow", "seconds": 8}

reads = st.sampled_from((
    ("whoami", {}), ("list_connections", {}), ("list_campaigns", {"limit": 1}), ("list_changes", {"limit": 2}),
    ("get_insights", WEEK), ("find_capability", {"query": "funnel"}),
))  # fmt: skip
writes = st.builds(
    lambda campaign, change: ("update_campaign", {"campaign_id": campaign, **change}),
    st.sampled_from(CAMPAIGNS),
    st.sampled_from(
        ({"status": "PAUSED"}, {"status": "ACTIVE"}, {"name": "Ours"}, {"daily_budget": 44}, {"daily_budget": 90})
    ),
)
mistakes = st.sampled_from((
    ("launch_rocket", {}), ("approve", {"approval_id": "apr_1"}), ("list_campaigns", {"limit": "many"}),
    ("update_campaign", {"campaign_id": "404", "name": "None"}), ("call_read", {"name": "update_campaign"}),
    ("call_write", {"name": "undo_change", "arguments": {"change_id": "chg_none"}}),
))  # fmt: skip
dear = st.sampled_from(({}, {}, {"output_tokens": 4_000}, {"output_tokens": 16_000}))
batches = st.builds(
    lambda made, usage: calls(*made, usage=usage),
    st.lists(st.one_of(reads, reads, writes, mistakes), min_size=1, max_size=4),
    dear,
)
broken = st.builds(
    lambda answer, kind: {**answer, "fault": {"kind": kind}},
    st.one_of(batches, st.just(text("Half of a sentence, and then nothing. " * 4))),
    st.sampled_from(("cut", "truncated", "overloaded", "overloaded_mid", "throttled", "server_error", "html")),
)
endings = st.sampled_from((
    {"blocks": [], "stop_reason": "refusal"},
    {"blocks": [{"type": "text", "text": "I look."}, {"type": "tool_use", "name": "whoami", "input": {}, "open": True}],
     "stop_reason": "max_tokens"},
    {"blocks": [{"type": "text", "text": "Wait."}, {"type": "server_tool_use", "name": "web_search", "input": {}}],
     "stop_reason": "pause_turn"},
    {"blocks": [{"type": "thinking", "thinking": "Hm."}]},
    {"blocks": [{"type": "tool_use", "name": "whoami", "input": {}, "json": "[1]"}]},
))  # fmt: skip
answers = st.lists(st.one_of(batches, batches, batches, broken, endings), max_size=6)
faces = st.sampled_from(FACES)
minds = st.lists(st.tuples(faces, st.booleans()), min_size=2, max_size=3)
which = st.integers(min_value=0, max_value=1_000)
after = st.integers(min_value=1, max_value=30)
