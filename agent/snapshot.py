"""System and tools of a conversation as exact bytes: its thinking is bound to them, and the cache is keyed by them."""

import json
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from importlib import resources
from typing import Any

from tools.capability import AnyCapability
from tools.finding import FindingTool
from tools.schema import input_schema


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Both are JSON as it is sent. Nothing in them depends on a day, a user or a workspace."""

    system: str
    tools: str

    @property
    def sha(self) -> str:
        return sha256(f"{self.system}\n{self.tools}".encode()).hexdigest()


def snapshot(surface: str, shown: Iterable[AnyCapability | FindingTool]) -> Snapshot:
    """The breakpoint on system covers the tools, which come before it; an hour, as all conversations share them."""
    cached = {"type": "ephemeral", "ttl": "1h"}
    system = [{"type": "text", "text": prompt(surface).text, "cache_control": cached}]
    ordered = sorted(shown, key=lambda each: each.name)
    return Snapshot(compact(system), compact([tool(each) for each in ordered]))


def tool(capability: AnyCapability | FindingTool) -> dict[str, Any]:
    """A tool definition of the Messages API."""
    return {
        "name": capability.name,
        "description": capability.description,
        "input_schema": input_schema(capability.input),
    }


@dataclass(frozen=True, slots=True)
class SystemPrompt:
    version: int
    text: str


def prompt(surface: str) -> SystemPrompt:
    text = resources.files("prompts").joinpath("system", f"{surface}.md").read_text(encoding="utf-8")
    _, front, body = re.split(r"^\+\+\+\n", text, maxsplit=2, flags=re.MULTILINE)
    return SystemPrompt(tomllib.loads(front)["version"], body.strip())


def compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
