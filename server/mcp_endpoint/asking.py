"""Bringing a proposal to a person, in the way the client, its era and the workspace allow.

Usually the client opens the page where a signed-in person decides: opening it decides nothing, and the call waits for
what happens there. Only where an owner allowed it does the client's own form decide.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import anyio
import orjson
from mcp.shared.exceptions import MCPError
from mcp.types import (
    ElicitationCapability,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitRequestURLParams,
    ElicitResult,
    InputRequiredResult,
)
from mcp_types.version import MODERN_PROTOCOL_VERSIONS, is_version_at_least

from server.mcp_endpoint.answers import Answer, refused
from server.mcp_endpoint.discovery import Request
from tools.approval import LIFETIME, ApprovalStatus, ConfirmRequired, refusal
from tools.context import Context
from tools.errors import AlreadyDecided, ApprovalExpired

QUESTION = "approval"
PROGRESS_SECONDS = 5.0
_FORM = {
    "type": "object",
    "properties": {"apply": {"type": "boolean", "title": "Apply this change", "default": False}},
    "required": ["apply"],
}


class Way(StrEnum):
    """How this client can be asked; part of the sealed state, so that no reply can pass for one of the other kind."""

    PAGE = "page"
    FORM = "form"


class Asking:
    """`wait_seconds`: how long a call waits for the decision once the page was opened."""

    def __init__(self, wait_seconds: float) -> None:
        self._wait_seconds = wait_seconds

    async def ask(self, request: Request, context: Context, waiting: ConfirmRequired) -> InputRequiredResult | Answer:
        approval = waiting.approval
        if approval["status"] != ApprovalStatus.PENDING:  # asked for again under its key, and decided since
            return outcome(context, approval)
        way = await _way(request, context, approval["id"])
        if way is None:
            return refused(waiting.body(context.request_id))
        if request.protocol_version in MODERN_PROTOCOL_VERSIONS:
            question = ElicitRequest(params=_question(way, approval))
            return InputRequiredResult(input_requests={QUESTION: question}, request_state=f"{way} {approval['id']}")
        reply = await _elicited(request, way, approval)
        if reply is None:
            return refused(waiting.body(context.request_id))
        answer = await self._replied(context, way, approval["id"], reply)
        if way is Way.PAGE and reply.action == "accept":
            await request.session.send_elicit_complete(approval["id"], request.request_id)
        return answer

    async def replied(self, context: Context, state: str, reply: ElicitResult) -> Answer:
        """The second round of a call: `state` is what the first one sealed."""
        way, _, approval_id = state.partition(" ")
        return await self._replied(context, Way(way), approval_id, reply)

    async def _replied(self, context: Context, way: Way, approval_id: str, reply: ElicitResult) -> Answer:
        """Declining or closing the question leaves the proposal as it is; so does a form sent back without its yes."""
        accepted = reply.action == "accept"
        if way is Way.FORM:
            accepted = accepted and (reply.content or {}).get("apply") is True
            if accepted:
                await _decide(context, approval_id)
        waited, seconds = 0.0, self._wait_seconds if accepted else 0.0
        while True:
            step = min(PROGRESS_SECONDS, seconds - waited)
            approval = await context.gate.wait_for_decision(context, approval_id, step)
            waited += step
            if ApprovalStatus(approval["status"]).settled or waited >= seconds:
                return outcome(context, approval)
            await context.progress(waited, seconds, f"Waiting for a person to decide at {approval['url']}")


async def _decide(context: Context, approval_id: str) -> None:
    try:
        await context.gate.approve_by_client(context, approval_id)
    except (AlreadyDecided, ApprovalExpired):
        return  # the same reply twice, or too late: what the approval says now is the answer


def outcome(context: Context, approval: Mapping[str, Any]) -> Answer:
    """What the call answers, now that its approval stands like this."""
    status, shown = ApprovalStatus(approval["status"]), {"approval": approval}
    if status is ApprovalStatus.DONE:
        return Answer(orjson.dumps(approval["result"]))
    if "error" in approval and "code" in approval["error"]:  # failed, unknown or stale: told when it was applied
        return refused(approval["error"] | shown | {"meta": {"request_id": context.request_id}})
    if status.settled:
        return refused(refusal(approval).body(context.request_id) | shown)
    return refused(ConfirmRequired(dict(approval)).body(context.request_id))


async def _way(request: Request, context: Context, approval_id: str) -> Way | None:
    declared: ElicitationCapability | None = getattr(request.session.client_capabilities, "elicitation", None)
    modern = request.protocol_version in MODERN_PROTOCOL_VERSIONS
    if declared is None or not (modern or request.session.can_send_request):
        return None
    fills_forms = declared.form is not None or declared.url is None  # an empty declaration has always meant forms
    if fills_forms and await context.gate.client_may_decide(context, approval_id):
        return Way.FORM
    opens_pages = declared.url is not None and (modern or is_version_at_least(request.protocol_version, "2025-11-25"))
    return Way.PAGE if opens_pages else None


def _question(way: Way, approval: Mapping[str, Any]) -> ElicitRequestFormParams | ElicitRequestURLParams:
    summary = approval["plan"]["summary"]
    if way is Way.FORM:
        return ElicitRequestFormParams(
            message="\n".join((summary, *approval["plan"]["warnings"])), requested_schema=_FORM
        )
    return ElicitRequestURLParams(
        message=f"{summary} Nothing happens until you decide on the page this opens.", url=approval["url"]
    )


async def _elicited(request: Request, way: Way, approval: Mapping[str, Any]) -> ElicitResult | None:
    """None where the client could not ask, or nobody answered while the proposal lived."""
    session, question = request.session, _question(way, approval)
    with anyio.move_on_after(LIFETIME.total_seconds()):
        try:
            if isinstance(question, ElicitRequestFormParams):
                return await session.elicit_form(question.message, question.requested_schema, request.request_id)
            return await session.elicit_url(question.message, question.url, approval["id"], request.request_id)
        except MCPError:  # the client declared it and refuses it all the same
            return None
    return None
