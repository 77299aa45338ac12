"""`adwright analytics`: the store of pipes in the foreground, and our datafiles in a real Tinybird."""

import asyncio
import datetime as dt
from argparse import Namespace
from pathlib import Path

from server.analytics import tinybird
from server.analytics.datafiles.loading import OURS
from server.analytics.process import run as serve
from server.cli.output import ERROR, say, show
from server.process.environment import data_directory, variables
from tools.errors import InvalidRequest
from tools.secret import Secret


def run(arguments: Namespace) -> int:
    project = Path(arguments.project).expanduser().resolve() if arguments.project else OURS
    directory = data_directory(arguments.data)
    match arguments.action:
        case "push":
            return _push(project, directory, arguments)
        case "verify":
            return _verify(project, directory, arguments)
    serve(
        directory,
        project=project,
        host=arguments.host,
        port=arguments.port,
        told=lambda url: say(f"The analytics of {directory} are at {url} (Ctrl-C stops it)"),
    )
    return 0


def _push(project: Path, directory: Path, arguments: Namespace) -> int:
    there = _tinybird(directory)
    if there is None:
        raise InvalidRequest(
            "TINYBIRD_HOST or TINYBIRD_ADMIN_TOKEN is not set.",
            fix="Set both: the address of your workspace's region, and its admin token.",
        )
    done = asyncio.run(there.push(project, dt.datetime.now(dt.UTC)))
    told = {"result": done, "files": len(tinybird.digests(project)), "record": str(project / tinybird.RECORD)}
    text = f"{told['files']} datafiles: {done}. Commit {told['record']}, which says what was pushed."
    show(told, as_json=arguments.json, text=text)
    return 0


def _verify(project: Path, directory: Path, arguments: Namespace) -> int:
    """Against what was recorded, and where a Tinybird is set, against what it has."""
    differs, there = tinybird.difference(project), _tinybird(directory)
    missing = [] if there is None else asyncio.run(there.missing(project))
    same = differs is not None and not differs and not missing
    lines = ["never pushed"] if differs is None else differs.lines()
    lines += [f"missing  {name}" for name in missing]
    told = {
        "pushed": differs is not None,
        "same": same,
        **({} if differs is None else {"changed": differs.changed, "new": differs.added, "removed": differs.removed}),
        **({} if there is None else {"missing": missing}),
    }
    text = "What ships is what was pushed." if same else "\n".join(lines)
    show(told, as_json=arguments.json, text=text)
    return 0 if same else ERROR


def _tinybird(directory: Path) -> tinybird.Tinybird | None:
    known = variables(directory)
    host, token = known.get("TINYBIRD_HOST"), known.get("TINYBIRD_ADMIN_TOKEN")
    return tinybird.Tinybird(host, Secret(token)) if host and token else None
