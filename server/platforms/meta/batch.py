"""Several writes in one request to Graph, and what became of each."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from urllib.parse import urlencode

import httpx2

from server.platforms.meta.answers import PARTS, Failed, Row, lost, understood
from server.platforms.meta.usage import read_usage
from server.platforms.meta.wire import Call, json_param

MOST = 50
"""Calls in one request; Graph refuses more."""

Part = tuple[str, Mapping[str, str]]
"""One write of a batch: its path and its form."""


def batch_form(parts: Sequence[Part]) -> dict[str, str]:
    listed = [{"method": "POST", "relative_url": path, "body": urlencode(form)} for path, form in parts]
    return {"batch": json_param(listed), "include_headers": "true"}


def receipts(call: Call, parts: Sequence[Part], answer: Row | Failed) -> list[Row | Failed]:
    """One a part, in order. A part Graph says nothing about (it may have run out of time) may have taken effect."""
    if isinstance(answer, Failed):
        return [answer] * len(parts)
    said = answer.get(PARTS)
    said = said if isinstance(said, list) and len(said) == len(parts) else [None] * len(parts)
    return [_receipt(replace(call, path=path), item) for (path, _), item in zip(parts, said, strict=True)]


def _receipt(call: Call, item: object) -> Row | Failed:
    if not isinstance(item, dict) or not isinstance(item.get("code"), int) or not isinstance(item.get("body"), str):
        return Failed(lost(call, "did not say what became of this part of a batch"))
    told = [each for each in item.get("headers") or () if isinstance(each, dict)]
    headers = httpx2.Headers([(str(each.get("name")), str(each.get("value"))) for each in told])
    return understood(call, item["code"], headers, item["body"].encode(), read_usage(headers))
