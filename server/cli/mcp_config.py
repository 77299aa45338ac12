"""`adwright mcp-config`: the entry an MCP client needs to start the bridge; it holds no key."""

import json
import os
import shlex
import shutil
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

from server.cli.output import say, show
from server.process.environment import data_directory
from server.process.files import make_directory, write_private
from tools.errors import InvalidRequest

NAME = "adwright"


def run(arguments: Namespace) -> int:
    entry = _entry(arguments)
    key = "servers" if arguments.client == "vscode" else "mcpServers"
    snippet = {key: {NAME: entry}}
    if arguments.write:
        path = _file(arguments.client)
        _merge(path, key, entry)
        say(f"Wrote {path}. Restart the client to load it.")
    text = json.dumps(snippet, indent=2)
    if not arguments.write and (hint := _hint(arguments.client, entry)):
        say(hint)
    show(snippet, as_json=arguments.json, text=text)
    return 0


def _hint(client: str, entry: dict[str, Any]) -> str | None:
    if client == "claude-code":
        return f"Or run: claude mcp add-json {NAME} {shlex.quote(json.dumps(entry))}"
    return "Or open the bundle that `adwright mcpb` writes." if client == "claude-desktop" else None


def _entry(arguments: Namespace) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "command": installed_command(), "args": ["mcp", "--data", str(data_directory(arguments.data))],
    }  # fmt: skip
    return {"type": "stdio", **entry} if arguments.client in ("vscode", "claude-code") else entry


def installed_command() -> str:
    """An absolute path: clients start it from elsewhere, and often with another PATH."""
    command = shutil.which("adwright") or str(Path(sys.executable).with_name("adwright"))
    return str(Path(command).absolute())


def _file(client: str) -> Path:
    home = Path.home()
    if client == "claude-desktop":
        if sys.platform == "darwin":
            return home / "Library/Application Support/Claude/claude_desktop_config.json"
        return home / ("AppData/Roaming" if os.name == "nt" else ".config") / "Claude/claude_desktop_config.json"
    return {
        "claude-code": Path(".mcp.json").absolute(),
        "cursor": home / ".cursor/mcp.json",
        "vscode": Path(".vscode/mcp.json").absolute(),
    }[client]


def _merge(path: Path, key: str, entry: dict[str, Any]) -> None:
    """The rest of the file stays, with who may read it, and where a link leads the file there is written."""
    path = path.resolve()
    mode = path.stat().st_mode if path.exists() else None
    try:
        known = json.loads(path.read_text(encoding="utf-8").strip() or "{}") if path.exists() else {}
        if not isinstance(known, dict) or not isinstance(known.setdefault(key, {}), dict):
            raise ValueError
    except ValueError:
        raise InvalidRequest(f"{path} is not a JSON object.", fix="Correct it, or paste the entry by hand.") from None
    known[key][NAME] = entry
    make_directory(path.parent)
    write_private(path, json.dumps(known, indent=2, ensure_ascii=False) + "\n")
    if mode is not None:
        path.chmod(mode)
