"""Graph itself: from a call to its answer, through faults, token, quota and the one table of what exists."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from hashlib import sha256
from hmac import compare_digest
from hmac import new as hmac
from typing import Any

from server.sandbox.faults import ANSWERED, Fault, Faults, Kind
from server.sandbox.log import RequestLog
from server.sandbox.meta import accounts, campaigns, changes, errors, insights, reports
from server.sandbox.meta import world as world_module
from server.sandbox.meta.limits import Limits
from server.sandbox.meta.reports import Report, Reports
from server.sandbox.meta.seed import Account
from server.sandbox.meta.wire import Answer, Call
from server.sandbox.meta.world import Campaign, World

LATEST = "v26.0"
LIVE = frozenset({"v25.0", LATEST})
_VERSION = re.compile(r"v(\d+)\.\d+")
_APP_TOKEN = f"{world_module.APP_ID}|{world_module.APP_SECRET}"
_FAULT_REGAIN_MINUTES = 5
_TRANSIENT = frozenset({1, 2})
_QUOTA = frozenset({4, 17, 32, 613, *range(80_000, 80_015)})

Node = Account | Campaign | Report | None
Handler = Callable[[World, Any, Call], Answer]

ROOTS: dict[tuple[str, ...], tuple[str, str]] = {
    ("debug_token",): ("root", "debug_token"),
    ("oauth", "access_token"): ("root", "oauth"),
    ("me",): ("root", "me"),
    ("me", "adaccounts"): ("root", "adaccounts"),
}
HANDLERS: dict[tuple[str, str, str], Handler] = {
    ("GET", "root", "debug_token"): accounts.debug_token,
    ("GET", "root", "oauth"): accounts.exchange_token,
    ("GET", "root", "me"): accounts.read_user,
    ("GET", "root", "adaccounts"): accounts.list_accounts,
    ("GET", "AdAccount", ""): accounts.read_account,
    ("GET", "AdAccount", "campaigns"): campaigns.list_campaigns,
    ("POST", "AdAccount", "campaigns"): changes.create_campaign,
    ("GET", "AdAccount", "insights"): insights.read_insights,
    ("GET", "Campaign", ""): campaigns.read_campaign,
    ("POST", "Campaign", ""): changes.update_campaign,
    ("DELETE", "Campaign", ""): changes.delete_campaign,
    ("GET", "Campaign", "insights"): insights.read_insights,
    ("GET", "AdReportRun", ""): reports.read_report,
    ("GET", "AdReportRun", "insights"): reports.read_results,
}


class Graph:
    def __init__(self, world: World, limits: Limits, faults: Faults, log: RequestLog) -> None:
        self._world = world
        self._limits = limits
        self._faults = faults
        self._log = log
        self._reports = Reports()

    def answer(self, call: Call) -> Answer:
        """Run one call; what goes wrong becomes the platform's error object."""
        version, call = _versioned(call)
        account_id = self._account_id(call)
        fault = self._faults.take("meta", self.tags(call), ANSWERED)
        regain = 0
        try:
            if fault is not None:
                answer = _faulty(fault, call)
            else:
                _check_version(version)
                _authenticate(call)
                handler, node = self._route(call)
                self._limits.charge(account_id, call.method)
                answer = handler(self._world, node, call)
        except errors.GraphError as error:
            trace = f"{self._world.timestamp()}{call.path}"
            answer = Answer(error.body(trace), error.status, _challenge(error))
            regain = error.regain_minutes
        self._log.add(
            platform="meta", method=call.method, path="/" + "/".join([version, *call.path]), params=call.params,
            status=answer.status, accepted_write=answer.wrote, fault=fault.kind if fault else None,
        )  # fmt: skip
        usage = self._limits.headers(
            account_id or (world_module.BUSINESS["id"] if regain else ""),
            insights="insights" in call.path, regain_minutes=regain,
        )  # fmt: skip
        return replace(answer, headers={**usage, "facebook-api-version": version, **answer.headers})

    def tags(self, call: Call) -> set[str]:
        """What a fault's target may name about a call."""
        path = _versioned(call)[1].path
        account_id = self._account_id(call)
        tags = {call.method, *path, *([f"act_{account_id}"] if account_id else [])}
        writes = call.method != "GET" and "insights" not in path and not changes.validates_only(call.params)
        return tags | {"write" if writes else "read"}

    def _account_id(self, call: Call) -> str:
        node = self._node(_versioned(call)[1])
        if isinstance(node, Account):
            return node.id
        return "" if node is None else node.account_id

    def _node(self, call: Call) -> Node:
        name = call.path[0] if call.path else ""
        if name.startswith("act_"):
            return self._world.accounts.get(name.removeprefix("act_"))
        return self._world.campaigns.get(name) or self._reports.get(name)

    def _route(self, call: Call) -> tuple[Handler, Node]:
        if call.path in ROOTS:
            handler = HANDLERS.get((call.method, *ROOTS[call.path]))
            if handler is None:
                raise errors.no_such_object(call.method, call.path[0])
            return handler, None
        node = self._node(call)
        if node is None and call.path and not re.fullmatch(r"(act_)?\d+", call.path[0]):
            raise errors.unknown_path("/".join(call.path))
        if node is None or len(call.path) > 2:
            raise errors.no_such_object(call.method, call.path[0] if call.path else "")
        edge = call.path[1] if len(call.path) == 2 else ""
        if call.method == "POST" and edge == "insights" and not isinstance(node, Report):
            return self._reports.start, node
        kind = {Account: "AdAccount", Campaign: "Campaign", Report: "AdReportRun"}[type(node)]
        handler = HANDLERS.get((call.method, kind, edge))
        if handler is None and call.method == "GET":
            raise errors.no_such_field(edge, kind)
        if handler is None:
            raise errors.no_such_object(call.method, call.path[0])
        return handler, node


