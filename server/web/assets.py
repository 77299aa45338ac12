"""Stylesheet, scripts, icons and font under URLs that name their content, so that a browser may keep them for ever."""

import hashlib
import mimetypes
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

STATIC = Path(__file__).parent / "static"
_FOR_EVER = {"cache-control": "public, max-age=31536000, immutable"}
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2"}


class Assets:
    """Read once: they are a hundred kilobytes, and a path from outside never reaches the file system."""

    def __init__(self, folder: Path = STATIC) -> None:
        self._by_path: dict[str, Response] = {}
        self._urls: dict[str, str] = {}
        files = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
        for name in sorted(files, key=lambda name: name.endswith(".css")):  # stylesheets last: they name the others
            content = files[name]
            if name.endswith(".css"):
                for other, url in self._urls.items():
                    content = content.replace(f'url("{other}")'.encode(), f'url("{url}")'.encode())
            path = f"{hashlib.sha256(content).hexdigest()[:12]}/{name}"
            kind = _TYPES.get(Path(name).suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
            self._by_path[path] = Response(content, headers=_FOR_EVER, media_type=kind)
            self._urls[name] = f"/static/{path}"

    def url(self, name: str) -> str:
        return self._urls[name]

    def route(self) -> Route:
        async def serve(request: Request) -> Response:
            found = self._by_path.get(request.path_params["path"])
            if found is None:
                raise HTTPException(404)
            return found

        return Route("/static/{path:path}", serve)
