"""What the scripted model says next: the answer to what was asked, or the calls that it still needs."""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Any

from server.sandbox.anthropic.models import find as find_model
from server.sandbox.anthropic.planner import asking
from server.sandbox.anthropic.planner import conversation as conversations
from server.sandbox.anthropic.planner import gullible as gullibility
from server.sandbox.anthropic.planner.conversation import Conversation
from server.sandbox.anthropic.turn import Block, Turn, text, thinking

_TITLE_WORDS = 6
_QUOTED = re.compile(r"<(?P<tag>message|conversation|text)>(.*?)</(?P=tag)>", re.DOTALL)


def plan(body: Mapping[str, Any], today: dt.date, *, gullible: bool = False) -> Turn:
    conversation = conversations.read(body, today)
    if not conversation.tools:
        return Turn((text(_title(conversation)),))
    if gullible and (obeyed := gullibility.obey(conversation)) is not None:
        return obeyed
    return Turn((*_resumed(body), *_thoughts(body, blocks := _blocks(conversation)), *blocks))


def _blocks(conversation: Conversation) -> list[Block]:
    played = asking.play(conversation)
    if played.needed is None:
        return [text(words) for words in _unsaid(conversation, played.answers) or played.answers[-1:]]
    if not conversation.may_call:
        return [text(_stopped(conversation))]
    if played.needed.why is None:
        return played.needed.calls
    told = [each for each in (*played.answers, played.needed.why) if each]
    return [*(text(words) for words in _unsaid(conversation, told)), *played.needed.calls]


def _unsaid(conversation: Conversation, answers: Sequence[str]) -> list[str]:
    """In one, and without what was said already before a person decided."""
    left = [answer for answer in dict.fromkeys(answers) if answer not in conversation.now.answer]
    return ["\n\n".join(left)] if left else []


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
