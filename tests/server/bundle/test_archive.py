"""The bundle is what Claude Desktop takes, holds no secret, and runs on a bare Python."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from server.bundle.archive import CARRIED, manifest, write_bundle
from server.cli.main import main
from tools.catalog import catalog
from tools.finding import shown
from tools.surfaces import mcp_tools, offered

INSTALLED = Path(os.environ.get("ADWRIGHT_TEST_CONFORMANCE") or Path(__file__).parents[3] / ".dev" / "node")
NODE = INSTALLED / "node_modules" / "node" / "bin" / "node"
JUDGE = INSTALLED / "node_modules" / "@anthropic-ai" / "mcpb" / "dist" / "cli" / "cli.js"


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    path = tmp_path / "adwright.mcpb"
    write_bundle(path, command="/opt/adwright/bin/adwright", data=Path.home() / "ads")
    return path


@pytest.fixture
def unpacked(bundle: Path, tmp_path: Path) -> Path:
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(tmp_path / "unpacked")
    return tmp_path / "unpacked"


@pytest.mark.slow
def test_the_official_validator_takes_it(bundle: Path, unpacked: Path, tmp_path: Path) -> None:
    if not (NODE.exists() and JUDGE.exists()):
        pytest.skip(f"no mcpb in {INSTALLED}; .ci/run says how it is installed")

    judged = [
        subprocess.run([NODE, JUDGE, *asked], capture_output=True, encoding="utf-8", timeout=60, check=False)
        for asked in (("validate", unpacked / "manifest.json"), ("unpack", bundle, tmp_path / "by the judge"))
    ]

    assert [each.returncode for each in judged] == [0, 0], [each.stdout + each.stderr for each in judged]
    assert "Manifest schema validation passes!" in judged[0].stdout
    assert "Icon validation passed" in judged[0].stdout
    assert (tmp_path / "by the judge" / "start.py").read_bytes() == (unpacked / "start.py").read_bytes()


def test_its_tools_are_the_registrys(unpacked: Path) -> None:
    told = json.loads((unpacked / "manifest.json").read_text(encoding="utf-8"))["tools"]

    assert {tool["name"]: tool["description"] for tool in told} == {
        each.name: each.description for each in shown(offered(mcp_tools(catalog)))
    }


def test_what_it_is_told_by_its_user_reaches_the_bridge() -> None:
    told: dict[str, Any] = manifest("/opt/adwright/bin/adwright", Path.home() / "ads")

    assert told["server"]["mcp_config"]["env"] == {
        "ADWRIGHT_DATA": "${user_config.data}",
        "ADWRIGHT_URL": "${user_config.url}",
        "ADWRIGHT_API_KEY": "${user_config.api_key}",
        "ADWRIGHT_COMMAND": "/opt/adwright/bin/adwright",
    }
    assert told["user_config"]["data"]["default"] == "${HOME}/ads"
    assert told["user_config"]["api_key"]["sensitive"] is True
    assert not any(setting["required"] for setting in told["user_config"].values())


def test_a_directory_outside_of_the_home_is_named_whole() -> None:
    assert manifest("adwright", Path("/srv/ads"))["user_config"]["data"]["default"] == "/srv/ads"


def test_the_same_adwright_makes_the_same_bytes(bundle: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.mcpb"

    write_bundle(again, command="/opt/adwright/bin/adwright", data=Path.home() / "ads")

    assert again.read_bytes() == bundle.read_bytes()


def test_it_carries_what_the_bridge_imports_and_nothing_else(unpacked: Path) -> None:
    program = """
import json, sys
sys.path.insert(0, sys.argv[1])
import start
print(json.dumps([[name, getattr(module, "__file__", None)] for name, module in sys.modules.items()]))
"""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program, str(unpacked)],
        capture_output=True, encoding="utf-8", timeout=60, check=True,
    )  # fmt: skip
    found = {name: Path(file) for name, file in json.loads(done.stdout) if file}

    carried = {path.relative_to(unpacked).as_posix() for path in found.values() if path.is_relative_to(unpacked)}
    assert carried == {*CARRIED, "start.py"}
    assert {name.partition(".")[0] for name in found} <= sys.stdlib_module_names | {"start", "server", "tools"}


def test_the_verb_writes_it_without_a_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ADWRIGHT_API_KEY", "adw_live_secret")
    monkeypatch.chdir(tmp_path)

    assert main(["mcpb", "--data", "here", "--json"]) == 0

    written = Path(json.loads(capsys.readouterr().out)["file"])
    with zipfile.ZipFile(written) as archive:
        content = b"".join(archive.read(name) for name in archive.namelist())
        told = json.loads(archive.read("manifest.json"))
    assert written.parent == tmp_path
    assert b"adw_live_secret" not in content
    assert Path(told["server"]["mcp_config"]["env"]["ADWRIGHT_COMMAND"]).is_absolute()


def test_where_it_cannot_be_written_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mcpb", "--output", str(tmp_path / "missing" / "a.mcpb")]) == 1
    assert "--output FILE" in capsys.readouterr().err
