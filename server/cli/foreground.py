"""What an owner in the foreground does besides serving: say where, and for a demo furnish the directory first."""

import asyncio
import contextlib
import json
import sys
from argparse import Namespace
from pathlib import Path

from server.analytics.access import pipes_of
from server.app import create_app
from server.cli.output import say, show
from server.demo import prepare, signed_in
from server.demo_shop import open_shop
from server.process.browser import can_open, open_page
from server.process.environment import remember, variables
from server.process.files import read_json, write_private
from server.process.owner import run
from server.process.ownership import Ownership
from server.process.simulated import SANDBOX, WANTED
from server.process.stored import announced
from server.settings import Settings
from server.web.shop import SHOP
from tools.secret import Secret

FILE, UNFINISHED = "demo.json", "demo.unfinished.json"


def serve(arguments: Namespace, ownership: Ownership) -> None:
    async def serving(url: str, _token: Secret, settings: Settings) -> None:
        shown = url if settings.public_url == url else f"{url}, for people at {settings.public_url}"
        say(f"Adwright serves {ownership.directory} at {shown} (Ctrl-C stops it)")

    run(ownership, create_app, host=arguments.host, port=arguments.port, workers=arguments.workers, serving=serving)


def demo(arguments: Namespace, ownership: Ownership) -> None:
    directory = ownership.directory

    async def serving(url: str, token: Secret, settings: Settings) -> None:
        told = await _furnished(directory, url, token, settings)
        show(told, as_json=arguments.json, text=_summary(directory, told))
        if sys.stdout.isatty() and not arguments.no_open and can_open():
            await asyncio.to_thread(open_page, told["login_url"])

    if SANDBOX not in variables(directory):
        remember(directory, {SANDBOX: WANTED})
    run(ownership, create_app, host=arguments.host, port=arguments.port, serving=serving)


async def _furnished(directory: Path, url: str, token: Secret, settings: Settings) -> dict[str, str]:
    """Written once everything in it works, for whoever waits for the file."""
    path, unfinished, sandbox_url = directory / FILE, directory / UNFINISHED, str(settings.adwright_sandbox)
    made = await prepare(url, token, sandbox_url, read_json(path) or read_json(unfinished))
    write_private(unfinished, json.dumps(made) + "\n")  # the key is told once: who stops now finds it again
    told = {"url": settings.public_url, **made, "mcp_url": f"{settings.public_url}/mcp", "sandbox_url": sandbox_url}
    told |= await announced(directory)
    if "analytics_url" in told:
        told |= await _shop(directory, url, token, settings)
    write_private(path, json.dumps(told, indent=2) + "\n")
    unfinished.unlink(missing_ok=True)
    return told


async def _shop(directory: Path, url: str, token: Secret, settings: Settings) -> dict[str, str]:
    pipes = pipes_of(settings)
    if pipes is None:
        return {}
    async with contextlib.aclosing(pipes), signed_in(url, token) as person:
        website_id = await open_shop(directory, person, pipes, str(settings.adwright_sandbox))
    return {"website_id": website_id, "shop_url": f"{settings.public_url}{SHOP}?w={website_id}"}


def _summary(directory: Path, told: dict[str, str]) -> str:
    data = f"--data {directory}"
    started_as = Path(sys.argv[0])
    adwright = started_as if started_as.name == "adwright" else "adwright"  # it need not be on the reader's PATH
    return f"""
Adwright is running. Its ad platforms are simulated: nothing here spends money.

  Sign in (once)   {told["login_url"]}
  REST             curl -H 'Authorization: Bearer {told["api_key"]}' {told["url"]}/api/v1/ads/campaigns
  MCP              {told["mcp_url"]}, with the same key
  Claude Desktop   {adwright} mcp-config --client claude-desktop {data}
  Shop             {told.get("shop_url", "not here: it needs the analytics store")}
  Sandbox          {told["sandbox_url"]}
  Analytics        {told.get("analytics_url", "not here: pip install 'adwright[analytics]' brings the store")}

Another sign-in link: {adwright} login-link {data}. All of this is in {directory / FILE}.
Ctrl-C stops it; started again, everything is as you left it."""
