"""Google's token endpoint: a refresh token becomes an access token that lasts an hour less a second."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from hmac import compare_digest
from hmac import new as hmac

from server.sandbox.google.wire import Answer


def _constant(name: str) -> str:
    return sha256(f"adwright sandbox google {name}".encode()).hexdigest()


CLIENT_ID = f"590211340087-{_constant('client id')[:32]}.apps.googleusercontent.com"
CLIENT_SECRET = "GOCSPX-" + _constant("client secret")[:28]
REFRESH_TOKEN = "1//0g" + _constant("refresh token")
LIFETIME = 3599
_SCOPE = "https://www.googleapis.com/auth/adwords"
_PREFIX = "ya29.a0"


def grant(form: Mapping[str, str], now: float) -> Answer:
    """What the endpoint answers to a form; OAuth's own error shape, not the API's."""
    if form.get("client_id") != CLIENT_ID:
        return refusal(401, "invalid_client", "The OAuth client was not found.")
    if not compare_digest(form.get("client_secret", "").encode(), CLIENT_SECRET.encode()):
        return refusal(401, "invalid_client", "Unauthorized")
    if form.get("grant_type") != "refresh_token":
        return refusal(400, "unsupported_grant_type", f"Invalid grant_type: {form.get('grant_type', '')}")
    if not form.get("refresh_token"):
        return refusal(400, "invalid_request", "Missing required parameter: refresh_token")
    if not compare_digest(form["refresh_token"].encode(), REFRESH_TOKEN.encode()):
        return revoked()
    return Answer(
        {"access_token": _signed(str(int(now))), "expires_in": LIFETIME, "scope": _SCOPE, "token_type": "Bearer"}
    )


def revoked() -> Answer:
    return refusal(400, "invalid_grant", "Token has been expired or revoked.")


def refusal(status: int, error: str, description: str) -> Answer:
    return Answer({"error": error, "error_description": description}, status)


def issued_at(token: str) -> int | None:
    """When the token was given out, or None for one that never was; its age needs no memory."""
    try:
        moment = urlsafe_b64decode(token.removeprefix(_PREFIX).partition(".")[0]).decode("ascii")
    except ValueError:
        return None
    if not moment.isdecimal() or not compare_digest(_signed(moment).encode(), token.encode()):
        return None
    return int(moment)


def _signed(moment: str) -> str:
    signature = hmac(CLIENT_SECRET.encode(), moment.encode(), sha256).hexdigest()
    return f"{_PREFIX}{urlsafe_b64encode(moment.encode()).decode()}.{signature}"
