"""What is written stays readable, on any terminal and on none."""

import io
import subprocess
import sys

import pytest

from server.cli import output


def test_a_terminal_that_lacks_a_character_gets_its_spelling(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", terminal)

    output.show({"name": "読み"}, as_json=False)

    terminal.seek(0)
    assert terminal.read() == "name  \\u8aad\\u307f\n"


def test_a_name_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    output.show([{"name": "Sale\x1b[2J\nOK  all approved"}], as_json=False)

    assert capsys.readouterr().out == "name\nSale\ufffd[2J\ufffdOK  all approved\n"


def test_a_closed_stdout_is_no_traceback() -> None:
    command = [sys.executable, "-c", "import os, sys; os.close(1); os.execv(sys.executable, sys.argv[1:])"]
    ended = subprocess.run(
        [*command, sys.executable, "-m", "server.cli.main", "openapi"], stderr=subprocess.PIPE, timeout=30, check=False
    )

    assert (ended.returncode, ended.stderr) == (1, b"")
