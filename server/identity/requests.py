"""What identity reads from a request, straight from the ASGI scope: this runs before every call."""

import ipaddress
from collections.abc import Mapping
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from tools.errors import CrossOrigin

Scope: TypeAlias = Mapping[str, Any]

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
# Set by every proxy that speaks to us over loopback for someone who is not on this machine.
_FORWARDED = frozenset({b"forwarded", b"x-forwarded-for", b"x-real-ip"})


def header(scope: Scope, name: bytes) -> str | None:
    for key, value in scope["headers"]:
        if key == name:
            return str(value, "latin-1")
    return None


def cookie(scope: Scope, name: str) -> str | None:
    for key, value in scope["headers"]:
        if key == b"cookie":  # HTTP/2 may send several
            for pair in str(value, "latin-1").split(";"):
                found, _, content = pair.strip().partition("=")
                if found == name:
                    return content
    return None


def peer(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""


def from_this_machine(scope: Scope) -> bool:
    try:
        address = ipaddress.ip_address(peer(scope))
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    return bool(mapped.is_loopback) and not any(key in _FORWARDED for key, _ in scope["headers"])


def local_path(text: str | None) -> str | None:
    """`text` when it is a path on this site; None for all that a browser could take for another site."""
    if not text or len(text) > 500 or not text.startswith("/") or text.startswith("//"):
        return None
    # Browsers read a backslash as a slash and drop control characters before they look at the rest.
    if "\\" in text or not text.isprintable() or " " in text:
        return None
    parts = urlsplit(text)
    return None if parts.scheme or parts.netloc else text


def refuse_cross_origin(scope: Scope, public_url: str) -> None:
    """Refuse an unsafe request that a browser sends with our cookie on behalf of another site.

    Sec-Fetch-Site cannot be forged by a page and decides where it is sent; Origin decides in older browsers. Every
    browser sends one of them with such a request, so what sends neither is no browser: a program that was handed the
    cookie. (Go's net/http.CrossOriginProtection draws the line in the same place.)
    """
    if scope["method"] in _SAFE_METHODS:
        return
    if (site := header(scope, b"sec-fetch-site")) is not None:
        allowed = site == "same-origin"
    elif (origin := header(scope, b"origin")) is not None:
        allowed = origin == public_url or (
            public_url.startswith("http:") and origin == f"http://{header(scope, b'host')}"
        )
    else:
        allowed = True
    if not allowed:
        raise CrossOrigin(
            "A request with the session cookie has to come from this site's own pages.",
            fix="Use the page itself, or an API key.",
        )
