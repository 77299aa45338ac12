"""What `adwright doctor` finds out about the model and about the analytics store, by asking them."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import httpx2
import pytest

from server.cli.doctor import Problem, _analytics, _model
from server.process.environment import remember
from server.sandbox.app import create_app
from tests.app import _served_new
from tests.server.analytics.upstream import ADMIN, upstream

Pointed = Mapping[str, str]


@pytest.fixture
async def pointed(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Pointed]:
    """Settings that fit the sandbox."""
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "ANTHROPIC_MODEL"):
        monkeypatch.delenv(name, raising=False)
    async with _served_new(create_app()) as url, httpx2.AsyncClient() as client:
        known = (await client.get(f"{url}/")).json()["anthropic"]
        yield {"ANTHROPIC_BASE_URL": known["url"], "ANTHROPIC_API_KEY": known["api_key"]}


async def examined(directory: Path, settings: Mapping[str, str]) -> str:
    remember(directory, settings)
    return await asyncio.to_thread(_model, directory)


async def test_the_model_is_named_as_its_api_names_it(tmp_path: Path, pointed: Pointed) -> None:
    told = await examined(tmp_path, pointed)

    assert told.endswith("answers as claude-sonnet-5-5")
    assert "Scripted" in told


async def test_without_a_key_there_is_no_chat_and_that_is_no_fault(tmp_path: Path) -> None:
    assert "no chat" in await examined(tmp_path, {"ANTHROPIC_BASE_URL": "http://127.0.0.1:9"})


@pytest.mark.parametrize(
    ("wrong", "fix"),
    [
        ({"ANTHROPIC_API_KEY": "sk-ant-wrong"}, "ANTHROPIC_API_KEY"),
        ({"ANTHROPIC_MODEL": "claude-unheard-of"}, "ANTHROPIC_MODEL"),
        ({"ANTHROPIC_BASE_URL": "http://127.0.0.1:9"}, "ANTHROPIC_BASE_URL"),
    ],
)
async def test_each_wrong_setting_is_named(tmp_path: Path, pointed: Pointed, wrong: Pointed, fix: str) -> None:
    with pytest.raises(Problem) as problem:
        await examined(tmp_path, {**pointed, **wrong})

    assert fix in problem.value.fix


async def looked_after(directory: Path, settings: Mapping[str, str]) -> str:
    remember(directory, settings)
    return await asyncio.to_thread(_analytics, directory)


async def test_a_tinybird_that_answers_is_named_and_a_wrong_token_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ADWRIGHT_ANALYTICS")
    async with upstream() as store:
        settings = {"TINYBIRD_HOST": store.url, "TINYBIRD_ADMIN_TOKEN": ADMIN}
        assert await looked_after(tmp_path, settings) == f"{store.url} answers"
        assert store.asked[0].headers["authorization"] == f"Bearer {ADMIN}"

        store.answer({"error": "Invalid token"}, 403)
        with pytest.raises(Problem) as problem:
            await looked_after(tmp_path, settings)

    assert "TINYBIRD_ADMIN_TOKEN" in problem.value.fix


async def test_a_tinybird_out_of_reach_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ADWRIGHT_ANALYTICS")
    with pytest.raises(Problem) as problem:
        await looked_after(tmp_path, {"TINYBIRD_HOST": "http://127.0.0.1:9", "TINYBIRD_ADMIN_TOKEN": ADMIN})

    assert "TINYBIRD_HOST" in problem.value.fix


@pytest.mark.parametrize(("setting", "told"), [("off", "none"), ("on", "comes with the owner")])
async def test_without_an_owner_the_store_is_none_or_yet_to_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str, told: str
) -> None:
    monkeypatch.setenv("ADWRIGHT_ANALYTICS", setting)

    assert told in await looked_after(tmp_path, {})
