"""A command's way to a server: its directory's owner with the local token, or a remote one with a key."""

import contextlib
import http.client
import json
import urllib.parse
from argparse import Namespace
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from server.cli.output import Answered, say
from server.process.client import connect
from server.process.environment import URL, data_directory, remote
from tools.errors import InvalidRequest, Unavailable

TIMEOUT_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Api:
    url: str
    token: str = field(repr=False)
    local: bool
    workspace: str | None = None

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: Mapping[str, Any] | None = None,
        *,
        key: str | None = None,
    ) -> tuple[int, Any]:
        """Status and JSON; raises Answered for an error, Unavailable where nobody answers."""
        parts = urllib.parse.urlsplit(self.url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)
        headers = {"authorization": f"Bearer {self.token}", "accept": "application/json"}
        if self.workspace:
            headers["x-adwright-workspace"] = self.workspace
        if key is not None:
            headers["idempotency-key"] = key.encode().decode("latin-1")  # as bytes: the server judges it
        sent = None
        if body is not None:
            sent, headers["content-type"] = json.dumps(body).encode(), "application/json"
        asked = f"{path}?{urllib.parse.urlencode(query, doseq=True)}" if query else path
        try:
            connection.request(method, asked, sent, headers)
            response = connection.getresponse()
            if response.headers.get("idempotent-replayed"):
                say("Nothing was done: this is the answer of an earlier call with the same key.")
            return _read(response.status, response.read())
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(
                f"No answer from {self.url}: {str(error) or type(error).__name__}.",
                fix="Check that it is reachable, and before repeating a write whether it was carried out.",
            ) from error
        finally:
            connection.close()

    def data(self, method: str, path: str, body: Any = None, query: Mapping[str, Any] | None = None) -> Any:
        return self.request(method, path, body, query)[1].get("data")


def _read(status: int, body: bytes) -> tuple[int, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        raise Unavailable(
            f"The server answered {status} with something that is not JSON.", fix="Check its URL."
        ) from None
    if status >= 400:
        raise Answered(found if isinstance(found, dict) else {"code": "internal"})
    return status, found


@contextlib.contextmanager
def api(arguments: Namespace) -> Iterator[Api]:
    directory = data_directory(arguments.data)
    workspace = getattr(arguments, "workspace", None)
    if there := remote(directory):
        yield Api(*there, local=False, workspace=workspace)
    else:
        with connect(directory) as owner:
            yield Api(owner.url, owner.token, local=True, workspace=workspace)


@contextlib.contextmanager
def operator(arguments: Namespace) -> Iterator[Api]:
    """Operating needs the machine itself: an API key, and so a remote server, cannot."""
    directory: Path = data_directory(arguments.data)
    if arguments.data is None and remote(directory):
        raise InvalidRequest(
            f"{URL} points to another server, and this command works on a data directory of this machine.",
            fix="Run it where that server runs, or name a directory with --data DIR.",
        )
    with connect(directory) as owner:
        yield Api(owner.url, owner.token, local=True)
