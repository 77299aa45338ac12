"""The sandbox as a child of the owner: a directory that was pointed at it stays so, whichever command owns it next."""

from collections.abc import Mapping
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
    try:
        async with httpx2.AsyncClient(trust_env=False, timeout=10) as client:
            found = (await client.get(f"{url}/")).raise_for_status().json()
    except httpx2.HTTPError as error:
        raise Unavailable(f"The sandbox at {url} does not answer.", fix=f"See {directory / 'sandbox.log'}.") from error
    changes = {SANDBOX: url, **_model(known, found["anthropic"])}
    if known.get("META_GRAPH_URL") in (None, f"{known[SANDBOX]}/meta"):
        meta = found["meta"]
        changes |= {"META_GRAPH_URL": meta["url"], "META_APP_ID": meta["app_id"], "META_APP_SECRET": meta["app_secret"]}
    if known.get("GOOGLE_ADS_URL") in (None, f"{known[SANDBOX]}/google"):
        google = found["google"]
        changes |= {"GOOGLE_ADS_URL": google["url"], "GOOGLE_TOKEN_URL": google["token_url"]}
        changes |= {"GOOGLE_CLIENT_ID": google["client_id"], "GOOGLE_CLIENT_SECRET": google["client_secret"]}
    if any(known.get(name, "") != value for name, value in changes.items()):
        remember(directory, changes)


def _model(known: Mapping[str, str], found: Mapping[str, str]) -> dict[str, str]:
    """A key of one's own goes to the model's maker, never to the sandbox."""
    ours = known.get("ANTHROPIC_BASE_URL") in (None, found["url"], f"{known[SANDBOX]}/anthropic")
    if not ours:
        return {}
    if known.get("ANTHROPIC_API_KEY") not in (None, found["api_key"]):
        return {"ANTHROPIC_BASE_URL": ""}
    return {"ANTHROPIC_BASE_URL": found["url"], "ANTHROPIC_API_KEY": found["api_key"]}
