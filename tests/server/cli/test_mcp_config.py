"""What MCP clients are given: a command that works from anywhere, and never a key."""

import json
import stat
import sys
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
    path.write_text('{"theme": "grün", "mcpServers": {"other": {"command": "x"}}}', encoding="utf-8")
    path.chmod(0o644)
    assert main(["mcp-config", "--client", "cursor", "--write", "--data", "here"]) == 0
    text = path.read_text(encoding="utf-8")
    found = json.loads(text)
    assert '"theme": "grün"' in text
    assert sorted(found["mcpServers"]) == ["adwright", "other"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_a_file_kept_elsewhere_is_written_where_it_is(home: Path) -> None:
    kept, path = home / "dotfiles" / "mcp.json", home / ".cursor/mcp.json"
    for each in (kept, path):
        each.parent.mkdir()
    kept.write_text("", encoding="utf-8")
    path.symlink_to(kept)
    assert main(["mcp-config", "--client", "cursor", "--write", "--data", "here"]) == 0
    assert path.is_symlink()
    assert list(json.loads(kept.read_text(encoding="utf-8"))["mcpServers"]) == ["adwright"]


@pytest.mark.parametrize(
    ("client", "path", "key", "type_"),
    [
        ("claude-code", ".mcp.json", "mcpServers", "stdio"),
        ("cursor", ".cursor/mcp.json", "mcpServers", None),
        ("vscode", ".vscode/mcp.json", "servers", "stdio"),
    ],
)
def test_each_client_finds_it_where_it_looks(home: Path, client: str, path: str, key: str, type_: str | None) -> None:
    assert main(["mcp-config", "--client", client, "--write", "--data", "here"]) == 0
    entry = json.loads((home / path).read_text(encoding="utf-8"))[key]["adwright"]
    assert entry.get("type") == type_


@pytest.mark.parametrize(
    ("platform", "path"),
    [
        ("darwin", "Library/Application Support/Claude/claude_desktop_config.json"),
        ("linux", ".config/Claude/claude_desktop_config.json"),
    ],
)
def test_claude_desktop_finds_it_where_it_looks(
    home: Path, platform: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    assert main(["mcp-config", "--client", "claude-desktop", "--write", "--data", "here"]) == 0
    assert "adwright" in json.loads((home / path).read_text(encoding="utf-8"))["mcpServers"]


@pytest.mark.parametrize("text", ["{", "[]", '{"mcpServers": []}'])
def test_a_file_that_is_not_understood_is_left_alone(home: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = home / ".cursor/mcp.json"
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    assert main(["mcp-config", "--client", "cursor", "--write"]) == 1
    assert path.read_text(encoding="utf-8") == text
    assert "is not a JSON object" in capsys.readouterr().err
