"""Which part of the registry a URL and its headers ask for."""

import re
from dataclasses import dataclass
from functools import lru_cache

from tools.authority import Principal
from tools.capability import Toolset
from tools.errors import InvalidRequest, NotFound

_PATH = re.compile(r".*?/mcp(?:/x/(?P<toolsets>[^/]+)|/(?P<read_only>readonly))?/?")
_KNOWN = ", ".join(Toolset)
_YES, _NO = frozenset({"true", "1", "yes", "on"}), frozenset({"false", "0", "no", "off", ""})


@dataclass(frozen=True, slots=True)
class Surface:
    """Toolsets in their declared order; none named means all of them."""

    toolsets: tuple[Toolset, ...] = ()
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent one HTTP request, and what it may see: handlers find it in the request's scope."""

    principal: Principal
    surface: Surface
    request_id: str


CALLER = "adwright.caller"


@lru_cache(maxsize=256)
def surface_of(path: str, toolsets: bytes | None, read_only: bytes | None) -> Surface:
    """The path decides about toolsets, the header where the path names none; either can make it read-only."""
    match = _PATH.fullmatch(path)
    if match is None:
        raise NotFound(
            f"There is no MCP endpoint at {path}.", fix=f"Use /mcp, /mcp/readonly or /mcp/x/<toolset> with {_KNOWN}."
        )
    if match["toolsets"] is not None:
        chosen = _toolsets(match["toolsets"], NotFound)
    else:
        chosen = _toolsets((toolsets or b"").decode("latin-1"), InvalidRequest)
    return Surface(chosen, match["read_only"] is not None or _flag(read_only))


def _toolsets(text: str, refusal: type[NotFound] | type[InvalidRequest]) -> tuple[Toolset, ...]:
    named = {name.strip().lower() for name in text.split(",")} - {""}
    if unknown := named - set(Toolset):
        raise refusal(f"There is no toolset {', '.join(sorted(unknown))}.", fix=f"Choose among {_KNOWN}.")
    return tuple(toolset for toolset in Toolset if toolset in named)


def _flag(value: bytes | None) -> bool:
    text = (value or b"").decode("latin-1").strip().lower()
    if text not in _YES | _NO:
        raise InvalidRequest("X-MCP-Readonly is neither true nor false.", fix="Send true or false, or leave it out.")
    return text in _YES
