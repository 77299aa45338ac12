"""The rules of the shared conftest are themselves tested: a rule that no longer bites would let a green run lie."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

CASES = {
    "test_one.py": "import pytest\n\n\ndef test_it():\n    pytest.skip('no browser')\n",
    "test_module.py": "import pytest\n\npytest.skip('no database', allow_module_level=True)\n",
    "test_expected.py": "import pytest\n\n\n@pytest.mark.xfail(reason='upstream')\ndef test_it():\n    assert False\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in CASES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def run(folder: Path, *options: str, ci: bool) -> subprocess.CompletedProcess[str]:
    """A pytest of its own over the folder, under our conftest and no other plugin than xdist."""
    environment = {name: value for name, value in os.environ.items() if name != "CI" and not name.startswith("PYTEST_")}
    environment |= {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"} | ({"CI": "true"} if ci else {})
    plugins = ("-p", "xdist", "-p", "tests.conftest", "-p", "no:cacheprovider")
    return subprocess.run(
        (sys.executable, "-m", "pytest", *plugins, "--continue-on-collection-errors", *options, str(folder)),
        cwd=folder,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def refused(told: subprocess.CompletedProcess[str]) -> None:
    assert told.returncode == pytest.ExitCode.TESTS_FAILED
    assert "was skipped, which CI does not allow. Skipped: no browser" in told.stdout
    assert "was skipped, which CI does not allow. Skipped: no database" in told.stdout


def test_in_ci_a_skip_fails_the_run_and_is_named(folder: Path) -> None:
    told = run(folder, ci=True)
    refused(told)
    assert "1 failed, 1 xfailed, 1 error" in told.stdout


def test_elsewhere_a_skip_is_allowed(folder: Path) -> None:
    allowed = run(folder, ci=False)
    assert allowed.returncode == pytest.ExitCode.OK
    assert "2 skipped, 1 xfailed" in allowed.stdout


def test_workers_refuse_a_skip_and_run_on_a_second_database_what_opened_the_first(folder: Path) -> None:
    tests = "from tests import opened\n\n\ndef test_it():\n    opened.note()\n\n\ndef test_other():\n    pass\n"
    (folder / "test_opening.py").write_text(tests, encoding="utf-8")
    first = run(folder, "-n", "1", "--opened-to", "opened.json", ci=True)
    refused(first)
    assert "1 failed, 2 passed, 1 xfailed, 1 error" in first.stdout
    assert "= 1 passed in" in run(folder, "-n", "1", "--opened-from", "opened.json", ci=True).stdout
