"""Generated files are what the code says, and the check notices when they are not."""

from pathlib import Path

import pytest

from server.cli import generate
from server.settings import Settings


def test_every_setting_is_documented() -> None:
    text = generate.env_example()
    for name, field in Settings.model_fields.items():
        assert field.description
        assert name == "data_dir" or f"# {name.upper()}=" in text


def test_the_check_fails_where_a_file_is_stale_and_writing_mends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    monkeypatch.setattr(generate, "FILES", {"docs/cli.md": generate.cli_reference})
    assert generate.main(["--check"]) == 1
    assert "docs/cli.md is stale" in capsys.readouterr().err
    assert not (tmp_path / "docs").exists()
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0
    (tmp_path / "docs/cli.md").write_text("edited by hand", encoding="utf-8")
    assert generate.main(["--check"]) == 1
