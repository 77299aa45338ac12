"""Processes of our own: their logs stay small, and what they find in the working directory is not ours."""

import sys
from pathlib import Path

import pytest

from server.process.files import size, tail
from server.process.spawning import LOG_LIMIT, module, spawn


def test_a_log_that_grew_large_is_set_aside(tmp_path: Path) -> None:
    log = tmp_path / "owner.log"
    log.write_bytes(b"old\n" * (LOG_LIMIT // 4 + 1))
    since = size(log)
    assert spawn([sys.executable, "-c", "print('new')"], log).wait(10) == 0
    assert tail(log, since=since) == "new"
    assert size(tmp_path / "owner.log.1") == since
    assert log.stat().st_mode & 0o777 == 0o600


def test_a_directory_of_our_name_where_the_user_is_is_not_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "server").mkdir()
    (tmp_path / "server" / "__init__.py").write_text("raise SystemExit('not ours')", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    log = tmp_path / "log"
    spawn(module("server.cli.main", "--version"), log).wait(20)
    assert "not ours" not in log.read_text(encoding="utf-8")


def test_a_settings_file_where_the_user_is_is_not_the_processs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project, data = tmp_path / "project", tmp_path / "data"
    project.mkdir()
    data.mkdir()
    (project / ".env").write_text("META_GRAPH_URL=https://elsewhere.example\n", encoding="utf-8")
    monkeypatch.chdir(project)
    log = data / "log"

    spawn([sys.executable, "-c", "import pathlib; print(pathlib.Path('.env').exists(), pathlib.Path.cwd())"], log).wait(
        9
    )

    assert log.read_text(encoding="utf-8") == f"False {data}\n"


def test_a_tail_is_of_what_was_written_since(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert tail(log) == ""
    log.write_text("before\n", encoding="utf-8")
    since = size(log)
    with log.open("a", encoding="utf-8") as more:
        more.write("one\ntwo\nthree\n")
    assert tail(log, since=since, lines=2) == "two\nthree"
