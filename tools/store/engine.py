"""The database behind one narrow door: what a work may do, how it is run, and one word for "it is down"."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self, TypeVar

from sqlalchemy import Table, literal, select
from sqlalchemy.sql import ClauseElement

from tools.store.statements import Prepared, Row

T = TypeVar("T")
Statement = ClauseElement | Prepared

PING = Prepared(select(literal(1).label("one")))


class StoreUnavailable(Exception):
    """The database cannot be read or written now (disk full, read-only, I/O error, locked, closed)."""


class ConstraintViolated(Exception):
    """A unique, foreign key or append-only rule refused the statement; the transaction must not go on."""


class Transaction(ABC):
    """All that a work may await. A work may run again after a conflict: it keeps nothing outside itself."""

    __slots__ = ("failure",)
    failure: Exception | None

    @abstractmethod
    async def all(self, statement: Statement, **values: Any) -> list[Row]: ...

    @abstractmethod
    async def first(self, statement: Statement, **values: Any) -> Row | None: ...

    @abstractmethod
    async def run(self, statement: Statement, **values: Any) -> int:
        """Execute a write; answers how many rows it touched."""

    @abstractmethod
    async def run_many(self, statement: Prepared, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert many rows; each gives every parameter of the statement, which inserts one."""


def refuse_reader(*, writable: bool) -> None:
    if not writable:
        raise TypeError("a read does not write; use Store.write")


Work = Callable[[Transaction], Coroutine[Any, Any, T]]


@dataclass(slots=True)
class Changes:
    """Counts the commits that wrote one of these tables."""

    tables: frozenset[str]
    count: int = 0


class Store(ABC):
    """Works of one workspace commit one after another, in the order of submission; what was committed is on disk."""

    shared: ClassVar[bool]
    """Whether other processes write to it too: then only a row says what they must know of each other."""

    @abstractmethod
    def of(self, workspace_id: str) -> Self:
        """The same database for works that touch the rows of this workspace only."""

    @abstractmethod
    def turn(self, workspace_id: str) -> Self:
        """The same database, for works that see all of it and commit in turn with those of this workspace."""

    @abstractmethod
    async def write(self, work: Work[T]) -> T:
        """Run a work in a transaction; answers after its commit. Whoever stops waiting does not stop the work."""

    @abstractmethod
    def submit(self, work: Work[T]) -> asyncio.Future[T]:
        """Queue a work now and answer its future: works commit in the order of submission, awaited or not."""

    @abstractmethod
    async def read(self, work: Work[T]) -> T:
        """Short indexed lookups. Each statement sees the newest commit."""

    @abstractmethod
    async def scan(self, work: Work[T]) -> T:
        """Long reads, in one snapshot."""

    @abstractmethod
    def changes_to(self, *tables: Table) -> Changes | None:
        """What was read of these tables is true until its count moves; None where others write too."""

    @abstractmethod
    async def ping(self) -> None:
        """Answers when the database does; raises StoreUnavailable."""

    @abstractmethod
    async def close(self) -> None:
        """Commit what is queued, release everything."""
