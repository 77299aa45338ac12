"""Sessions of the embedded engine: each does one thing at a time, so several are kept, their limits set for good."""

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import chdb.session

from server.analytics.engine import READING, EngineUnavailable, Limits, RowsRefused, quoted
from server.analytics.failures import failure


class Session(Protocol):
    """chdb's, which says it is typed and is not."""

    def query(self, sql: str | bytes, fmt: str, *, params: dict[str, str] | None = None) -> Any: ...

    def close(self) -> None: ...


_new_session: Callable[[str], Session] = chdb.session.Session
# What an unqualified name finds: nothing. The engine's own `default` database reads files by their names.
_NOWHERE = "adwright_nowhere"


def run(session: Session, sql: str, output: str = "CSV", parameters: Mapping[str, str] | None = None) -> bytes:
    try:
        # The answer is copied here: its memory is the engine's.
        return bytes(session.query(sql, output, params=dict(parameters) if parameters else None).bytes() or b"")
    except RuntimeError as error:  # the engine's own are its subclasses
        raise failure(str(error)) from None


def insert(session: Session, table: str, rows: bytes, columns: Sequence[str]) -> None:
    """As one statement with its rows in it. The engine's streamed insert takes half as long, but says that all is
    written where it is not: with a full disk, or more partitions than it writes at once.

    An empty line would end the rows, and what follows would be run as SQL.
    """
    rows = rows.rstrip(b"\n")
    if not rows.startswith(b"{") or rows.count(b"\n") != rows.count(b"\n{"):
        raise RowsRefused("Rows are JSON objects, one a line.")
    named = ", ".join(quoted(column) for column in columns)
    try:
        session.query(b"INSERT INTO %b (%b) FORMAT JSONEachRow\n%b" % (table.encode(), named.encode(), rows), "CSV")
    except RuntimeError as error:
        raise failure(str(error), inserting=True) from None


def open_session(path: str, settings: Mapping[str, str], *first: str) -> Session:
    session = _connect(path)
    for statement in (*first, f"USE {_NOWHERE}"):
        run(session, statement)
    run(session, "; ".join(f"SET {name} = '{value}'" for name, value in settings.items()))
    return session


def _connect(path: str) -> Session:
    try:
        return _new_session(path)
    except RuntimeError as error:
        reason = failure(str(error)).message.splitlines()[0]
        raise EngineUnavailable(f"The analytics engine cannot open {path}: {reason}") from None


class Writer:
    """One session that may change things."""

    def __init__(self, path: str, settings: Mapping[str, str]) -> None:
        self._path, self._settings = path, settings
        self._session = self._opened()

    @contextlib.contextmanager
    def session(self) -> Iterator[Session]:
        used = self._session
        with _closed_on_failure(used):
            try:
                yield used
            except BaseException:
                self._session = self._opened()  # before the other closes: with its last session the engine ends
                raise

    def close(self) -> None:
        self._session.close()

    def _opened(self) -> Session:
        return open_session(self._path, self._settings, f"CREATE DATABASE IF NOT EXISTS {_NOWHERE} ENGINE = Memory")


@contextlib.contextmanager
def _closed_on_failure(session: Session) -> Iterator[None]:
    """What a query that failed had written of its answer would come before the answer to the session's next query."""
    try:
        yield
    except BaseException:
        session.close()
        raise


class Readers:
    """Sessions that can change nothing, by their limits: one that only reads cannot be given other limits either."""

    def __init__(self, path: str, *, keep: int) -> None:
        self._path, self._keep = path, keep
        self._free: list[tuple[Limits, Session]] = []  # the one used last at the end
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def session(self, limits: Limits) -> Iterator[Session]:
        session = self._take(limits) or open_session(self._path, {**READING, **limits.settings(), "readonly": "1"})
        with _closed_on_failure(session):
            yield session
        self._give(limits, session)

    def close(self) -> None:
        with self._lock:
            free, self._free = self._free, []
        for _, session in free:
            session.close()

    def _take(self, limits: Limits) -> Session | None:
        with self._lock:
            for place in reversed(range(len(self._free))):
                if self._free[place][0] == limits:
                    return self._free.pop(place)[1]
        return None

    def _give(self, limits: Limits, session: Session) -> None:
        with self._lock:
            self._free.append((limits, session))
            oldest = self._free.pop(0)[1] if len(self._free) > self._keep else None
        if oldest is not None:
            oldest.close()
