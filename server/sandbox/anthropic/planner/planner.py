"""What the scripted model says next: the answer to what was asked, or the calls that it still needs."""

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

from server.sandbox.anthropic.models import find as find_model
from server.sandbox.anthropic.planner import conversation as conversations
from server.sandbox.anthropic.planner import gullible as gullibility
from server.sandbox.anthropic.planner import intents, records
from server.sandbox.anthropic.planner.conversation import Conversation
from server.sandbox.anthropic.planner.steps import Asked, Needed, Said
from server.sandbox.anthropic.turn import Block, Turn, text, thinking

_TITLE_WORDS = 6
_QUOTED = re.compile(r"<(?P<tag>message|conversation|text)>(.*?)</(?P=tag)>", re.DOTALL)
_ODD = (AttributeError, IndexError, KeyError, TypeError, ValueError)
"""What comes of tools that answer in another shape than ours; the request may bring any."""


def plan(body: Mapping[str, Any], today: dt.date, *, gullible: bool = False) -> Turn:
    conversation = conversations.read(body, today)
    if not conversation.tools:
        return Turn((text(_title(conversation)),))
    if gullible and (obeyed := gullibility.obey(conversation)) is not None:
        return obeyed
    asked = Asked(conversation, _words(conversation))
    answer = intents.find(asked.words) or _unknown
    try:
        blocks: list[Block] = [text(answer(asked))]
    except Said as said:
        blocks = [text(said.text)]
    except _ODD:
        blocks = [text("A tool answered something that I, being a script, cannot read. Its result is shown above.")]
    except Needed as needed:
        blocks = needed.calls if conversation.may_call else [text(_stopped(conversation))]
    return Turn((*_resumed(body), *_thoughts(body, blocks), *blocks))


def _words(conversation: Conversation) -> str:
    """With the words that the last questions back were about, unless these ask for something of their own."""
    words = [conversation.now.words]
    if intents.find(words[0]) is None:
        for exchange in reversed(conversation.before):
            if not exchange.answer.rstrip().endswith("?"):
                break
            words.insert(0, exchange.words)
    return "\n".join(words)


def _unknown(asked: Asked) -> str:
    return f"I did not understand that. {records.abilities(asked)}"


def _stopped(conversation: Conversation) -> str:
    made = len(conversation.now.calls)
    return f"I have to stop here, before I could finish: {made} tool calls were made for this. Ask me again to go on."


def _title(conversation: Conversation) -> str:
    """Without tools there is nothing to look up; the application wants a name for the conversation."""
    said = _QUOTED.sub(r"\2", conversation.now.words).strip()
    words = re.findall(r"[^\s\"“”]+", re.split(r"[.,;:!?](?:\s|$)", said)[0])[:_TITLE_WORDS]
    title = " ".join(words) or "New conversation"
    return title[0].upper() + title[1:]


def _resumed(body: Mapping[str, Any]) -> list[Block]:
    """A paused turn goes on where it stopped: with the result of its search, which found nothing."""
    last = body["messages"][-1]
    if last["role"] != "assistant":
        return []
    return [{"type": "web_search_tool_result", "tool_use_id": last["content"][-1]["id"], "content": []}]


def _thoughts(body: Mapping[str, Any], blocks: list[Block]) -> list[Block]:
    """What these models say between calls, they say in thinking."""
    config = body.get("thinking") or {}
    thinks = config.get("type") in {"adaptive", "enabled"} if config else find_model(body["model"]).thinks_unasked
    if not thinks:
        return []
    names = [block["name"] for block in blocks if block["type"] == "tool_use"]
    return [thinking(f"I need {' and '.join(names)} for this." if names else "I have what I need to answer.")]
