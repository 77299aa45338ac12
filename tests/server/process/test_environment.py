"""Where commands work, and how the files that say so are read and written."""

from pathlib import Path

import pytest

from server.process.environment import data_directory, read_file, remember, remote, settings_file, variables
from tools.errors import InvalidRequest


@pytest.fixture(autouse=True)
def clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ADWRIGHT_DATA", "ADWRIGHT_URL", "ADWRIGHT_API_KEY", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


def test_the_data_directory_is_named_or_the_users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert data_directory() == tmp_path / "home/.local/share/adwright"
    monkeypatch.setenv("XDG_DATA_HOME", "relative/is/ignored")
    assert data_directory() == tmp_path / "home/.local/share/adwright"
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))
    assert data_directory() == tmp_path / "xdg/adwright"
    (tmp_path / ".env").write_text("ADWRIGHT_DATA=from-dot-env\n")
    assert data_directory() == tmp_path / "from-dot-env"
    monkeypatch.setenv("ADWRIGHT_DATA", "~/mine")
    assert data_directory() == tmp_path / "home/mine"
    assert data_directory("given") == tmp_path / "given"


def test_a_file_is_read_as_a_shell_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "settings.env"
    path.write_text("# comment\n\nexport A=1\nB='two words' # why\nC=\"x=y\"\nD=\nE=https://h/#f\n", encoding="utf-8")
    assert read_file(path) == {"A": "1", "B": "two words", "C": "x=y", "D": "", "E": "https://h/#f"}
    assert read_file(tmp_path / "none") == {}


@pytest.mark.parametrize("text", ["just words\n", "1A=x\n", "A='open\n"])
def test_a_line_that_sets_nothing_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "settings.env"
    path.write_text("OK=1\n" + text, encoding="utf-8")
    with pytest.raises(InvalidRequest, match=r"settings\.env line 2 is not NAME=value"):
        read_file(path)


def test_what_is_remembered_replaces_itself_and_nothing_else(tmp_path: Path) -> None:
    settings_file(tmp_path).write_text("# mine\nexport A=1\nB=2\n", encoding="utf-8")
    remember(tmp_path, {"A": "one more", "C": "3"})
    assert settings_file(tmp_path).read_text(encoding="utf-8") == "# mine\nB=2\nA='one more'\nC=3\n"
    assert read_file(settings_file(tmp_path)) == {"A": "one more", "B": "2", "C": "3"}
    assert settings_file(tmp_path).stat().st_mode & 0o777 == 0o600


def test_another_server_needs_an_address_and_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert remote(tmp_path) is None
    monkeypatch.setenv("ADWRIGHT_URL", "https://ads.example.com/")
    with pytest.raises(InvalidRequest, match="ADWRIGHT_API_KEY is not"):
        remote(tmp_path)
    monkeypatch.setenv("ADWRIGHT_API_KEY", "adw_live_x")
    assert remote(tmp_path) == ("https://ads.example.com", "adw_live_x")
    monkeypatch.setenv("ADWRIGHT_URL", "ads.example.com")
    with pytest.raises(InvalidRequest, match="not a web address"):
        remote(tmp_path)


def test_an_mcp_clients_project_says_nothing_about_our_server(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "ADWRIGHT_URL=https://elsewhere.example\nADWRIGHT_API_KEY=adw_live_x\nnot a setting\n", encoding="utf-8"
    )
    data = tmp_path / "data"

    assert remote(data, beside=False) is None
    assert variables(data, beside=False).get("ADWRIGHT_URL") is None
    with pytest.raises(InvalidRequest, match="line 3"):
        remote(data)
