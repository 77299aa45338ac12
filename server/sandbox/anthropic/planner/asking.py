"""The requests of a message, answered one after another: each may build on the answers before it."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from server.sandbox.anthropic.planner import intents, records, requests
from server.sandbox.anthropic.planner.conversation import Conversation, Exchange
from server.sandbox.anthropic.planner.steps import Asked, Needed, Said

_ODD = (AttributeError, IndexError, KeyError, TypeError, ValueError)
"""What comes of tools that answer in another shape than ours; the request may bring any."""
_UNREADABLE = "A tool answered something that I, being a script, cannot read. Its result is shown above."
_ONLY_READS = (
    "I cannot change anything here: my tools only read web analytics. Changes of campaigns belong into the ads chat."
)


@dataclass(frozen=True, slots=True)
class Played:
    """How far the requests of the last message have come; `open` is the one that ended in a question back."""

    answers: list[str]
    needed: Needed | None
    open: str | None


def play(conversation: Conversation) -> Played:
    earlier: list[Exchange] = []
    answers: list[str] = []
    asked_for = _requests(conversation)
    for number, words in enumerate(asked_for, 1):
        asked = Asked(conversation, words, tuple(earlier), more=number < len(asked_for))
        try:
            answer, ends = _answer(asked)
        except Needed as needed:
            return Played(answers, needed, None)
        answers.append(answer)
        earlier.append(Exchange(words, words, answers=[answer]))
        if ends:
            return Played(answers, None, words if _asks_back(answer) else None)
    return Played(answers, None, words if _asks_back(answers[-1]) else None)


def _answer(asked: Asked) -> tuple[str, bool]:
    """What is said, and whether nothing that was asked after it is gone on with."""
    found: Callable[[Asked], str] = intents.find(asked.words) or _unknown
    try:
        if found in intents.CHANGES and "query_metrics" in asked.conversation.tools and _only_reads(asked):
            return _ONLY_READS, True
        return found(asked), False
    except Said as said:
        return said.text, True
    except _ODD:
        return _UNREADABLE, True


def _only_reads(asked: Asked) -> bool:
    return not {"update_campaign", "call_write"} & asked.conversation.tools.keys()


def _requests(conversation: Conversation) -> list[str]:
    """With what the last question back was about, unless the message asks for something of its own."""
    parts = requests.split(conversation.now.words)
    asks = [intents.find(part) is not None and not requests.NEGATED.search(part) for part in parts]
    if any(asks):
        return requests.joined(parts, asks)
    words = conversation.now.words
    if intents.find(words) is None and conversation.before and _asks_back(conversation.before[-1].answer):
        then = play(replace(conversation, exchanges=conversation.before))
        return [f"{then.open or conversation.before[-1].words}\n{words}"]
    return [words]


def _asks_back(answer: str) -> bool:
    return answer.rstrip().endswith("?")


def _unknown(asked: Asked) -> str:
    return f"I did not understand that; as a script I cannot answer it. {records.abilities(asked)}"
