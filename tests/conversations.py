"""Conversations as rows, for tests that are not about the model that would have had them."""

import json
from typing import Any

from tools import ids
from tools.conversations import store as conversations
from tools.conversations.store import Kind, ResultState, Status
from tools.store.engine import Store, Transaction
from tools.store.tenant import Rows
from tools.store.told import event_told

USED = {"input_tokens": 100, "output_tokens": 20, "cache_read_tokens": 300, "cache_write_tokens": 0, "cost": "0.0005"}


async def told(
    store: Store,
    workspace: str,
    user: str,
    *,
    said: str = "Hello?",
    answer: str = "Hello.",
    at: int = 1_763_640_000_000,
    turns: int = 1,
    approval: str | None = None,
    used: dict[str, Any] | None = None,
    **session: Any,
) -> str:
    """So many turns of a question, a call and an answer; with an approval, the last one's call waits for it."""
    rows, identifier = Rows(store, workspace), ids.new("cnv")
    spent = USED if used is None else used
    waiting = {"status": Status.WAITING} if approval else {}

    async def work(tx: Transaction) -> None:
        seq = 0
        for turn in range(1, turns + 1):
            call, run = f"toolu_{turn}", f"run_{turn}"
            waits = approval is not None and turn == turns
            shown = [{"toolUseId": call, "name": "whoami", "title": "Whoami", "arguments": {}}]
            use = {"type": "tool_use", "id": call, "name": "whoami", "input": {}}
            block = json.dumps({"type": "tool_result", "tool_use_id": call, "content": "{}"})
            spoken: list[dict[str, Any]] = [
                {"role": "user", "content": _text("<context>{}</context>", said), "said": said},
                {"role": "assistant", "content": json.dumps([use]), "tool_calls": shown, **spent},
                {"role": "user", "content": f"[{block}]"},
                {"role": "assistant", "content": _text(answer), **spent},
            ]
            for message in spoken[: 2 if waits else 4]:
                seq += 1
                more = {"tool_calls": []} | message
                added = conversations.message_added(
                    rows, conversation_id=identifier, seq=seq, turn=turn, run_id=run, kind=Kind.SENT, created_at=at,
                    **more,
                )  # fmt: skip
                await tx.run(added)
            state = {"state": ResultState.WAITING, "approval_id": approval} if waits else _done(block)
            result = conversations.result_stored(
                rows, conversation_id=identifier, tool_use_id=call, turn=turn, created_at=at, updated_at=at, **state
            )
            await tx.run(result)
            started = json.dumps({"conversationId": identifier, "runId": run, "turn": turn, "message": said})
            await event_told(
                tx, rows, conversation_id=identifier, seq=turn, run_id=run, name="run_started", data=started, at=at
            )
        held = {
            "user_id": user, "surface": "ads", "title": said, "model": "claude-sonnet-5-5", "effort": "medium",
            "snapshot": "none", "status": Status.IDLE, "acting": {}, "turn": turns, "spent_ms": 0,
            "last_message": seq, "last_event": turns, "created_at": at, "updated_at": at,
        }  # fmt: skip
        await tx.run(conversations.session_added(rows, id=identifier, **held | waiting | session))

    await store.of(workspace).write(work)
    return identifier


def _text(*words: str) -> str:
    return json.dumps([{"type": "text", "text": each} for each in words])


def _done(block: str) -> dict[str, Any]:
    return {"state": ResultState.DONE, "content": block}
