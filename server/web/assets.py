"""Stylesheet, scripts, icons and font under URLs that name their content, so that a browser may keep them for ever."""

import hashlib
import mimetypes
import re
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Self

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

STATIC = Path(__file__).parent / "static"
_FOR_EVER = {"cache-control": "public, max-age=31536000, immutable"}
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2"}
_NAMED = {".css": re.compile(r'(?<=url\(")([\w.-]+)(?="\))'), ".js": re.compile(r'(?<=")\./([\w.-]+)(?=")')}
"""How a file names another: `url("a.woff2")` in a stylesheet, `"./a.js"` (or `"./icons.svg"`) in a script."""


class Assets:
    """Read once: they are a few hundred kilobytes, and a path from outside never reaches the file system."""

    def __init__(self, folder: Path = STATIC) -> None:
        self._by_path: dict[str, Response] = {}
        self._urls: dict[str, str] = {}
        files = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
        order = TopologicalSorter({name: _names_in(name, content) for name, content in files.items()})
        for name in order.static_order():  # a file's hash covers the URLs of those it names; a circle has none
            if name not in files:
                raise ValueError(f"A static file names {name}, which does not exist.")
            self._keep(name, self._with_urls(name, files[name]))

    @classmethod
    @cache
    def shipped(cls) -> Self:
        """Those of this program: they do not change while it runs."""
        return cls()

    def url(self, name: str) -> str:
        return self._urls[name]

    def route(self) -> Route:
        async def serve(request: Request) -> Response:
            found = self._by_path.get(request.path_params["path"])
            if found is None:
                raise HTTPException(404)
            return found

        return Route("/static/{path:path}", serve)

    def _with_urls(self, name: str, content: bytes) -> bytes:
        named = _NAMED.get(Path(name).suffix)
        return content if named is None else named.sub(lambda at: self._urls[at[1]], content.decode()).encode()

    def _keep(self, name: str, content: bytes) -> None:
        path = f"{hashlib.sha256(content).hexdigest()[:12]}/{name}"
        kind = _TYPES.get(Path(name).suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
        self._by_path[path] = Response(content, headers=_FOR_EVER, media_type=kind)
        self._urls[name] = f"/static/{path}"


def _names_in(name: str, content: bytes) -> set[str]:
    named = _NAMED.get(Path(name).suffix)
    return set() if named is None else set(named.findall(content.decode()))
