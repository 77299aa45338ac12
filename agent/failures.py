"""What goes wrong between us and the model, in the product's one family of errors."""

from collections.abc import Mapping

from tools.errors import CapabilityError, Internal, RateLimited, TooLarge, Unavailable

DEFAULT_WAIT = 30
_TOO_LONG = "prompt is too long"


class Failed(Exception):
    """A call of the model that came to nothing. `error` is what people are told; `transient`: the same call may
    succeed in a moment, after the seconds that the API `asked` for, if it did."""

    def __init__(self, error: CapabilityError, *, transient: bool = False, asked: float | None = None) -> None:
        super().__init__(error.message)
        self.error, self.transient, self.asked = error, transient, asked


class Cut(Exception):
    """The stream ended without having come to its end; nothing of it may be acted on."""


class Silent(Exception):
    """Nothing came for longer than even a slow answer is silent; the API sends pings while a model thinks."""


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
    wait = max(1, round(asked_to_wait(headers) or DEFAULT_WAIT))
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
        case "invalid_request_error" if _TOO_LONG in message:
            return too_long()
    if kind is None:
        return unreachable("it did not answer as the Messages API does")
    return Internal(f"The model refused the request: {message}", fix="Start a new conversation.")


def too_long() -> TooLarge:
    return TooLarge("This conversation is too long for the model.", fix="Start a new conversation.")


def asked_to_wait(headers: Mapping[str, str]) -> float | None:
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        text = headers.get(name, "")
        if text.replace(".", "", 1).isdigit():
            return float(text) * unit
    return None
