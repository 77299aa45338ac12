"""What the server of this very version answers to discovery, so that a client need not wait for it to start."""

import json
from pathlib import Path
from typing import Any

SNAPSHOT = Path(__file__).parent.parent / "mcp_endpoint" / "snapshot.json"
_PING = "ping"


class Snapshot:
    """`surface`: all, readonly, or a toolset's name. What it does not know is None, and asked of the server."""

    def __init__(self, known: dict[str, Any], surface: str) -> None:
        self._known, self._surface = known, surface

    @classmethod
    def load(cls, surface: str, path: Path = SNAPSHOT) -> "Snapshot":
        try:
            return cls(json.loads(path.read_text(encoding="utf-8")), surface)
        except (OSError, ValueError):
            return cls({}, surface)

    def answer(self, method: str, params: dict[str, Any], *, modern: bool) -> Any:
        if method == _PING and not modern:
            return {}
        if method == "initialize":
            return self._initialized(params.get("protocolVersion"))
        known = self._known.get("modern" if modern else "handshake", {})
        if method == "tools/list":
            known = known.get(method, {})
            method = self._surface
        return None if "cursor" in params else known.get(method)

    def is_read(self, tool: str) -> bool:
        """Whether repeating a call of it does no harm; a tool unknown here may be a write."""
        listed = self._known.get("modern", {}).get("tools/list", {}).get("all", {}).get("tools", ())
        return any(each["name"] == tool and each.get("annotations", {}).get("readOnlyHint") for each in listed)

    def _initialized(self, version: object) -> Any:
        """As the specification has it: the version asked for, else the newest of the same era."""
        known = self._known.get("initialize", {})
        return known.get(version) or (known[max(known)] if known else None)
