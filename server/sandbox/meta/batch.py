"""Batch requests: up to fifty calls in one, answered in order, each failing on its own."""

from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl, urlsplit

import orjson

from server.sandbox.meta import errors, params
from server.sandbox.meta.wire import Answer, Call

_MOST = 50
_METHODS = ("GET", "POST", "DELETE")
_KEYS = frozenset({"method", "relative_url", "body", "headers", "name", "omit_response_on_success"})
_INHERITED = ("access_token", "appsecret_proof")


def is_batch(call: Call) -> bool:
    return call.method == "POST" and "batch" in call.params


def calls(batch: Call) -> list[Call]:
    """The calls a batch is made of; they use its token unless they bring their own."""
    params.only(batch.params, params.COMMON | {"batch", "include_headers"})
    listed = params.json_value("batch", batch.params["batch"], "a JSON array")
    if not isinstance(listed, list):
        raise errors.not_of_type("batch", "a JSON array")
    if len(listed) > _MOST:
        raise errors.GraphError(
            100, f"(#100) Too many requests in batch message. Maximum batch size is {_MOST}", type="GraphBatchException"
        )
    return list(_each(batch, listed))


def _each(batch: Call, listed: list[object]) -> Iterator[Call]:
    for index, item in enumerate(listed):
        name = f"batch[{index}]"
        if not isinstance(item, dict) or not isinstance(item.get("relative_url"), str) or not item.keys() <= _KEYS:
            raise errors.not_of_type(name, f"an object of {', '.join(sorted(_KEYS))}")
        method = params.one_of(f"{name}['method']", str(item.get("method", "GET")), _METHODS)
        where = urlsplit("/" + item["relative_url"].lstrip("/"))
        path = tuple(segment for segment in where.path.split("/") if segment)
        version = batch.path[:1] if not path or not path[0].startswith("v") else ()
        inherited = {name: batch.params[name] for name in _INHERITED if name in batch.params}
        own = dict(parse_qsl(where.query, keep_blank_values=True)) | dict(
            parse_qsl(str(item.get("body", "")), keep_blank_values=True)
        )
        yield Call(method, version + path, inherited | own, batch.base_url)


def envelope(batch: Call, answers: list[Answer]) -> list[Mapping[str, object]]:
    with_headers = params.boolean("include_headers", batch.params.get("include_headers", "true"))
    return [
        {"code": answer.status}
        | ({"headers": _headers(answer)} if with_headers else {})
        | {"body": orjson.dumps(answer.body).decode()}
        for answer in answers
    ]


def _headers(answer: Answer) -> list[dict[str, str]]:
    shown = {"Content-Type": "application/json; charset=UTF-8", **answer.headers}
    return [{"name": name, "value": value} for name, value in shown.items()]
