"""What a tool said, as data: for the model capped and marked as other people's words, for people as it is."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agent.snapshot import compact
from agent.transcript import tool_result
from tools.approval import ApprovalStatus, refusal
from tools.errors import CapabilityError

MOST_CHARACTERS = 40_000
LONGEST_TEXT = 600
LONGEST_ADDRESS = 4_000

_ADDRESSES = frozenset({"next_cursor", "url"})  # of no use when cut
_UNSEEN = re.compile(
    "[\0-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb"
    "\ud800-\udfff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Controls, marks that have no width or turn the direction, the tags that hide text inside text, and halves of pairs,
which no request can hold. The two joiners are left, as in tools/legible.py: Persian and emoji need them."""


@dataclass(frozen=True, slots=True)
class ToolResult:
    """`block` is what the model is sent; the others are what people are shown."""

    tool_use_id: str
    status: str  # ok | error
    summary: str
    result: dict[str, Any]
    block: str

    def event(self, elapsed_ms: int | None = None) -> dict[str, Any]:
        """For people: how long it took, and how old it is, where that is known."""
        told = {
            "toolUseId": self.tool_use_id,
            "status": self.status,
            "summary": self.summary,
            "result": self.result,
            "elapsedMs": elapsed_ms,
            "cache": _freshness(self.result.get("cache")),
        }
        return {name: value for name, value in told.items() if value is not None}


def succeeded(tool_use_id: str, output: Mapping[str, Any], summary: str | None = None) -> ToolResult:
    shown, left_out = _fitting(_clean(dict(output)))
    told: dict[str, Any] = {"status": "ok", "untrusted": shown}
    if left_out:
        told["left_out"] = f"{left_out} more rows did not fit; ask for fewer at once, or for the next page."
    return ToolResult(tool_use_id, "ok", summary or _summary(output), shown, tool_result(tool_use_id, told))


def failed(tool_use_id: str, error: CapabilityError) -> ToolResult:
    return _failed(tool_use_id, error.body(""))


def decided(tool_use_id: str, approval: Mapping[str, Any]) -> ToolResult:
    """What became of a change that waited for a person."""
    status = ApprovalStatus(approval["status"])
    if status is ApprovalStatus.DONE:
        result = {"approval_id": approval["id"], "decision": "approved", "result": approval.get("result", {})}
        return succeeded(tool_use_id, result, f"Approved by {approval.get('decidedBy', 'a person')} and done.")
    if status not in (ApprovalStatus.FAILED, ApprovalStatus.UNKNOWN):
        return failed(tool_use_id, refusal(approval))
    error = approval.get("error", {})
    outcome = "it is not known whether it was made" if status is ApprovalStatus.UNKNOWN else "it was not made"
    told = {
        "code": "platform_error",
        "fix": "Look at list_changes before proposing anything again.",
        **error,
        "message": f"A person agreed to this change, but {outcome}: {error.get('message', 'no reason is known')}",
    }
    return _failed(tool_use_id, told)


def _failed(tool_use_id: str, body: Mapping[str, Any]) -> ToolResult:
    """The code and the fix are ours; the message and the details may quote what others wrote."""
    shown, _ = _fitting({name: value for name, value in _clean(body).items() if name != "meta"})
    told = {"status": "error", "code": shown.pop("code", "internal"), "fix": shown.pop("fix", "")}
    block = tool_result(tool_use_id, told | {"untrusted": shown}, is_error=True)
    return ToolResult(tool_use_id, "error", str(shown.get("message", "")), told | shown, block)


def legible_line(text: str) -> str:
    """Without what a reader cannot see."""
    return _UNSEEN.sub("", text)


def _freshness(cache: Any) -> dict[str, Any] | None:
    """As answers that are kept say it; of any other `cache` nothing is."""
    if not isinstance(cache, Mapping) or set(cache) != {"hit", "ageSeconds"}:
        return None
    return dict(cache)


def _clean(value: Any, longest: int = LONGEST_TEXT) -> Any:
    """Texts without what a reader cannot see, and none longer than a reader needs."""
    if isinstance(value, str):
        seen = _UNSEEN.sub("\ufffd", value)
        return seen if len(seen) <= longest else f"{seen[:longest]}… ({len(seen)} characters)"
    if isinstance(value, Mapping):
        return {
            _clean(name): _clean(each, LONGEST_ADDRESS if name in _ADDRESSES else LONGEST_TEXT)
            for name, each in value.items()
        }
    if isinstance(value, list | tuple):
        return [_clean(each) for each in value]
    return value


def _fitting(shown: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """The rows that fit, and how many do not; what has no rows is told only that it is too large."""
    size = len(compact(shown))
    if size <= MOST_CHARACTERS:
        return shown, 0
    name = max(
        (name for name, value in shown.items() if isinstance(value, list)), default=None, key=lambda n: len(shown[n])
    )
    if name is None:
        return {"too_large": f"The result has {size} characters; ask for less at once."}, 0
    rows, room, kept = shown[name], MOST_CHARACTERS - len(compact(shown | {name: []})), []
    for row in rows:
        room -= len(compact(row)) + 1
        if room < 0:
            break
        kept.append(row)
    return shown | {name: kept}, len(rows) - len(kept)


def _summary(output: Mapping[str, Any]) -> str:
    for name in ("items", "rows"):
        if isinstance(rows := output.get(name), list | tuple):
            return (
                f"{len(rows)} {'row' if len(rows) == 1 else 'rows'}{' and more' if output.get('next_cursor') else ''}"
            )
    return "Done"
