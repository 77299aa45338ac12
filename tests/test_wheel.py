"""The wheel is what a person installs: it must hold everything the packages need and start in a clean environment."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("server", "tools", "agent", "api", "prompts")
OFFLINE = ("Failed to fetch", "dns error", "error sending request", "network connectivity is disabled")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def uv() -> Path:
    """The uv that `./dev` found, or the one of this machine or checkout."""
    found = os.environ.get("ADWRIGHT_UV") or shutil.which("uv") or ROOT / ".dev" / "uv" / "bin" / "uv"
    if not Path(found).exists():
        pytest.skip("no uv on this machine; ./dev test brings its own")
    return Path(found)


def run(*command: str | Path, cwd: Path = ROOT) -> str:
    """Its standard output; skips where a registry is out of reach, fails with what the command said otherwise."""
    environment = {name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "PYTHONPATH"}}
    done = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, encoding="utf-8", timeout=300, check=False
    )
    if done.returncode and any(sign in done.stderr for sign in OFFLINE):
        pytest.skip(f"offline: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(uv: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(uv, "build", "--wheel", "--quiet", "--out-dir", folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(uv: Path, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts folder of a new virtual environment that holds the wheel and what uv.lock says it needs."""
    folder = tmp_path_factory.mktemp("installed")
    locked = run(uv, "export", "--frozen", "--quiet", "--no-dev", "--no-emit-project", "--no-hashes")
    (folder / "constraints.txt").write_text(locked, encoding="utf-8")
    run(uv, "venv", "--quiet", "--python", sys.executable, folder / "venv")
    python = folder / "venv" / "bin" / "python"
    run(uv, "pip", "install", "--quiet", "--python", python, "--constraint", folder / "constraints.txt", wheel)
    return python.parent


def test_the_wheel_holds_every_file_of_the_packages_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}

    ours = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert packed == ours


@pytest.mark.parametrize("kind", [".py", ".html", ".css", ".md", ".json"])
def test_the_wheel_holds_code_pages_prompts_and_snapshots(wheel: Path, kind: str) -> None:
    with zipfile.ZipFile(wheel) as archive:
        assert any(name.endswith(kind) for name in archive.namelist())


def test_the_wheel_carries_the_licence(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (licence,) = [name for name in archive.namelist() if name.endswith("/licenses/LICENSE")]
        assert archive.read(licence) == (ROOT / "LICENSE").read_bytes()


def test_an_installed_adwright_tells_its_version(installed: Path, wheel: Path, tmp_path: Path) -> None:
    version = wheel.name.split("-")[1]
    assert version in run(installed / "adwright", "--version", cwd=tmp_path)


def test_an_installed_adwright_tells_what_it_can_do(installed: Path, tmp_path: Path) -> None:
    described = run(installed / "adwright", "--help", cwd=tmp_path)
    assert all(verb in described for verb in ("demo", "serve", "mcp", "doctor"))


def test_an_installed_adwright_imports_its_own_packages(installed: Path, tmp_path: Path) -> None:
    imported = run(
        installed / "python", "-c", "import server.app, tools.catalog; print(server.app.__file__)", cwd=tmp_path
    )
    assert Path(imported.strip()).is_relative_to(installed.parent)
