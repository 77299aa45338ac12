"""`adwright serve` and `adwright demo`: become the directory's owner, in the foreground."""

import contextlib
import importlib
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from server.process.client import already_served, take_over
from server.process.environment import data_directory
from server.process.ownership import Held, Ownership, Record, own
from server.version import VERSION
from tools.errors import InvalidRequest

# Imported late: whoever may not own the directory is told so before the product is loaded.
_FOREGROUND = "server.cli.foreground"


def run(arguments: Namespace) -> int:
    if arguments.workers != 1:
        raise InvalidRequest(
            "This version is served by one process: on SQLite there is one writer.", fix="Leave out --workers."
        )
    with _owned(data_directory(arguments.data)) as ownership:
        importlib.import_module(_FOREGROUND).serve(arguments, ownership)
    return 0


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
