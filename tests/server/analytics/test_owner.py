"""One process owns an engine's directory; what it acknowledged outlives it."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def owner(directory: Path, batch: int) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.server.analytics.owner", str(directory), str(batch)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def said(process: "subprocess.Popen[str]", beginning: str) -> int:
    """The number after a line's beginning; the line comes or the process ends."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith(beginning), (line, process.communicate(timeout=60)[1] if not line else "")
    return int(line.split()[1])


@pytest.mark.slow
def test_what_a_killed_engine_acknowledged_is_there_and_no_second_one_opens_beside_it(tmp_path: Path) -> None:
    acknowledged = 0
    first = owner(tmp_path, 50)
    try:
        assert said(first, "has ") == 0
        while acknowledged < 500:
            acknowledged = said(first, "acknowledged ")
        second = owner(tmp_path, 0)
        _, complaint = second.communicate(timeout=60)
    finally:
        first.kill()
        rest, _ = first.communicate(timeout=60)
    acknowledged = max([acknowledged, *(int(line.split()[1]) for line in rest.splitlines() if line.endswith("0"))])
    third = owner(tmp_path, 0)
    kept = said(third, "has ")
    third.communicate(timeout=60)

    assert second.returncode == 1
    assert complaint.strip() == f"Another process has the analytics data of {tmp_path} open. Only one can."
    assert kept in {acknowledged, acknowledged + 50}
