"""Waiting for the store that an owner keeps beside it."""

import json
from pathlib import Path

import pytest

from server.process.stored import announced
from tests.server.analytics.upstream import upstream


async def test_where_there_shall_be_none_nobody_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADWRIGHT_ANALYTICS", "off")

    assert await announced(tmp_path) == {}


async def test_one_that_does_not_come_is_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADWRIGHT_ANALYTICS", "on")
    left_behind = {"url": "http://127.0.0.1:9", "admin_token": "p.x"}
    (tmp_path / "analytics.json").write_text(json.dumps(left_behind), encoding="utf-8")

    assert await announced(tmp_path, seconds=0.2) == {}


async def test_it_is_told_once_it_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADWRIGHT_ANALYTICS", "on")
    async with upstream() as store:
        (tmp_path / "analytics.json").write_text(json.dumps({"url": store.url, "admin_token": "p.x"}), encoding="utf-8")

        assert await announced(tmp_path) == {"analytics_url": store.url, "analytics_token": "p.x"}
