"""Requests addressed to a name that is not ours, or sent by a foreign page, go no further: DNS rebinding ends here."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from tools.errors import CrossOrigin

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})


class HostGuard:
    """Our public name as it stands in PUBLIC_URL, and this machine's own names on any port."""

    def __init__(self, public_url: str) -> None:
        public = urlsplit(public_url)
        default = {"http": 80, "https": 443}.get(public.scheme)
        name = (public.hostname or "").lower()
        name = f"[{name}]" if ":" in name else name
        port = public.port or default
        self._hosts = {f"{name}:{port}"} | ({name} if port == default else set())
        self._origins = {f"{public.scheme}://{host}" for host in self._hosts}

    def check(self, headers: Mapping[bytes, bytes]) -> None:
        host = headers.get(b"host", b"").decode("latin-1").lower()
        if not (_local(host) or host in self._hosts):
            raise CrossOrigin(
                f"This server does not answer for the host {host or '(none)'}.",
                fix="Use the server's public URL; an operator sets it with PUBLIC_URL.",
            )
        origin = headers.get(b"origin", b"").decode("latin-1").lower()
        if origin and not (_local(origin.partition("://")[2]) or origin in self._origins):
            raise CrossOrigin(
                f"Pages of {origin} may not call this server.",
                fix="Call it from a program, or from the server's own pages.",
            )


def _local(host: str) -> bool:
    name, colon, port = host.rpartition(":")
    return host in _LOOPBACK or (bool(colon) and name in _LOOPBACK and port.isdigit())
