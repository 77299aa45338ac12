"""What came of the changes that were asked for: told from the conversation, and read back where it counts."""

from server.sandbox.anthropic.planner import naming, records
from server.sandbox.anthropic.planner.conversation import Call
from server.sandbox.anthropic.planner.steps import Asked
from server.sandbox.anthropic.planner.tables import listed, many, plain

_CHANGES = frozenset({
    "update_campaign", "create_campaign", "delete_campaign", "pause_low_roas_campaigns", "undo_change", "call_write",
})  # fmt: skip


def state(asked: Asked) -> str:
    """How a campaign stands now, as the platform tells it."""
    made = _made(asked)
    if made and "campaign_id" not in made[-1].arguments and naming.refers_back(asked.words):
        return recap(asked)
    found = naming.campaign(asked, archived=True)
    told = f"**{found['name']}** is {str(found['status']).lower()}, as the platform tells it."
    return f"{told}\n\n{listed([found], naming.COLUMNS)}"


def recap(asked: Asked) -> str:
    """What was done in this conversation, and what Adwright recorded."""
    made = _made(asked)
    recorded = records.changes(asked)
    if not made:
        return f"I asked for no change in this conversation; I only looked things up. {recorded}"
    return f"{_outcomes(made)}\n\n{recorded}"


def _made(asked: Asked) -> list[Call]:
    return [call for each in asked.conversation.exchanges for call in each.calls if call.name in _CHANGES]


def _outcomes(made: list[Call]) -> str:
    lines = [f"- `{call.name}` with {_sent(call)}: {_outcome(call)}" for call in made]
    return f"In this conversation I asked for {many(len(made), 'change')}:\n\n" + "\n".join(lines)


def _sent(call: Call) -> str:
    return ", ".join(f"{name} {plain(value)}" for name, value in call.arguments.items()) or "nothing"


def _outcome(call: Call) -> str:
    if call.result is None:
        return "it waits"
    return plain(call.result.problem()) if call.result.is_error else "done"
