"""A small application in the place of the product, so that what is tested is only how processes are run."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from server.settings import Settings
from tools.errors import Conflict
from tools.secret import Secret


@dataclass
class House:
    """Busy while the directory holds a file of that name."""

    directory: Path

    async def busy(self) -> bool:
        return (self.directory / "busy").exists()


def create_app(settings: Settings, *, local_token: Secret, extra: Callable[[House], Sequence[BaseRoute]]) -> ASGIApp:
    directory = settings.data_dir
    assert local_token.reveal().startswith("adw_local_")

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        if (directory / "newer").exists():
            raise Conflict("The database was written by a newer Adwright.", fix="Install that version.")
        app.router.routes.extend(extra(House(directory)))
        with (directory / "starts").open("a", encoding="utf-8") as starts:
            starts.write("started\n")
        yield
        if (directory / "hang").exists():
            await asyncio.Event().wait()
        (directory / "closed").touch()

    async def livez(_: Request) -> Response:
        return PlainTextResponse("ok")

    async def slow(_: Request) -> Response:
        (directory / "in-flight").touch()
        await asyncio.sleep(0.5)
        return PlainTextResponse("done")

    async def stuck(_: Request) -> Response:
        (directory / "in-flight").touch()
        await asyncio.Event().wait()
        return PlainTextResponse("never")

    async def events(_: Request) -> Response:
        async def endless() -> AsyncIterator[bytes]:
            yield b"data: first\n\n"
            await asyncio.Event().wait()

        return StreamingResponse(endless(), media_type="text/event-stream")

    routes = [Route(f"/{handler.__name__}", handler) for handler in (livez, slow, stuck, events)]
    return Starlette(routes=routes, lifespan=lifespan)
