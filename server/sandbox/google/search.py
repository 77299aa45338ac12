"""Answers to queries: pages of a fixed size, or everything in a stream of chunks."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Sequence
from secrets import token_urlsafe
from typing import cast

from server.sandbox.google import errors, gaql, query, rows, schema
from server.sandbox.google.wire import Answer
from server.sandbox.google.world import Account, World

PAGE = 10_000
_SEARCHES_KEPT = 8


class Pages:
    """The results of searches that have further pages: those show the world as it was at the first one."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[str, Sequence[rows.Row]]] = OrderedDict()

    def keep(self, asked: str, found: Sequence[rows.Row]) -> str:
        key = token_urlsafe(12)
        self._kept[key] = (asked, found)
        if len(self._kept) > _SEARCHES_KEPT:
            self._kept.popitem(last=False)
        return key

    def find(self, token: str, asked: str) -> tuple[str, int, Sequence[rows.Row]]:
        """The search that a token belongs to, the row it leads to, and all rows."""
        try:
            key, _, place = urlsafe_b64decode(token).decode("ascii").partition(":")
        except ValueError:
            key, place = "", ""
        if not place.isdecimal():
            raise errors.failure("requestError.INVALID_PAGE_TOKEN", "Page token is invalid.", "page_token")
        if key not in self._kept:
            raise errors.failure("requestError.EXPIRED_PAGE_TOKEN", "Page token has expired.", "page_token")
        belongs_to, found = self._kept[key]
        if belongs_to != asked:
            raise errors.failure("requestError.INVALID_PAGE_TOKEN", "Page token is invalid.", "page_token")
        return key, int(place), found


def search(world: World, account: Account, request: schema.Fields, pages: Pages) -> Answer:
    refuse_page_size(request)
    text = _text(request)
    plan = query.check(gaql.parse(text), world.today(account.customer))
    settings = cast("schema.Fields", request.get("searchSettings", {}))
    if settings.get("returnSummaryRow"):
        raise errors.failure("queryError.QUERY_ERROR", "This stand-in gives no summary rows.", "search_settings")
    asked, token = f"{account.customer.id} {text}", str(request.get("pageToken", ""))
    key, start, found = pages.find(token, asked) if token else ("", 0, [])
    if request.get("validateOnly"):
        return Answer({})
    found = found if token else rows.run(world, account, plan)
    page = [] if settings.get("omitResults") else found[start : start + PAGE]
    body: dict[str, object] = {"results": page} if page else {}
    if page and start + PAGE < len(found):
        place = f"{key or pages.keep(asked, found)}:{start + PAGE}"
        body["nextPageToken"] = urlsafe_b64encode(place.encode()).decode()
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
