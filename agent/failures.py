"""What goes wrong between us and the model, in the product's one family of errors."""

from collections.abc import Mapping

from tools.errors import CapabilityError, Internal, RateLimited, TooLarge, Unavailable

DEFAULT_WAIT = 30


class Cut(Exception):
    """The stream ended without having come to its end; nothing of it may be acted on."""


class Told(Exception):
    """An `error` event in the middle of a stream."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind, self.message = kind, message


def unreachable(why: str) -> Unavailable:
    return Unavailable(
        f"The model could not finish: {why}.", fix="Send the message again in a moment.", retry_after=DEFAULT_WAIT
    )


def told_by_api(kind: str | None, message: str, headers: Mapping[str, str], model: str) -> CapabilityError:
    """By the error's type: in the middle of a stream its status is 200."""
    wait = _seconds(headers.get("retry-after"))
    match kind:
        case "overloaded_error" | "api_error" | "timeout_error":
            return Unavailable(
                "The model is overloaded or out of order.", fix="Send the message again in a moment.", retry_after=wait
            )
        case "rate_limit_error":
            return RateLimited(
                "The model's own rate limit is reached.", fix=f"Wait {wait} s.", retry_after=wait, source="upstream"
            )
        case "authentication_error" | "permission_error":
            return Unavailable(
                "The model refused our key.", fix="Set a valid ANTHROPIC_API_KEY; adwright doctor checks it."
            )
        case "billing_error":
            return Unavailable(
                "The account behind ANTHROPIC_API_KEY has no credit.", fix="Add credit there, or set another key."
            )
        case "not_found_error":
            return Unavailable(f"There is no model {model}.", fix="Set ANTHROPIC_MODEL to one that your key may use.")
        case "request_too_large":
            return too_long()
    if kind is None:
        return unreachable("it did not answer as the Messages API does")
    return Internal(f"The model refused the request: {message}", fix="Start a new conversation.")


def too_long() -> TooLarge:
    return TooLarge("This conversation is too long for the model.", fix="Start a new conversation.")


def _seconds(text: str | None) -> int:
    return max(1, round(float(text))) if text and text.replace(".", "", 1).isdigit() else DEFAULT_WAIT
