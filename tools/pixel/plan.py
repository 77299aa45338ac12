"""Plans of writes to our own records: what a person sees before a website, or what belongs to one, changes."""

from collections.abc import Mapping
from typing import TypeVar

from pydantic import BaseModel, JsonValue

from tools.errors import Conflict
from tools.plan import Change, Operation, Plan

In = TypeVar("In", bound=BaseModel)


def creation(new: In, kind: str, fields: Mapping[str, JsonValue], *, target: str, summary: str) -> Plan[In]:
    """`target` says what does not have an id yet."""
    return Plan(
        input=new,
        summary=summary,
        changes=tuple(Change(target=target, field=name, before=None, after=value) for name, value in fields.items()),
        operations=(Operation(kind=kind, fields=dict(fields)),),
    )


def update(
    change: In, kind: str, identifier: str, wanted: Mapping[str, JsonValue], now: Mapping[str, JsonValue], *, name: str
) -> Plan[In]:
    """What already is so is left out; nothing left is a conflict."""
    fields = {field: value for field, value in wanted.items() if value != now[field]}
    if not fields:
        raise Conflict(f"{name} already is so; there is nothing to change.", fix="Look at it first.", current=dict(now))
    words = " and ".join(f"set {field} to {_brief(value)}" for field, value in fields.items())
    return Plan(
        input=change,
        summary=f"{name}: {words}",
        changes=tuple(
            Change(target=identifier, field=field, before=now[field], after=value) for field, value in fields.items()
        ),
        operations=(Operation(kind=kind, fields={"id": identifier, **fields}, before={f: now[f] for f in fields}),),
    )


def removal(gone: In, kind: str, identifier: str, *, summary: str, warnings: tuple[str, ...]) -> Plan[In]:
    """No tool brings it back, so the plan does not call it reversible, although its row stays."""
    return Plan(
        input=gone,
        summary=summary,
        changes=(Change(target=identifier, field="status", before="active", after="deleted"),),
        operations=(Operation(kind=kind, fields={"id": identifier}),),
        warnings=warnings,
        reversible=False,
    )


def _brief(value: JsonValue) -> str:
    if isinstance(value, list):
        return f"{len(value)} steps"
    return str(value).lower() if isinstance(value, bool) else str(value)
