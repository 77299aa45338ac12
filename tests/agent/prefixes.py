"""What no conversation of any test may break: each request begins with the bytes of the one before."""

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any


def messages_of(body: bytes) -> bytes:
    """The request up to the end of its last message, as it was sent."""
    end = body.rindex(b',"tool_choice"') if b',"tool_choice"' in body else len(body) - 1
    assert body[: end - 1].startswith(b'{"model":')
    return body[: end - 1]


def assert_append_only(requests: Sequence[bytes]) -> None:
    """Of one conversation."""
    for before, after in pairwise(requests):
        assert after.startswith(messages_of(before)), (before[-300:], after[-300:])


def assert_each_goes_on(seen: Sequence[dict[str, Any]]) -> None:
    """Of all that the model was asked: each answer in a transcript was given to a request that is, byte for byte, the
    beginning of this one. `seen` is all there was, oldest first; a test that cleared some of it judges by itself."""
    if seen and seen[0]["seq"] != 1:
        return
    earlier: list[tuple[int, bytes]] = []
    for body in (each["text"].encode() for each in seen if each["path"].endswith("/messages")):
        if b'"tools":[' not in body:  # a title
            continue
        answers = sum(message["role"] == "assistant" for message in json.loads(body)["messages"])
        given = {count for count, before in earlier if count < answers and body.startswith(before)}
        assert given == set(range(answers)), f"{answers} answers, of which {sorted(given)} are known: {body[-300:]!r}"
        earlier.append((answers, messages_of(body)))
