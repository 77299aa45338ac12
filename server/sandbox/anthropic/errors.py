"""The API's error object, with its types and its wording, in one place."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(eq=False)
class ApiError(Exception):
    status: int
    type: str
    message: str
    details: Mapping[str, object] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self, request_id: str) -> dict[str, object]:
        error: dict[str, object] = {"type": self.type, "message": self.message}
        if self.details is not None:
            error["details"] = dict(self.details)
        return {"type": "error", "error": error, "request_id": request_id}

    @property
    def retryable(self) -> bool:
        return self.status in {408, 409, 429} or self.status >= 500


def invalid(message: str, details: Mapping[str, object] | None = None) -> ApiError:
    return ApiError(400, "invalid_request_error", message, details)


def key_missing() -> ApiError:
    return ApiError(401, "authentication_error", "x-api-key header is required")


def key_invalid() -> ApiError:
    return ApiError(401, "authentication_error", "invalid x-api-key")


def no_such_model(name: str) -> ApiError:
    return ApiError(404, "not_found_error", f"model: {name}")


def no_such_path() -> ApiError:
    return ApiError(404, "not_found_error", "Not Found")


def method_not_allowed() -> ApiError:
    return ApiError(405, "invalid_request_error", "Method Not Allowed")


def too_long(tokens: int, most: int) -> ApiError:
    return invalid(f"prompt is too long: {tokens} tokens > {most} maximum")


def too_large() -> ApiError:
    return ApiError(413, "request_too_large", "Request exceeds the maximum size")


def rate_limited(retry_after: int) -> ApiError:
    return ApiError(
        429,
        "rate_limit_error",
        "This request would exceed your organization's rate limit. Please reduce the number of requests or try again "
        "later.",
        headers={"retry-after": str(retry_after)},
    )


def server_error() -> ApiError:
    return ApiError(500, "api_error", "Internal server error")


def overloaded(retry_after: int = 1) -> ApiError:
    return ApiError(529, "overloaded_error", "Overloaded", headers={"retry-after": str(retry_after)})
