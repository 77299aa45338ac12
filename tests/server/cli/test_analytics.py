"""`adwright analytics push` and `verify`: what they say, and what they answer a script."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from server.analytics.tinybird import RECORD
from server.cli.main import main
from tests.server.analytics.upstream import ADMIN, Upstream, upstream


@pytest.fixture
async def store() -> AsyncIterator[Upstream]:
    async with upstream() as seen:
        yield seen


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("TINYBIRD_HOST", raising=False)
    monkeypatch.delenv("TINYBIRD_ADMIN_TOKEN", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "p_a.pipe").write_text("NODE n\nSQL >\n    SELECT 1\n", encoding="utf-8")
    return tmp_path / "project"


async def adwright(action: str, project: Path, *more: str) -> int:
    arguments = ["analytics", action, "--project", str(project), "--data", str(project.parent / "data"), *more]
    return await asyncio.to_thread(main, arguments)


async def test_a_push_without_a_tinybird_says_what_to_set(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert await adwright("push", project) == 1

    assert "TINYBIRD_HOST" in capsys.readouterr().err
    assert not (project / RECORD).exists()


async def test_what_was_pushed_is_verified_until_it_changes(
    project: Path, store: Upstream, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def verified() -> tuple[int, dict[str, Any]]:
        status = await adwright("verify", project, "--json")
        return status, json.loads(capsys.readouterr().out)

    assert await verified() == (1, {"pushed": False, "same": False})

    monkeypatch.setenv("TINYBIRD_HOST", store.url)
    monkeypatch.setenv("TINYBIRD_ADMIN_TOKEN", ADMIN)
    store.answer({"result": "no_changes"})
    assert await adwright("push", project) == 0
    assert "1 datafiles: no changes" in capsys.readouterr().out

    store.answer({"pipes": [{"name": "p_a"}]})
    store.answer({"datasources": []})
    told = {"pushed": True, "same": True, "changed": [], "new": [], "removed": [], "missing": []}
    assert await verified() == (0, told)

    store.answer({"pipes": []})
    store.answer({"datasources": []})
    assert await verified() == (1, told | {"same": False, "missing": ["p_a.pipe"]})

    monkeypatch.delenv("TINYBIRD_HOST")
    (project / "p_a.pipe").write_text("NODE other\n", encoding="utf-8")
    assert await adwright("verify", project) == 1
    assert capsys.readouterr().out == "changed  p_a.pipe\n"


async def test_an_unknown_action_is_a_usage_error(project: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        await adwright("pull", project)

    assert ended.value.code == 2
