"""How an answer comes about: it is worked out anew for each request, and stops where a result is still missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from server.sandbox.anthropic.planner import periods
from server.sandbox.anthropic.planner.conversation import Conversation, Exchange
from server.sandbox.anthropic.planner.periods import Period
from server.sandbox.anthropic.planner.results import Result
from server.sandbox.anthropic.turn import Block, call

_MOST_PAGES = 8
_READS = ("get_", "list_", "query_", "describe_", "check_", "test_")


class Needed(Exception):
    """These calls first. With `why` a person decides next, who should have read everything that led there."""

    def __init__(self, calls: list[Block], why: str | None = None) -> None:
        super().__init__()
        self.calls = calls
        self.why = why


class Said(Exception):
    """The answer is known before its end: a question back, or a refusal."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


@dataclass(frozen=True, slots=True)
class Asked:
    """`words` are the person's, lower case kept; they include those that a question back was about. `earlier` is what
    the same message asked for before that, and `more` says whether it goes on."""

    conversation: Conversation
    words: str
    earlier: Sequence[Exchange] = ()
    more: bool = False

    @property
    def before(self) -> Sequence[Exchange]:
        return [*self.conversation.before, *self.earlier]

    @property
    def period(self) -> Period:
        """What one request of a message says about days holds for those after it."""
        today = self.conversation.today
        said = [self.words, *(each.words for each in reversed(self.earlier))]
        return next((found for words in said if (found := periods.said(words, today))), periods.usual(today))

    def takes(self, name: str, argument: str) -> bool:
        tool = self.conversation.tools.get(name, {})
        return argument in tool.get("input_schema", {}).get("properties", {})

    def call(self, name: str, /, **arguments: Any) -> Result:
        """The result of a call, whether or not it worked."""
        return self.calls((name, arguments))[0]

    def propose(self, name: str, arguments: Mapping[str, Any], why: str = "") -> Result:
        """The result of a change that a person decides; `why` is told before."""
        try:
            return self.call(name, **arguments)
        except Needed as needed:
            raise Needed(needed.calls, why) from None

    def calls(self, *wanted: tuple[str, Mapping[str, Any]]) -> list[Result]:
        """The results of several calls made at once."""
        sent = [self._through(*each) for each in wanted]
        found = [self.conversation.called(name, arguments) for name, arguments in sent]
        missing = [call(*each) for each, result in zip(sent, found, strict=True) if result is None]
        if missing:
            raise Needed(missing if self.conversation.parallel else missing[:1])
        return [result for result in found if result is not None]

    def _through(self, name: str, arguments: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
        """What is not listed may be callable by its name."""
        through = "call_read" if name.startswith(_READS) else "call_write"
        if name in self.conversation.tools:
            return name, arguments
        if through in self.conversation.tools:
            return through, {"name": name, "arguments": dict(arguments)}
        raise Said(f"I cannot do that here: I was given no tool called `{name}`.")

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
