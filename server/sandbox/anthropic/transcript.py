"""Whether messages make a conversation: who may say what, every call answered once, and answered first."""

from collections.abc import Mapping, Sequence
from typing import Any

from server.sandbox.anthropic.errors import invalid
from server.sandbox.anthropic.models import Model
from server.sandbox.anthropic.prefix import THINKING, blocks

_SAID_BY = {
    "user": frozenset({"text", "image", "document", "search_result", "tool_result"}),
    "assistant": THINKING | {"text", "tool_use", "server_tool_use", "web_search_tool_result"},
    "system": frozenset({"text"}),
}

Blocks = Sequence[Mapping[str, Any]]


def check(model: Model, body: Mapping[str, Any]) -> None:
    messages: Sequence[Mapping[str, Any]] = body["messages"]
    if messages[0]["role"] != "user":
        raise invalid('messages: first message must use the "user" role')
    ids: set[str] = set()
    asked: list[str] = []
    for position, message in enumerate(messages):
        content = blocks(message["content"])
        _content(position, message, content, last=position == len(messages) - 1)
        if message["role"] == "system":
            _system(position, messages)
        _answers(position, message["role"], content, asked)
        asked = [block["id"] for block in content if block["type"] == "tool_use"]
        if ids & set(asked) or len(set(asked)) < len(asked):
            raise invalid(f"messages.{position}: `tool_use` ids must be unique")
        ids |= set(asked)
    if asked:
        raise _unanswered(len(messages) - 1, asked)
    _end(model, messages[-1])


def _content(position: int, message: Mapping[str, Any], content: Blocks, *, last: bool) -> None:
    role = message["role"]
    if not content and not (role == "assistant" and last):
        raise invalid(
            f"messages.{position}: all messages must have non-empty content except for the optional final assistant "
            "message"
        )
    for at, block in enumerate(content):
        if block["type"] not in _SAID_BY[role]:
            raise invalid(f"messages.{position}: `{block['type']}` blocks cannot be in `{role}` messages")
        if block["type"] == "text" and not block["text"]:
            raise invalid(f"messages.{position}.content.{at}: text content blocks must be non-empty")
        if block["type"] == "text" and role != "assistant" and not block["text"].strip():
            raise invalid(f"messages.{position}: text content blocks must contain non-whitespace text")
    if role == "assistant" and content and content[-1]["type"] in THINKING:
        raise invalid(f"messages.{position}: The final block in an assistant message cannot be `thinking`.")


def _system(position: int, messages: Sequence[Mapping[str, Any]]) -> None:
    followed = position + 1 < len(messages) and messages[position + 1]["role"] != "assistant"
    if messages[position - 1]["role"] != "user" or followed:
        raise invalid(
            f"messages.{position}: a `system` message must follow a `user` message, and be last or be followed by an "
            "`assistant` message"
        )


def _answers(position: int, role: str, content: Blocks, asked: Sequence[str]) -> None:
    """Every call of the message before is answered here, once, before anything else."""
    given = [block["tool_use_id"] for block in content if block["type"] == "tool_result"]
    missing = [each for each in asked if each not in given]
    if missing:
        raise _unanswered(position - 1, missing)
    for at, block in enumerate(content):
        if block["type"] == "tool_result" and block["tool_use_id"] not in asked:
            raise invalid(
                f"messages.{position}.content.{at}: unexpected `tool_use_id` found in `tool_result` blocks: "
                f"{block['tool_use_id']}. Each `tool_result` block must have a corresponding `tool_use` block in the "
                "previous message."
            )
    if len(set(given)) < len(given):
        twice = next(each for each in given if given.count(each) > 1)
        raise invalid(
            f"messages.{position}: each tool_use must have a single result. Found multiple `tool_result` "
            f"blocks with id: {twice}"
        )
    if role == "user" and any(block["type"] != "tool_result" for block in content[: len(given)]):
        raise invalid(f"messages.{position}: `tool_result` blocks must come first in the content")


def _unanswered(position: int, missing: Sequence[str]) -> Exception:
    return invalid(
        f"messages.{position}: `tool_use` ids were found without `tool_result` blocks immediately after: "
        f"{', '.join(missing)}. Each `tool_use` block must have a corresponding `tool_result` block in the "
        "next message."
    )


def _end(model: Model, last: Mapping[str, Any]) -> None:
    """A turn that was paused is given back as it is; everything else that ends with the assistant is a prefill."""
    if last["role"] != "assistant":
        return
    content = blocks(last["content"])
    if content and content[-1]["type"] == "server_tool_use":
        return
    if not model.prefill:
        raise invalid(
            "This model does not support assistant message prefill. The conversation must end with a user message."
        )
    if content and content[-1]["type"] == "text" and content[-1]["text"] != content[-1]["text"].rstrip():
        raise invalid("messages: final assistant content cannot end with trailing whitespace")
