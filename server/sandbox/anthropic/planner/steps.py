"""How an answer comes about: it is worked out anew for each request, and stops where a result is still missing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from server.sandbox.anthropic.planner.conversation import Conversation
from server.sandbox.anthropic.planner.results import Result
from server.sandbox.anthropic.turn import Block, call

_MOST_PAGES = 8


class Needed(Exception):
    """These calls first."""

    def __init__(self, calls: list[Block]) -> None:
        super().__init__()
        self.calls = calls


class Said(Exception):
    """The answer is known before its end: a question back, or a refusal."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


@dataclass(frozen=True, slots=True)
class Asked:
    """`words` are the person's, lower case kept; they include those that a question back was about."""

    conversation: Conversation
    words: str

    def takes(self, name: str, argument: str) -> bool:
        tool = self.conversation.tools.get(name, {})
        return argument in tool.get("input_schema", {}).get("properties", {})

    def call(self, name: str, /, **arguments: Any) -> Result:
        """The result of a call, whether or not it worked."""
        return self.calls((name, arguments))[0]

    def calls(self, *wanted: tuple[str, Mapping[str, Any]]) -> list[Result]:
        """The results of several calls made at once."""
        for name, _ in wanted:
            if name not in self.conversation.tools:
                raise Said(f"I cannot do that here: I was given no tool called `{name}`.")
        found = [self.conversation.called(name, arguments) for name, arguments in wanted]
        missing = [call(*each) for each, result in zip(wanted, found, strict=True) if result is None]
        if missing:
            raise Needed(missing if self.conversation.parallel else missing[:1])
        return [result for result in found if result is not None]

    def read(self, name: str, /, **arguments: Any) -> Any:
        """The data of a call that has to work."""
        result = self.call(name, **arguments)
        if result.is_error:
            raise Said(result.problem())
        return result.data

    def rows(self, name: str, /, **arguments: Any) -> list[dict[str, Any]]:
        """All pages of a list."""
        rows: list[dict[str, Any]] = []
        for _ in range(_MOST_PAGES):
            result = self.call(name, **arguments)
            if result.is_error:
                raise Said(result.problem())
            rows += result.items
            cursor = result.data.get("next_cursor") if isinstance(result.data, dict) else None
            if not cursor:
                break
            arguments = arguments | {"cursor": cursor}
        return rows
