"""The tracking script under two addresses: one that is short and soon looked at again, one that never changes."""

import hashlib
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

SCRIPT = Path(__file__).parent / "p.js"
_SOON = "public, max-age=3600, stale-while-revalidate=86400"
_FOR_EVER = "public, max-age=31536000, immutable"


def script_routes(script: Path = SCRIPT) -> list[BaseRoute]:
    """`/js/p.js` and `/js/p.DIGEST.js`: any site may load either, also from behind a policy that asks for CORP."""
    content = script.read_bytes()
    digest = hashlib.sha256(content).hexdigest()[:16]

    def serving(cache: str) -> "_Serving":
        return _Serving(content, f'"{digest}"', cache)

    return [
        Route("/js/p.js", serving(_SOON)),
        Route(f"/js/p.{digest}.js", serving(_FOR_EVER)),
    ]


class _Serving:
    def __init__(self, content: bytes, tag: str, cache: str) -> None:
        self._content, self._tag = content, tag
        self._headers = {
            "etag": tag,
            "cache-control": cache,
            "access-control-allow-origin": "*",
            "cross-origin-resource-policy": "cross-origin",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        known = Request(scope).headers.get("if-none-match", "")
        answer = (
            Response(status_code=304, headers=self._headers)
            if self._tag in known
            else Response(self._content, headers=self._headers, media_type="text/javascript")
        )
        await answer(scope, receive, send)
