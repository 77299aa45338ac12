"""Our datafiles in a real Tinybird: sent as one deployment, and remembered, so that a change that ships and was not
sent is noticed. `python -m server.analytics.tinybird` warns where that is so."""

import asyncio
import datetime as dt
import hashlib
import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import orjson

from server.analytics.datafiles.loading import OURS
from server.platforms.exchange import Answer, Broken, Hidden, exchange, http_client, masked
from server.process.files import read_json, write_private
from tools.errors import CapabilityError, InvalidRequest, PlatformFailure, Unavailable
from tools.secret import Secret

RECORD = "pushed.json"
"""Beside the datafiles and under version control with them: whoever changes a pipe sees that it was not sent."""
SUFFIXES = (".datasource", ".pipe")
SECONDS = 60.0
LOOKS = 180
MOST_BYTES = 16 * 1024 * 1024
_ENDED_BADLY = ("failed", "error", "deleted", "deleting")

Pause = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Difference:
    changed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changed or self.added or self.removed)

    def lines(self) -> list[str]:
        named = (("changed", self.changed), ("new", self.added), ("removed", self.removed))
        return [f"{what:<8} {name}" for what, names in named for name in names]


def digests(project: Path) -> dict[str, str]:
    """Each datafile and what it says, whatever system's line ends it has."""
    files = sorted(path for path in project.rglob("*") if path.suffix in SUFFIXES)
    return {
        path.relative_to(project).as_posix(): hashlib.sha256(
            path.read_text(encoding="utf-8").replace("\r\n", "\n").encode()
        ).hexdigest()
        for path in files
    }


def difference(project: Path) -> Difference | None:
    """Between what is here and what was sent last; None where nothing ever was."""
    sent = read_json(project / RECORD).get("files")
    if not isinstance(sent, dict):
        return None
    here = digests(project)
    return Difference(
        changed=tuple(name for name in here if name in sent and sent[name] != here[name]),
        added=tuple(name for name in here if name not in sent),
        removed=tuple(name for name in sent if name not in here),
    )


class Tinybird:
    """The deployments of one workspace."""

    def __init__(self, host: str, token: Secret, *, pause: Pause = asyncio.sleep) -> None:
        self._host, self._token, self._pause = host.rstrip("/"), token, pause

    async def push(self, project: Path, now: dt.datetime) -> str:
        """Deploy and make it live; answers `live` or `no changes`. What was sent is then written to pushed.json."""
        if not (files := digests(project)):
            raise InvalidRequest(f"There are no datafiles in {project}.", fix="Pass a --project DIR.")
        async with http_client(self._host, SECONDS) as http:
            done = await self._deploy(http, project, files)
        record = {"host": self._host, "at": now.isoformat(timespec="seconds"), "files": files}
        write_private(project / RECORD, json.dumps(record, indent=1) + "\n")
        return done

    async def missing(self, project: Path) -> list[str]:
        """The datafiles whose resource the workspace does not have."""
        async with http_client(self._host, SECONDS) as http:
            pipes = await self._told(http, "GET", "/v0/pipes", params={"attrs": "name"})
            sources = await self._told(http, "GET", "/v0/datasources", params={"attrs": "name"})
        there = {
            suffix: {str(each.get("name")) for each in told.get(kind) or ()}
            for suffix, told, kind in ((".pipe", pipes, "pipes"), (".datasource", sources, "datasources"))
        }
        return [name for name in digests(project) if Path(name).stem not in there[Path(name).suffix]]

    async def _deploy(self, http: httpx2.AsyncClient, project: Path, files: Mapping[str, str]) -> str:
        parts = [("data_project://", (name, (project / name).read_bytes(), "text/plain")) for name in files]
        told = await self._told(http, "POST", "/v1/deploy", files=parts)
        if told.get("result") == "no_changes":
            return "no changes"
        deployment = told.get("deployment")
        if told.get("result") == "failed" or not isinstance(deployment, dict) or "id" not in deployment:
            raise _refused(_reasons(told))
        path = f"/v1/deployments/{deployment['id']}"
        for _ in range(LOOKS):
            if deployment.get("status") == "data_ready":
                await self._told(http, "POST", f"{path}/set-live")
                return "live"
            if deployment.get("status") in _ENDED_BADLY:
                raise _refused(_reasons(deployment) or f"the deployment is {deployment['status']}")
            await self._pause(1)
            deployment = (await self._told(http, "GET", path)).get("deployment") or {}
        raise Unavailable(
            "Tinybird is still at work on the deployment.", fix="Look at it there, then push again.", retry_after=60
        )

    async def _told(self, http: httpx2.AsyncClient, method: str, path: str, **more: Any) -> dict[str, Any]:
        hidden = {"hidden": Hidden({"authorization": Secret(f"Bearer {self._token.reveal()}")})}
        request = http.build_request(method, self._host + path, extensions=hidden, **more)
        answer = await exchange(http, request, seconds=SECONDS, most_bytes=MOST_BYTES)
        if isinstance(answer, Broken):
            # What is no Tinybird answers before it has read what is sent to a path that it does not know.
            nowhere = path == "/v1/deploy" and answer.sent
            how = f"{answer.how} amid the deployment: it may be no Tinybird" if nowhere else answer.how
            raise Unavailable(f"{self._host} {how}.", fix="Check TINYBIRD_HOST and the network.")
        told = self._object(answer)
        if answer.status in (401, 403):
            raise _refused(
                f"it refuses the token: {_reasons(told)}",
                fix="Set TINYBIRD_ADMIN_TOKEN to the workspace's admin token.",
            )
        if answer.status in (404, 405):
            raise _refused(f"{self._host} knows no {path}, so it is none, or not of today", fix="Check TINYBIRD_HOST.")
        if answer.status >= 400:
            raise _refused(_reasons(told) or f"HTTP {answer.status}")
        return told

    def _object(self, answer: Answer) -> dict[str, Any]:
        try:
            told = orjson.loads(masked(answer.content, (self._token,)))
        except ValueError:
            told = None
        if not isinstance(told, dict):
            if answer.status < 400:
                raise _refused("its answer cannot be read", fix="Check TINYBIRD_HOST.")
            return {}
        return told


def _reasons(told: Mapping[str, Any]) -> str:
    found = told.get("errors") or told.get("feedback") or ()
    lines = [
        f"{each.get('filename') or each.get('resource') or 'deployment'}: {each.get('error') or each.get('message')}"
        for each in found
        if isinstance(each, dict)
    ]
    return "; ".join(lines) or str(told.get("error") or "")


def _refused(reason: str, *, fix: str = "Correct what it names, then push again.") -> PlatformFailure:
    return PlatformFailure(f"Tinybird: {reason}.", fix=fix, platform="tinybird")


def banner(project: Path = OURS) -> str:
    """What `./dev check` prints; empty while what ships is what was sent, and where no Tinybird is in use."""
    found = difference(project)
    if not found:
        return ""
    edge = "!" * 78
    return "\n".join(
        [
            edge,
            "!! What ships differs from what was pushed to Tinybird:",
            *(f"!!   {line}" for line in found.lines()),
            "!! Send it: adwright analytics push",
            edge,
        ]
    )


def main(arguments: list[str]) -> int:
    warning = banner(Path(arguments[0]) if arguments else OURS)
    if warning:
        sys.stderr.write(f"{warning}\n")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except CapabilityError as error:
        sys.exit(error.message)
