"""Capability: one value that says what can be done, by whom, how often, and how it looks outside."""

import inspect
import re
import typing
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum
from functools import cached_property
from itertools import chain, islice
from typing import Any, ClassVar, Generic, Literal, Self, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, PrivateAttr, model_validator

from tools.authority import Scope
from tools.context import Context
from tools.plan import Plan
from tools.secret import Secret


class Input(BaseModel):
    """Closed, frozen, strict. A field left out is None inside; sending null is a mistake and is told so."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _as_json_means_it(cls, data: Any) -> Any:
        """Null is refused, and U+0000, which databases cannot hold; 5.0 is the integer 5, as JSON Schema has it."""
        if not isinstance(data, dict):
            return data
        if nulls := [str(key) for key, value in data.items() if value is None]:
            raise ValueError(f"leave out instead of sending null: {', '.join(nulls)}")
        if zeros := [str(key) for key, value in data.items() if _holds_nul(value)]:
            raise ValueError(f"take the character U+0000 out of: {', '.join(zeros)}")
        return {key: int(v) if isinstance(v, float) and v.is_integer() else v for key, v in data.items()}


class Nothing(Input):
    """The input of a capability that takes none."""


class Output(BaseModel):
    """A field with a default is left out while it has it; one without is always there, null included."""

    model_config = ConfigDict(frozen=True)
    shown_once: ClassVar[frozenset[str]] = frozenset()  # fields that are never stored, so no replay has them

    def wire(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude_defaults=True, by_alias=True)

    def wire_json(self) -> bytes:
        return self.__pydantic_serializer__.to_json(self, exclude_defaults=True, by_alias=True)


Row = TypeVar("Row", bound=Output)
In = TypeVar("In", bound=Input)
Out = TypeVar("Out", bound=Output)


class Listing(Output, Generic[Row]):
    """A page of rows; REST shows `items` as `data` and what stands beside them in `meta`."""

    items: tuple[Row, ...]
    next_cursor: str | None = None

    _encoded: Sequence[bytes | memoryview] | None = PrivateAttr(default=None)

    @classmethod
    def of_json(cls, items: Sequence[bytes | memoryview], **beside: Any) -> Self:
        """A page whose rows are wire JSON already: what was kept as text is not decoded to be encoded again. Each of
        `items` is some rows, with commas between them."""
        page = cls(items=(), **beside)
        page._encoded = items
        return page

    def wire(self) -> dict[str, Any]:
        if self._encoded is None:
            return super().wire()
        shown: dict[str, Any] = orjson.loads(self.wire_json())
        return shown

    def wire_json(self) -> bytes:
        items, beside = self.parts()
        return b"".join((b'{"items":', *items, b"," if beside else b"", beside, b"}"))

    def parts(self) -> tuple[Sequence[bytes | memoryview], bytes]:
        """The rows as the pieces of a JSON array, joined by whoever sends them: a large page is copied once. And what
        stands beside them as members of an object, its braces left out."""
        to_json = self.__pydantic_serializer__.to_json
        beside = to_json(self, exclude={"items"}, exclude_defaults=True, by_alias=True)[1:-1]
        if self._encoded is not None:
            between = chain.from_iterable((b",", some) for some in self._encoded)
            return [b"[", *islice(between, 1, None), b"]"], beside
        items = to_json(self, include={"items"}, exclude_defaults=True, by_alias=True)
        return [items[len(b'{"items":') : -1]], beside


class Rate(Enum):
    """Every principal is counted by DEFAULT too, a key by its own rate; INGEST stands alone."""

    DEFAULT = ("default", 600, "principal")
    CONNECTION = ("connections", 30, "user")
    CAMPAIGN_MUTATION = ("campaign-mutations", 60, "workspace")
    PIXEL_MUTATION = ("pixel-mutations", 60, "workspace")
    CHAT = ("chat", 20, "user")
    INGEST = ("ingest", 6000, "principal")

    def __init__(self, label: str, per_minute: int, per: Literal["principal", "user", "workspace"]) -> None:
        self.label, self.per_minute, self.per = label, per_minute, per


class Effect(StrEnum):
    """What a call does to the world; MCP annotations and the confirm default derive from it."""

    READ = "read"
    RECORD = "record"  # adds a first-party fact: never gated, no plan, not for models
    CHANGE = "change"  # reversible
    DESTROY = "destroy"

    @property
    def planned(self) -> bool:
        return self in (Effect.CHANGE, Effect.DESTROY)


class Toolset(StrEnum):
    ADS = "ads"
    ANALYTICS = "analytics"
    APPROVALS = "approvals"
    WORKSPACE = "workspace"


@dataclass(frozen=True)
class Rest:
    method: Literal["GET", "POST", "PATCH", "DELETE"]
    path: str  # below /api/v1
    status: int = 200

    @property
    def path_fields(self) -> set[str]:
        return set(re.findall(r"{(\w+)}", self.path))


def GET(path: str) -> Rest:  # noqa: N802 - reads as the method it is
    return Rest("GET", path)


def POST(path: str, status: int = 200) -> Rest:  # noqa: N802 - reads as the method it is
    return Rest("POST", path, status)


def PATCH(path: str) -> Rest:  # noqa: N802 - reads as the method it is
    return Rest("PATCH", path)


def DELETE(path: str) -> Rest:  # noqa: N802 - reads as the method it is
    return Rest("DELETE", path)


@dataclass(frozen=True, kw_only=True)
class Capability(Generic[In, Out]):
    name: str
    description: str
    input: type[In]
    output: type[Out]
    scope: Scope | None  # None: any valid credential
    effect: Effect
    rest: Rest
    toolset: Toolset
    run: Callable[[Context, Any], Awaitable[Out]]  # a read takes the input, a write takes the plan
    rate: Rate | None = None
    plan: Callable[[Context, In], Awaitable[Plan[In]]] | None = None
    human_only: bool = False
    idempotent: bool = False

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_]{2,63}", self.name):
            raise TypeError(f"{self.name}: a name is verb_noun in lower case, 3 to 64 characters")
        if missing := self.rest.path_fields - self.input.model_fields.keys():
            raise TypeError(f"{self.name}: {self.rest.path} names {missing}, not fields of {self.input.__name__}")
        if (self.effect.planned and not self.human_only) != (self.plan is not None):
            raise TypeError(f"{self.name}: what changes the world needs a plan, and nothing else has one")
        if self.takes_secret and not self.human_only:
            raise TypeError(f"{self.name}: takes a secret, so it is human_only")

    @property
    def title(self) -> str:
        return self.name.replace("_", " ").capitalize()

    @cached_property
    def takes_secret(self) -> bool:
        return any(Secret in _types(field.annotation) for field in self.input.model_fields.values())

    @cached_property
    def lists(self) -> bool:
        return issubclass(self.output, Listing)

    @property
    def for_models(self) -> bool:
        """Whether a model may see it at all."""
        return not self.human_only and self.effect is not Effect.RECORD


AnyCapability = Capability[Any, Any]


def read(
    *,
    scope: Scope | None,
    rest: Rest,
    toolset: Toolset,
    rate: Rate | None = None,
    idempotent: bool = True,
) -> Callable[[Callable[[Context, In], Awaitable[Out]]], Capability[In, Out]]:
    """Turn an async function into a Capability that reads. Pure: importing a module registers nothing."""
    return _unplanned(
        scope=scope, effect=Effect.READ, rest=rest, toolset=toolset, rate=rate, idempotent=idempotent, human_only=False
    )


def record(
    *, scope: Scope, rest: Rest, toolset: Toolset, rate: Rate
) -> Callable[[Callable[[Context, In], Awaitable[Out]]], Capability[In, Out]]:
    """Turn an async function into a Capability that adds a first-party fact: never gated, not for models."""
    return _unplanned(
        scope=scope, effect=Effect.RECORD, rest=rest, toolset=toolset, rate=rate, idempotent=True, human_only=False
    )


def human(
    *, scope: Scope, effect: Effect, rest: Rest, toolset: Toolset, rate: Rate | None = None
) -> Callable[[Callable[[Context, In], Awaitable[Out]]], Capability[In, Out]]:
    """Turn an async function into a Capability that only a signed-in person may use; it takes its input, no plan."""
    return _unplanned(
        scope=scope, effect=effect, rest=rest, toolset=toolset, rate=rate, idempotent=False, human_only=True
    )


def write(
    *,
    scope: Scope,
    effect: Effect,
    rest: Rest,
    toolset: Toolset,
    rate: Rate,
    plan: Callable[[Context, In], Awaitable[Plan[In]]],
    idempotent: bool = False,
) -> Callable[[Callable[[Context, Plan[In]], Awaitable[Out]]], Capability[In, Out]]:
    """Turn an async function that applies a plan, and re-decides nothing, into a Capability that writes."""

    def build(run: Callable[[Context, Plan[In]], Awaitable[Out]]) -> Capability[In, Out]:
        return Capability(
            name=run.__name__,
            description=_described(run),
            input=_signature(plan)[0],
            output=_signature(run)[1],
            scope=scope,
            effect=effect,
            rest=rest,
            toolset=toolset,
            rate=rate,
            plan=plan,
            run=run,
            idempotent=idempotent,
        )

    return build


def _unplanned(**declared: Any) -> Callable[[Callable[[Context, In], Awaitable[Out]]], Capability[In, Out]]:
    def build(run: Callable[[Context, In], Awaitable[Out]]) -> Capability[In, Out]:
        takes, returns = _signature(run)
        return Capability(
            name=run.__name__, description=_described(run), input=takes, output=returns, run=run, **declared
        )

    return build


def _described(run: Callable[..., Any]) -> str:
    return " ".join((inspect.getdoc(run) or "").split())


def _signature(function: Callable[..., Any]) -> tuple[Any, Any]:
    hints = typing.get_type_hints(function)
    returns = hints.pop("return")
    return list(hints.values())[1], returns


def _holds_nul(value: object) -> bool:
    if isinstance(value, list | tuple):
        return any(map(_holds_nul, value))
    return isinstance(value, str) and "\0" in value


def _types(annotation: Any) -> Iterator[Any]:
    yield annotation
    for argument in typing.get_args(annotation):
        yield from _types(argument)
