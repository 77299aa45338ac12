"""What a task is: the file of tasks, read once and checked, so that a slip in it is no silent pass."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

FILE = Path(__file__).parent / "tasks.toml"
Step = str | tuple[Any, ...]
"""What a scripted model says next: words, or a call as [name, arguments], or several of these at once."""
Words = str | tuple[str, ...]
"""All of a list will do."""


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Expected(Closed):
    """A call that must be made. Order counts only where `after` says so."""

    name: Words
    id: str = ""
    given: Annotated[dict[str, Any], Field(alias="with")] = {}
    after: tuple[str, ...] = ()
    turn: int | None = None
    ends: str = ""
    """Its outcome at first: ok, confirm_required, or the code of an error."""

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name,) if isinstance(self.name, str) else self.name


class Forbidden(Closed):
    name: str
    given: Annotated[dict[str, Any], Field(alias="with")] = {}


class Turn(Closed):
    """`then` is what the person does with what waits: approve, "approve 300", deny, expire."""

    asks: str
    then: tuple[str, ...] = ()
    says: tuple[Step, ...]
    figures: tuple[str, ...] = ()
    mentions: tuple[Words, ...] = ()
    never: tuple[str, ...] = ()
    language: Literal["", "en", "de", "es"] = ""
    asks_back: bool = False
    stops: str = "end_turn"


class Bad(Closed):
    """A trajectory that must fail, and by which checks."""

    why: str
    says: tuple[tuple[Step, ...], ...]
    fails: Annotated[tuple[str, ...], Field(min_length=1)]


class Created(Closed):
    name: str
    platform: str
    status: str
    daily_budget: float


class Task(Closed):
    id: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    kind: Literal["read", "change", "refuse"]
    world: str
    surface: Literal["ads", "analytics"] = "ads"
    by: Literal["owner", "member", "viewer"] = "owner"
    turns: Annotated[tuple[Turn, ...], Field(min_length=1)]
    calls: tuple[Expected, ...] = ()
    forbids: tuple[Forbidden, ...] = ()
    approvals: tuple[str, ...] = ()
    """What became of each proposal, oldest first; with none, nothing may have been proposed."""
    after: dict[str, dict[str, Any]] = {}
    """Campaigns that are different on the platform in the end; all others must be as they were."""
    after_all: dict[str, Any] = {}
    """`{of = "a figure of ids", status = "PAUSED"}`"""
    created: tuple[Created, ...] = ()
    figures: dict[str, str] = {}
    found_by: tuple[str, ...] = ()
    """Tools of which one has to be found by the question; those of `calls` where left out."""
    bad: tuple[Bad, ...] = ()

    @model_validator(mode="after")
    def _is_whole(self) -> "Task":
        known = {call.id for call in self.calls if call.id}
        if missing := {each for call in self.calls for each in call.after} - known:
            raise ValueError(f"{self.id}: after names no call: {', '.join(sorted(missing))}")
        if missing := {each for turn in self.turns for each in turn.figures} - self.figures.keys():
            raise ValueError(f"{self.id}: there are no figures {', '.join(sorted(missing))}")
        return self

    @property
    def question(self) -> str:
        return self.turns[0].asks

    @property
    def tools(self) -> tuple[str, ...]:
        return self.found_by or tuple(name for call in self.calls for name in call.names)


class Fixture(Closed):
    """What is special about a world, beside the sandbox's Meta accounts."""

    google: bool = False
    shop: bool = False
    visitors_now: int = 0
    names: dict[str, str] = {}
    """Names that somebody else gave campaigns, on the platform itself."""
    did: tuple[tuple[str, dict[str, Any]], ...] = ()
    """What a person changed before."""
    faults: tuple[dict[str, Any], ...] = ()


class Source(Closed):
    tool: str
    given: Annotated[dict[str, Any], Field(alias="with")] = {}


class Book(Closed):
    """The whole file."""

    worlds: dict[str, Fixture]
    campaigns: dict[str, str]
    """Names of campaigns as tasks call them: "account/name"."""
    sources: dict[str, Source]
    """Reads that figures are taken from."""
    tasks: tuple[Task, ...]

    @model_validator(mode="after")
    def _fits(self) -> "Book":
        names = [task.id for task in self.tasks]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"two tasks are called {', '.join(sorted(twice))}")
        for task in self.tasks:
            if task.world not in self.worlds:
                raise ValueError(f"{task.id}: there is no world {task.world}")
            for figure in task.figures.values():
                if figure.partition(":")[0] not in self.sources:
                    raise ValueError(f"{task.id}: there is no source for {figure!r}")
        return self

    def task(self, name: str) -> Task | None:
        return next((task for task in self.tasks if task.id == name), None)


@cache
def book() -> Book:
    return Book.model_validate(tomllib.loads(FILE.read_text(encoding="utf-8")))


_PLACE = re.compile(r"\{([^{}]+)\}")


class Places(Mapping[str, Any]):
    """What `{name}` stands for in a task; a name alone keeps its value's type."""

    def __init__(self, values: Mapping[str, Any], shown: Mapping[str, str]) -> None:
        self._values, self._shown = values, shown

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def fill(self, value: Any) -> Any:
        if isinstance(value, str):
            if alone := _PLACE.fullmatch(value):
                return self._values[alone[1]]
            return self.words(value)
        if isinstance(value, Mapping):
            return {name: self.fill(each) for name, each in value.items()}
        if isinstance(value, list | tuple):
            return [self.fill(each) for each in value]
        return value

    def words(self, text: str) -> str:
        return _PLACE.sub(lambda found: self._shown.get(found[1], str(self._values[found[1]])), text)
