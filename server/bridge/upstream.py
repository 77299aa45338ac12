"""The server behind the bridge: a remote one, or the owner of this machine's data directory, which may come and go."""

import asyncio
from pathlib import Path
from typing import Protocol

from server.bridge.http import Http
from server.process.client import Owner, connect
from tools.errors import Unavailable


class Server:
    """One life of a server: sessions and connections end with it."""

    def __init__(self, url: str, token: str, *, local: bool) -> None:
        self.http, self.local = Http(url), local
        self.authorization = f"Bearer {token}"


class Upstream(Protocol):
    async def ready(self) -> Server:
        """Raises CapabilityError where there is none."""
        ...

    def lost(self, server: Server) -> bool:
        """It cannot be used any more; whether asking again may give another."""
        ...

    def close(self) -> None: ...


class Remote:
    def __init__(self, url: str, key: str) -> None:
        self._server = Server(url, key, local=False)

    async def ready(self) -> Server:
        return self._server

    def lost(self, server: Server) -> bool:
        server.http.drop_idle()
        return False

    def close(self) -> None:
        self._server.http.close()


class Local:
    """Found or started on demand, and held; once it leaves, the next call finds or starts another."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._owner: Owner | None = None
        self._server: Server | None = None
        self._connecting: asyncio.Task[Server] | None = None

    async def ready(self) -> Server:
        if self._server is not None:
            return self._server
        if self._connecting is None:
            self._connecting = asyncio.create_task(self._connect())
        # Shielded: one call that is cancelled must not stop the start that the others wait for.
        return await asyncio.shield(self._connecting)

    async def _connect(self) -> Server:
        try:
            owner = await asyncio.to_thread(connect, self._directory)
        except OSError as error:
            raise Unavailable(f"Adwright could not start: {error}.", fix="See adwright doctor.") from error
        finally:
            self._connecting = None
        self._owner, self._server = owner, Server(owner.url, owner.token, local=True)
        asyncio.get_running_loop().add_reader(owner.hold, self._heard, owner, self._server)
        return self._server

    def _heard(self, owner: Owner, server: Server) -> None:
        if not owner.hold.recv(4096):
            self.lost(server)

    def lost(self, server: Server) -> bool:
        """Calls already with it keep their connections: an owner that drains still answers them."""
        if self._server is server and self._owner is not None:
            asyncio.get_running_loop().remove_reader(self._owner.hold)
            self._owner.close()
            server.http.close()
            self._owner = self._server = None
        return True

    def close(self) -> None:
        if self._server is not None:
            self.lost(self._server)