def _versioned(call: Call) -> tuple[str, Call]:
    """The version a call names, the latest if none, and the call without it."""
    if call.path and _VERSION.fullmatch(call.path[0]):
        return call.path[0], replace(call, path=call.path[1:], base_url=f"{call.base_url}/{call.path[0]}")
    return LATEST, call


def _check_version(version: str) -> None:
    if version in LIVE:
        return
    found = _VERSION.fullmatch(version)
    if found and int(found[1]) < int(LATEST[1:3]):
        raise errors.version_sunset(LATEST)
    raise errors.unknown_path(version)


def _authenticate(call: Call) -> None:
    if call.path == ("oauth", "access_token"):
        return
    token, proof = call.params.get("access_token"), call.params.get("appsecret_proof")
    if not token:
        raise errors.token_missing()
    by_app = compare_digest(token.encode(), _APP_TOKEN.encode())
    if not by_app and token not in world_module.VALID_TOKENS:
        raise errors.malformed_token()
    if by_app and call.path != ("debug_token",):
        raise errors.user_token_required()
    if proof is None and not by_app:
        raise errors.proof_missing()
    expected = hmac(world_module.APP_SECRET.encode(), token.encode(), sha256).hexdigest()
    if proof is not None and not compare_digest(proof.encode(), expected.encode()):
        raise errors.proof_invalid()


def _faulty(fault: Fault, call: Call) -> Answer:
    expired = errors.session_expired()
    if fault.kind is Kind.EXPIRED_TOKEN:
        if call.path == ("debug_token",):
            return Answer({"data": accounts.invalid_token(expired.code, expired.message, expired.subcode)})
        raise expired
    if fault.kind is Kind.THROTTLED:
        raise errors.user_limit_reached(_FAULT_REGAIN_MINUTES)
    if fault.kind is Kind.SERVER_ERROR:
        raise errors.unknown_error()
    code = int(fault.code)
    raise errors.GraphError(
        code, fault.message or f"(#{code}) An error asked for by a fault", fault.subcode, fault.status or 400,
        is_transient=code in _TRANSIENT, regain_minutes=_FAULT_REGAIN_MINUTES if code in _QUOTA else 0,
    )  # fmt: skip


def _challenge(error: errors.GraphError) -> Mapping[str, str]:
    if error.code != 190:
        return {}
    return {"WWW-Authenticate": f'OAuth "Facebook Platform" "invalid_token" "{error.message}"'}
