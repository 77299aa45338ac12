"""`adwright serve` and `adwright demo`: become the directory's owner, in the foreground."""

import contextlib
import importlib
from argparse import Namespace
from collections.abc import Iterator, Mapping
from pathlib import Path

from server.process.client import already_served, take_over
from server.process.environment import data_directory, variables
from server.process.ownership import Held, Ownership, Record, own
from server.version import VERSION
from tools.errors import InvalidRequest

# Imported late: whoever may not own the directory is told so before the product is loaded.
_FOREGROUND = "server.cli.foreground"
MOST_WORKERS = 64


def run(arguments: Namespace) -> int:
    directory = data_directory(arguments.data)
    arguments.workers = _workers(arguments.workers, variables(directory))
    with _owned(directory) as ownership:
        importlib.import_module(_FOREGROUND).serve(arguments, ownership)
    return 0


def _workers(asked: int | None, known: Mapping[str, str]) -> int:
    """Looked up before anything is opened, as a refusal leaves nothing behind."""
    given = known.get("ADWRIGHT_WORKERS", "1") if asked is None else str(asked)
    if not given.isdecimal() or not 1 <= int(given) <= MOST_WORKERS:
        raise InvalidRequest(
            f"--workers is a number from 1 to {MOST_WORKERS}, not {given}.", fix="One a processor core is plenty."
        )
    if int(given) > 1 and "DATABASE_URL" not in known:
        raise InvalidRequest(
            "Several workers need PostgreSQL, as SQLite has one writer.",
            fix="Set DATABASE_URL, or leave out --workers.",
        )
    return int(given)


def demo(arguments: Namespace) -> int:
    # Its simulated accounts have no place beside real ones.
    with _owned(data_directory(arguments.data, name="adwright-demo")) as ownership:
        importlib.import_module(_FOREGROUND).demo(arguments, ownership)
    return 0


@contextlib.contextmanager
def _owned(directory: Path) -> Iterator[Ownership]:
    """A background owner makes way; one in the foreground is named and left alone."""
    take_over(directory)
    try:
        with own(directory, background=False, version=VERSION) as ownership:
            yield ownership
    except Held:
        raise already_served(directory, Record.read(directory)) from None
