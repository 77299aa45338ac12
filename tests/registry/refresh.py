"""Write the committed snapshot of every capability's schemas anew: `python -m tests.registry.refresh`."""

from pathlib import Path
from typing import Any

import orjson

from tools.capability import AnyCapability
from tools.catalog import catalog
from tools.schema import input_schema, output_schema

SNAPSHOTS = Path(__file__).with_name("snapshots")


def snapshot(capability: AnyCapability) -> dict[str, Any]:
    return {
        "name": capability.name,
        "title": capability.title,
        "description": capability.description,
        "effect": capability.effect,
        "scope": capability.scope,
        "human_only": capability.human_only,
        "rest": f"{capability.rest.method} {capability.rest.path} → {capability.rest.status}",
        "input": input_schema(capability.input),
        "output": output_schema(capability.output),
    }


def text(capability: AnyCapability) -> bytes:
    return orjson.dumps(snapshot(capability), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def refresh() -> None:
    SNAPSHOTS.mkdir(exist_ok=True)
    for stale in SNAPSHOTS.glob("*.json"):
        if stale.stem not in catalog:
            stale.unlink()
    for capability in catalog:
        (SNAPSHOTS / f"{capability.name}.json").write_bytes(text(capability))


if __name__ == "__main__":
    refresh()
