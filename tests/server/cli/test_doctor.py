"""What `adwright doctor` finds out about the model, asking the sandbox's Messages API."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import httpx2
import pytest

from server.cli.doctor import Problem, _model
from server.process.environment import remember
from server.sandbox.app import create_app
from tests.app import _served_new

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
