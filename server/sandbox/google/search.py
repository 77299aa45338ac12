"""Answers to queries: pages of a fixed size, or everything in a stream of chunks."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from hashlib import sha256
from typing import cast

from server.sandbox.google import errors, gaql, query, rows, schema
from server.sandbox.google.wire import Answer
from server.sandbox.google.world import Account, World

PAGE = 10_000


def search(world: World, account: Account, request: schema.Fields) -> Answer:
    refuse_page_size(request)
    text = _text(request)
    plan = query.check(gaql.parse(text), world.today(account.customer))
    settings = cast("schema.Fields", request.get("searchSettings", {}))
    if settings.get("returnSummaryRow"):
        raise errors.failure("queryError.QUERY_ERROR", "This stand-in gives no summary rows.", "search_settings")
    start = _start(str(request.get("pageToken", "")), account, text)
    if request.get("validateOnly"):
        return Answer({})
    found = rows.run(world, account, plan)
    page = [] if settings.get("omitResults") else found[start : start + PAGE]
    body: dict[str, object] = {"results": page} if page else {}
    if page and start + PAGE < len(found):
        body["nextPageToken"] = _token(start + PAGE, account, text)
    if found and settings.get("returnTotalResultsCount"):
        body["totalResultsCount"] = str(len(found))
    return Answer(body | {"fieldMask": _mask(plan), "queryResourceConsumption": _consumption(found)})


def stream(world: World, account: Account, request: schema.Fields, request_id: str) -> Answer:
    if request.get("summaryRowSetting", "NO_SUMMARY_ROW") in {"SUMMARY_ROW_WITH_RESULTS", "SUMMARY_ROW_ONLY"}:
        raise errors.failure("queryError.QUERY_ERROR", "This stand-in gives no summary rows.", "summary_row_setting")
    plan = query.check(gaql.parse(_text(request)), world.today(account.customer))
    found = rows.run(world, account, plan)
    tail: dict[str, object] = {"fieldMask": _mask(plan), "requestId": request_id}
    pages = [found[start : start + PAGE] for start in range(0, len(found), PAGE)]
    chunks = [{"results": page, **tail} for page in pages] or [tail]
    chunks[-1]["queryResourceConsumption"] = _consumption(found)
    return Answer(chunks)


def refuse_page_size(request: schema.Fields) -> None:
    if "pageSize" in request:
        raise errors.failure(
            "requestError.PAGE_SIZE_NOT_SUPPORTED",
            f"Setting the page size is not supported. Search Responses will have fixed page size of '{PAGE}' rows.",
            "page_size",
        )


def _text(request: schema.Fields) -> str:
    text = str(request.get("query", ""))
    if not text.strip():
        raise errors.required("query")
    return text


def _mask(plan: query.Plan) -> str:
    return ",".join(".".join(field.json_path) for field in plan.select)


def _consumption(found: Sequence[rows.Row]) -> str:
    return str(64 + len(found) // 4)


def _token(start: int, account: Account, text: str) -> str:
    """A page token holds the place and is good for this customer's query only."""
    return urlsafe_b64encode(f"{start}:{_digest(account, text)}".encode()).decode()


def _start(token: str, account: Account, text: str) -> int:
    if not token:
        return 0
    try:
        place, _, digest = urlsafe_b64decode(token).decode().partition(":")
    except ValueError:
        place, digest = "", ""
    if digest != _digest(account, text) or not place.isdecimal():
        raise errors.failure("requestError.INVALID_PAGE_TOKEN", "Page token is invalid.", "page_token")
    return int(place)


def _digest(account: Account, text: str) -> str:
    return sha256(f"{account.customer.id}:{text}".encode()).hexdigest()[:16]
