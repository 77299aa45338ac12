"""Which tests opened a database: those alone have more to say on a second one, and every one of them says it there."""

import json
import os
from collections.abc import Generator
from functools import cache
from pathlib import Path

import pytest

_opening: set[str] = set()
_MARK = ("opened", "database")


def note() -> None:
    """The test that runs opens a database."""
    _opening.add(os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" (")[0])


def add_options(parser: pytest.Parser) -> None:
    group = parser.getgroup("databases")
    group.addoption("--opened-to", type=Path, metavar="FILE", help="write which tests opened a database")
    group.addoption("--opened-from", type=Path, metavar="FILE", help="run only the tests that did, and the marked ones")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A worker tells the process that started it by the report."""
    report = yield
    if report.when == "teardown" and item.nodeid in _opening:
        report.user_properties.append(_MARK)
    return report


class Writer:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if _MARK in map(tuple, report.user_properties):
            self._opened.add(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        self._path.write_text(json.dumps(sorted(self._opened)), encoding="utf-8")


def pytest_configure(config: pytest.Config) -> None:
    path = config.getoption("--opened-to")
    if path is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Writer(path))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """To import a module takes longer than to run most of its tests."""
    if (path := config.getoption("--opened-from")) is None or not collection_path.name.startswith("test_"):
        return None
    named = collection_path.relative_to(config.rootpath).as_posix()
    marked = "mark.postgresql" in collection_path.read_text(encoding="utf-8")
    return None if marked or any(test.startswith(f"{named}::") for test in _read(path)) else True


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    path = config.getoption("--opened-from")
    if path is None:
        return
    opened = _read(path)
    chosen = [item for item in items if item.nodeid in opened or item.get_closest_marker("postgresql")]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(chosen)])
    items[:] = chosen


@cache
def _read(path: Path) -> frozenset[str]:
    return frozenset(json.loads(path.read_text(encoding="utf-8")))
