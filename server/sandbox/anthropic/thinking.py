"""Thinking is signed for its text and for everything that was said before it; change either and it is refused."""

from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from hashlib import sha256
from hmac import compare_digest
from hmac import new as hmac
from typing import Any

import orjson

from server.sandbox.anthropic.errors import invalid
from server.sandbox.anthropic.models import Model
from server.sandbox.anthropic.prefix import THINKING, blocks, unmarked

_KEY = sha256(b"adwright sandbox thinking").digest()
"""Constant, so that stored conversations go on after a restart."""
_HALF = 32


class Binding:
    """The conversation up to a message, as signatures see it: without thinking and without cache marks.

    What stands before a block in its own message is not bound: the SDK gives blocks back with their keys reordered.
    """

    def __init__(self, body: Mapping[str, Any]) -> None:
        self._digest = sha256(orjson.dumps(body["model"]))
        for tool in body.get("tools") or ():
            self._digest.update(b"tool" + orjson.dumps(unmarked(tool)))
        for block in blocks(body.get("system")):
            self._digest.update(b"system" + orjson.dumps(unmarked(block)))

    def add(self, message: Mapping[str, Any]) -> None:
        for block in blocks(message["content"]):
            if block["type"] not in THINKING:
                self._digest.update(orjson.dumps([message["role"], unmarked(block)]))

    def sign(self, text: str) -> str:
        return b64encode(_mac(b"text", text.encode()) + _mac(b"prefix", self._digest.digest())).decode()

    def check(self, text: str, signature: str, *, bound: bool) -> str | None:
        """What is wrong with a signature, if anything."""
        try:
            given = b64decode(signature, validate=True)
        except ValueError:
            given = b""
        if not compare_digest(given[:_HALF], _mac(b"text", text.encode())) or len(given) != 2 * _HALF:
            return "Invalid `signature` in `thinking` block"
        if bound and not compare_digest(given[_HALF:], _mac(b"prefix", self._digest.digest())):
            return "Invalid `signature` in `thinking` block. The block is bound to a different conversation"
        return None


def verify(model: Model, body: Mapping[str, Any]) -> Binding:
    """Check every thinking block of the transcript; what comes back signs the answer."""
    binding = Binding(body)
    for position, message in enumerate(body["messages"]):
        for at, (text, signature) in _signed(message):
            problem = binding.check(text, signature, bound=model.binds_thinking)
            if problem is not None:
                raise invalid(f"messages.{position}.content.{at}: {problem}")
        binding.add(message)
    return binding


def _signed(message: Mapping[str, Any]) -> Iterator[tuple[int, tuple[str, str]]]:
    for at, block in enumerate(blocks(message["content"])):
        if block["type"] == "thinking":
            yield at, (block["thinking"], block["signature"])
        elif block["type"] == "redacted_thinking":
            sealed, _, signature = block["data"].rpartition(".")
            yield at, (sealed, signature)


def _mac(purpose: bytes, message: bytes) -> bytes:
    return hmac(_KEY, purpose + b"\n" + message, sha256).digest()
