"""The .mcpb bundle: a manifest as Claude Desktop reads it, and the part of Adwright that runs there, in pure Python."""

import json
import zipfile
from pathlib import Path
from typing import Any

from server.bridge.snapshot import SNAPSHOT
from server.bundle.start import COMMAND
from server.process.environment import API_KEY, DATA, URL
from server.version import VERSION

ROOT = Path(__file__).parents[2]
CARRIED = (
    *(f"server/bridge/{name}.py" for name in (
        "__init__", "confirming", "http", "main", "messages", "relay", "snapshot", "upstream",
    )),
    *(f"server/process/{name}.py" for name in (
        "__init__", "asking", "background", "browser", "client", "environment", "files", "ownership", "spawning",
    )),
    *(f"server/{name}.py" for name in ("__init__", "version")),
    *(f"tools/{name}.py" for name in ("__init__", "errors", "ids", "redaction")),
)  # fmt: skip
"""What the bridge imports, which is nothing beyond the standard library."""

_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # so that the same Adwright makes the same bytes
_DESCRIPTION = "Run Meta and Google ads: campaigns, spend and changes that wait for your yes."
_LONG_DESCRIPTION = """\
Ask about campaigns and what they spend and earn, and have changes proposed. Nothing is changed before a person agrees
on Adwright's own page.

Leave the settings as they are to use the Adwright of this machine, or name a server and an API key for it."""


def write_bundle(path: Path, *, command: str, data: Path) -> None:
    """`command` and `data`: the Adwright that makes the bundle, and its directory, are what it uses by default."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bundle:
        _add(bundle, "manifest.json", json.dumps(manifest(command, data), indent=2).encode())
        _add(bundle, "icon.png", (ROOT / "server/bundle/icon.png").read_bytes())
        _add(bundle, "start.py", (ROOT / "server/bundle/start.py").read_bytes())
        for name in (*CARRIED, SNAPSHOT.relative_to(ROOT).as_posix()):
            _add(bundle, name, (ROOT / name).read_bytes())


def manifest(command: str, data: Path) -> dict[str, Any]:
    """Version 0.3: the newest whose server types are all settled."""
    return {
        "manifest_version": "0.3",
        "name": "adwright",
        "display_name": "Adwright",
        "version": VERSION,
        "description": _DESCRIPTION,
        "long_description": _LONG_DESCRIPTION,
        "author": {"name": "Adwright"},
        "license": "Apache-2.0",
        "keywords": ["ads", "meta", "google ads", "marketing"],
        "icon": "icon.png",
        "server": {
            "type": "python",
            "entry_point": "start.py",
            "mcp_config": {
                "command": "python3",
                "args": ["${__dirname}/start.py"],
                "env": {
                    DATA: "${user_config.data}",
                    URL: "${user_config.url}",
                    API_KEY: "${user_config.api_key}",
                    COMMAND: command,
                },
            },
        },
        "tools": _tools(),
        "prompts_generated": True,
        "user_config": _settings(data),
        "compatibility": {"platforms": ["darwin", "linux"], "runtimes": {"python": ">=3.11"}},
    }


def _settings(data: Path) -> dict[str, Any]:
    return {
        "data": {
            "type": "directory",
            "title": "Data directory",
            "description": "The Adwright of this machine. Not used where a server is named.",
            "required": False,
            "default": _from_home(data),
        },
        "url": {
            "type": "string",
            "title": "Server",
            "description": "An Adwright elsewhere, such as https://ads.example.com. Leave empty for this machine's.",
            "required": False,
            "default": "",
        },
        "api_key": {
            "type": "string",
            "title": "API key",
            "description": "A gated key of that server: its changes wait for a person.",
            "required": False,
            "sensitive": True,
            "default": "",
        },
    }


def _from_home(directory: Path) -> str:
    home = Path.home()
    inside = directory.is_relative_to(home)
    return f"${{HOME}}/{directory.relative_to(home).as_posix()}" if inside else str(directory)


def _tools() -> list[dict[str, str]]:
    """As the registry has them, from the snapshot that is generated of it."""
    known = json.loads(SNAPSHOT.read_text(encoding="utf-8"))
    listed = known["modern"]["tools/list"]["all"]["tools"]
    return [{"name": tool["name"], "description": tool["description"]} for tool in listed]


def _add(bundle: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, _LONG_AGO)
    entry.external_attr = 0o644 << 16
    bundle.writestr(entry, content, zipfile.ZIP_DEFLATED)
