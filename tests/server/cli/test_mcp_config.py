"""What MCP clients are given: a command that works from anywhere, and never a key."""

import json
from pathlib import Path

import pytest

from server.cli.main import main
from server.cli.parser import CLIENTS


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ADWRIGHT_API_KEY", "adw_live_secret")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("client", CLIENTS)
def test_the_entry_starts_the_bridge_on_this_directory(client: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mcp-config", "--client", client, "--data", "here", "--json"]) == 0
    shown = capsys.readouterr()
    found = json.loads(shown.out)
    entry = found["servers" if client == "vscode" else "mcpServers"]["adwright"]
    assert Path(entry["command"]).is_absolute()
    assert entry["args"] == ["mcp", "--data", str(Path("here").absolute())]
    assert "adw_live" not in shown.out + shown.err


def test_writing_leaves_what_else_is_configured(home: Path) -> None:
    path = home / ".cursor/mcp.json"
    path.parent.mkdir()
    path.write_text('{"theme": "dark", "mcpServers": {"other": {"command": "x"}}}', encoding="utf-8")
    assert main(["mcp-config", "--client", "cursor", "--write", "--data", "here"]) == 0
    found = json.loads(path.read_text(encoding="utf-8"))
    assert found["theme"] == "dark"
    assert sorted(found["mcpServers"]) == ["adwright", "other"]


@pytest.mark.parametrize("text", ["{", "[]", '{"mcpServers": []}'])
def test_a_file_that_is_not_understood_is_left_alone(home: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = home / ".cursor/mcp.json"
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    assert main(["mcp-config", "--client", "cursor", "--write"]) == 1
    assert path.read_text(encoding="utf-8") == text
    assert "is not a JSON object" in capsys.readouterr().err
