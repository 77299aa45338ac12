"""`./dev` is a newcomer's first command: on a machine that cannot run it, it must say what to do in one line."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

DEV = Path(__file__).parents[1] / "dev"
APT = "apt-get install -y python3-venv"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with `dev` in it, and beside it a `bin` that holds no more than every machine has."""
    (tmp_path / "bin").mkdir()
    for command in ("dirname", "sed", "sh"):
        (tmp_path / "bin" / command).symlink_to(str(shutil.which(command)))
    return Path(shutil.copy2(DEV, tmp_path)).parent


def give_python(checkout: Path, script: str) -> None:
    python = checkout / "bin" / "python3"
    python.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    python.chmod(0o755)


def dev(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [checkout / "dev", *arguments],
        env={"PATH": str(checkout / "bin"), "HOME": os.devnull},
        capture_output=True,
        encoding="utf-8",
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize("verb", ["demo", "test", "check", "fmt", "bench", "docs", "chaos", "eval"])
def test_help_tells_each_verb_in_one_line(checkout: Path, verb: str) -> None:
    told = dev(checkout, "help")
    assert told.returncode == 0
    assert sum(line.split()[:1] == [verb] for line in told.stdout.splitlines()) == 1


def test_without_a_verb_it_tells_them_all(checkout: Path) -> None:
    assert dev(checkout).stdout == dev(checkout, "help").stdout


def test_an_unknown_verb_is_refused_and_points_to_help(checkout: Path) -> None:
    refused = dev(checkout, "tests")
    assert refused.returncode == 1
    assert "no verb 'tests'" in refused.stderr
    assert "./dev help" in refused.stderr


def test_a_python_without_ensurepip_gets_the_one_apt_line(checkout: Path) -> None:
    give_python(checkout, 'case "$*" in *ensurepip*) exit 1 ;; esac')
    refused = dev(checkout, "test")
    assert refused.returncode == 1
    assert len(refused.stderr.splitlines()) == 1
    assert refused.stderr.rstrip().endswith(APT)


def test_a_python_whose_venv_fails_halfway_gets_the_apt_line(checkout: Path) -> None:
    give_python(checkout, 'case "$*" in *"-m venv"*) exit 1 ;; esac')
    refused = dev(checkout, "demo")
    assert refused.returncode == 1
    assert refused.stderr.rstrip().endswith(APT)


def test_an_old_python_is_named(checkout: Path) -> None:
    give_python(checkout, 'case "$*" in --version) echo Python 3.9.2 ;; *) exit 1 ;; esac')
    refused = dev(checkout, "test")
    assert refused.returncode == 1
    assert refused.stderr == "Adwright needs Python 3.11 or newer as python3; this machine has Python 3.9.2.\n"


def test_a_machine_without_python_is_told_so(checkout: Path) -> None:
    refused = dev(checkout, "test")
    assert refused.returncode == 1
    assert refused.stderr == "Adwright needs Python 3.11 or newer as python3; this machine has none.\n"
