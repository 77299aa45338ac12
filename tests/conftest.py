"""What holds for every test: no socket leaves the machine, CI repeats generated cases and knows no skipped test."""

import functools
import gc
import os
from collections.abc import Generator
from pathlib import Path

import httpcore2
import hypothesis
import pytest
import pytest_socket

from tests import opened
from tests.database import ON_POSTGRESQL, give_back

IN_CI = bool(os.environ.get("CI"))
# For the processes that tests start: each would load an engine of its own. Tests of it turn it on.
os.environ["ADWRIGHT_ANALYTICS"] = "off"
# Every client would read this machine's authorities, which takes longer than most tests; none of them is ever asked.
httpcore2.default_ssl_context = functools.cache(httpcore2.default_ssl_context)

hypothesis.settings.register_profile("dev", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, database=None, print_blob=True)
hypothesis.settings.load_profile("ci" if IN_CI else "dev")


def pytest_addoption(parser: pytest.Parser) -> None:
    opened.add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(opened)


def pytest_runtest_setup() -> None:
    pytest_socket.socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests of the other database are none of this run."""
    marker = "sqlite" if ON_POSTGRESQL else "postgresql"
    others = [item for item in items if item.get_closest_marker(marker)]
    if others:
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in others]


def pytest_collection_finish() -> None:
    """What was imported stays: the collector, which took a twentieth of all time, need not go through it again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Function) -> Generator[None, None, None]:
    directory: Path | None = getattr(item, "funcargs", {}).get("tmp_path")
    yield
    if directory is not None:
        give_back(directory)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome, report.longrepr = "failed", _refusal(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if IN_CI and report.skipped:
        report.outcome, report.longrepr = "failed", _refusal(report)
    return report


def _refusal(report: pytest.TestReport | pytest.CollectReport) -> str:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longreprtext
    return f"{report.nodeid} was skipped, which CI does not allow. {reason}"
