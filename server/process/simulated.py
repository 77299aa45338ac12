"""The sandbox as a child of the owner: a directory that was pointed at it stays so, whichever command owns it next."""

from pathlib import Path

import httpx2

from server.process.children import Children
from server.process.environment import remember, variables
from server.process.spawning import module
from tools.errors import Unavailable

SANDBOX = "ADWRIGHT_SANDBOX"
WANTED = "on"


async def simulate(directory: Path, children: Children) -> None:
    """Start or adopt the sandbox where the directory wants one, and point at it whatever points nowhere else."""
    known = variables(directory)
    if SANDBOX not in known:
        return
    url = await children.start("sandbox", module("server.sandbox", "--data", str(directory), "--port", "0"))
    if known[SANDBOX] == url:
        return
    try:
        async with httpx2.AsyncClient(trust_env=False, timeout=10) as client:
            meta = (await client.get(f"{url}/")).raise_for_status().json()["meta"]
    except httpx2.HTTPError as error:
        raise Unavailable(f"The sandbox at {url} does not answer.", fix=f"See {directory / 'sandbox.log'}.") from error
    changes = {SANDBOX: url}
    if known.get("META_GRAPH_URL") in (None, f"{known[SANDBOX]}/meta"):
        changes |= {"META_GRAPH_URL": meta["url"], "META_APP_ID": meta["app_id"], "META_APP_SECRET": meta["app_secret"]}
    remember(directory, changes)
