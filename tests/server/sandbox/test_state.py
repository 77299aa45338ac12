"""What the sandbox was told survives its process, and a damaged file is named."""

from pathlib import Path

import pytest

from server.sandbox.state import StateFile, write_private


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    StateFile(path).save({"a": [1]})

    assert StateFile(path).load() == {"a": [1]}
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_without_a_path_nothing_is_kept() -> None:
    state = StateFile(None)
    state.save({"a": 1})

    assert state.load() == {}


def test_a_damaged_file_is_named_with_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    write_private(path, b"{")

    with pytest.raises(SystemExit, match="delete it to start afresh"):
        StateFile(path).load()
