"""The command line's manners: help, usage, exit codes, and what it costs to start."""

import subprocess
import sys

import pytest

from server.cli.generate import _leaves
from server.cli.main import main
from server.cli.parser import build
from server.version import VERSION


@pytest.mark.parametrize("parser", list(_leaves(build())), ids=lambda parser: parser.prog)
def test_each_command_has_help_with_an_example_of_itself(parser: object, capsys: pytest.CaptureFixture[str]) -> None:
    words = str(getattr(parser, "prog")).split()[1:]  # noqa: B009 -- argparse.ArgumentParser, typed as object by ids
    with pytest.raises(SystemExit) as left:
        main([*words, "--help"])
    assert left.value.code == 0
    shown = capsys.readouterr().out
    assert f"adwright {' '.join(words)}" in shown.partition("examples:")[2]
    assert "--json" in shown


def test_the_version_is_the_distributions(capsys: pytest.CaptureFixture[str]) -> None:
    from importlib.metadata import version  # noqa: PLC0415 -- slow to import, and used only here

    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"adwright {VERSION}\n"
    assert version("adwright") == VERSION


@pytest.mark.parametrize("words", [[], ["nope"], ["serve", "--port", "70000"], ["users", "create", "ann@example.com"]])
def test_wrong_usage_exits_2_and_says_where_help_is(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(words)
    assert left.value.code == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("usage error: ")
    assert "--help" in shown.err


HEAVY = ("pydantic", "sqlalchemy", "starlette", "mcp", "httpx2", "httpx", "granian", "structlog", "anthropic")


@pytest.mark.parametrize(
    "module",
    ["server.cli.main", "server.bridge.main", "server.process.client", "server.process.background", "server.cli.tools"],
)
def test_what_must_start_fast_imports_nothing_heavy(module: str) -> None:
    loaded = f"import sys, {module}; print(sorted({set(HEAVY)!r} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert told.stdout == "[]\n"


def test_more_workers_than_sqlite_has_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--workers", "4"]) == 1
    assert capsys.readouterr().err.startswith("invalid_request: ")
