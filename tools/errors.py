"""The one family of errors a capability may raise; each face renders it in one flat shape.

CapabilityError
├── InvalidRequest, InvalidPipe 400 · InvalidArguments, IdempotencyMismatch, Guardrail, CredentialsUnreadable 422
├── MissingAuthorization, InvalidAuthorizationFormat, InvalidApiKey, ApiKeyExpired, ApiKeyRevoked, SessionExpired 401
├── QuotaExceeded 402
├── InsufficientScope, HumanRequired, CrossOrigin, DirectKeyRefused 403
├── NotFound 404 · MethodNotAllowed 405 · TooLarge 413 · UnsupportedMediaType 415
├── Conflict, StalePlan, AlreadyDecided, ApprovalExpired, IdempotencyInProgress 409
├── PlatformFailure 424
│   └── ReauthRequired, AccountBlocked, VersionSunset
├── RateLimited 429 · Unavailable, IngestUnavailable 503 · Internal 500
└── ConfirmRequired 202  not a failure: a proposal waits for a person (tools/approval.py)
"""

from enum import StrEnum
from typing import Any, ClassVar

from tools.redaction import redact


class Retry(StrEnum):
    """Whether the same call may succeed: never, after waiting, or with other arguments."""

    NEVER = "never"
    LATER = "later"
    ADJUSTED = "adjusted"


class CapabilityError(Exception):
    """`fix` says what to do next; every 4xx has one. `details` is a JSON object."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    retry: ClassVar[Retry] = Retry.NEVER
    replays: str | None = None  # the request that was answered with this before, under the same idempotency key

    def __init__(
        self,
        message: str,
        *,
        fix: str = "",
        upsell_url: str | None = None,
        retry_after: int | None = None,
        connection_id: str | None = None,
        **details: Any,
    ) -> None:
        message = redact(message)  # it may quote what was sent
        super().__init__(message)
        self.message, self.fix, self.details = message, fix, details
        self.upsell_url, self.retry_after, self.connection_id = upsell_url, retry_after, connection_id

    def body(self, request_id: str) -> dict[str, Any]:
        """The wire shape: {code, message, fix, details?, upsellUrl?, retryAfter?, connectionId?, meta}."""
        shown = {
            "code": self.code,
            "message": self.message,
            "fix": self.fix or None,
            "details": self.details or None,
            "upsellUrl": self.upsell_url,
            "retryAfter": self.retry_after,
            "connectionId": self.connection_id,
        }
        return {k: v for k, v in shown.items() if v is not None} | {"meta": {"request_id": request_id}}


class InvalidRequest(CapabilityError):
    code, status, retry = "invalid_request", 400, Retry.ADJUSTED


class InvalidPipe(CapabilityError):
    code, status, retry = "invalid_pipe", 400, Retry.ADJUSTED


class MissingAuthorization(CapabilityError):
    code, status = "missing_authorization", 401


class InvalidAuthorizationFormat(CapabilityError):
    code, status = "invalid_authorization_format", 401


class InvalidApiKey(CapabilityError):
    code, status = "invalid_api_key", 401


class ApiKeyExpired(CapabilityError):
    code, status = "api_key_expired", 401


class ApiKeyRevoked(CapabilityError):
    code, status = "api_key_revoked", 401


class SessionExpired(CapabilityError):
    code, status = "session_expired", 401


class QuotaExceeded(CapabilityError):
    code, status = "quota_exceeded", 402


class InsufficientScope(CapabilityError):
    code, status = "insufficient_scope", 403


class HumanRequired(CapabilityError):
    code, status = "human_required", 403


class CrossOrigin(CapabilityError):
    code, status = "cross_origin", 403


class DirectKeyRefused(CapabilityError):
    code, status = "direct_key_refused", 403


class NotFound(CapabilityError):
    code, status, retry = "not_found", 404, Retry.ADJUSTED


class MethodNotAllowed(CapabilityError):
    code, status = "method_not_allowed", 405


class Conflict(CapabilityError):
    code, status = "conflict", 409


class StalePlan(CapabilityError):
    """What was shown is no longer what is; details.approval is a fresh proposal."""

    code, status, retry = "stale_plan", 409, Retry.ADJUSTED


class AlreadyDecided(CapabilityError):
    code, status = "already_decided", 409


class ApprovalExpired(CapabilityError):
    code, status, retry = "approval_expired", 409, Retry.ADJUSTED


class IdempotencyInProgress(CapabilityError):
    """The first call of the key is not finished, or nobody knows yet what became of it."""

    code, status, retry = "idempotency_in_progress", 409, Retry.LATER


class TooLarge(CapabilityError):
    code, status, retry = "too_large", 413, Retry.ADJUSTED


class UnsupportedMediaType(CapabilityError):
    code, status, retry = "unsupported_media_type", 415, Retry.ADJUSTED


class InvalidArguments(CapabilityError):
    """details.problems: [{field, problem}]"""

    code, status, retry = "invalid_arguments", 422, Retry.ADJUSTED


class IdempotencyMismatch(CapabilityError):
    code, status, retry = "idempotency_mismatch", 422, Retry.ADJUSTED


class Guardrail(CapabilityError):
    """A limit the workspace set on what may be spent; details name it."""

    code, status, retry = "guardrail", 422, Retry.ADJUSTED


class CredentialsUnreadable(CapabilityError):
    code, status = "credentials_unreadable", 422


class PlatformFailure(CapabilityError):
    """The ad platform refused or failed; details: platform, outcome (not_sent | refused | unknown), platformCode?, …"""

    code, status = "platform_error", 424


class ReauthRequired(PlatformFailure):
    code = "reauth_required"


class AccountBlocked(PlatformFailure):
    code = "account_blocked"


class VersionSunset(PlatformFailure):
    code = "version_sunset"


class RateLimited(CapabilityError):
    """details.source: local | upstream; retry_after in seconds."""

    code, status, retry = "rate_limited", 429, Retry.LATER


class Unavailable(CapabilityError):
    code, status, retry = "unavailable", 503, Retry.LATER


class IngestUnavailable(Unavailable):
    """Events could not be made durable: the sender keeps them and sends them again."""

    code = "ingest_unavailable"


class Internal(CapabilityError):
    code, status = "internal", 500


def family(of: type[CapabilityError] = CapabilityError) -> dict[str, type[CapabilityError]]:
    """Every error by its code, to raise again what was stored as its body."""
    return {of.code: of} | {code: error for each in of.__subclasses__() for code, error in family(each).items()}
