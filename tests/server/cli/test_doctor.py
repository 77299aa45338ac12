"""What `adwright doctor` finds out about the model and about the analytics store, by asking them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import httpx2
import pytest

from server.cli import doctor_model
from server.cli.doctor import _analytics, _checked
from server.cli.doctor_probe import Problem, Warned
from server.process.environment import remember
from server.sandbox.app import create_app
from tests.app import _served_new
from tests.server.analytics.upstream import ADMIN, upstream

Pointed = Mapping[str, str]
Examined = Callable[[Path], str]

PRICE = "input = 2\noutput = 10\nwrite_5m = 2.5\nwrite_1h = 4\nread = 0.1\n"
OLD = "as_of = 2020-01-01\n" + "".join(
    f"[[models.{model}]]\n{PRICE}" for model in ("claude-sonnet-5-5", "claude-haiku-5-5")
)


@pytest.fixture
async def pointed(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Pointed]:
    """Settings that fit the sandbox."""
    for name in ("API_KEY", "BASE_URL", "MODEL", "EFFORT", "TITLE_MODEL", "PRICES"):
        monkeypatch.delenv(f"ANTHROPIC_{name}", raising=False)
    async with _served_new(create_app()) as url, httpx2.AsyncClient() as client:
        known = (await client.get(f"{url}/")).json()["anthropic"]
        yield {"ANTHROPIC_BASE_URL": known["url"], "ANTHROPIC_API_KEY": known["api_key"]}


async def examined(directory: Path, settings: Mapping[str, str], of: Examined = doctor_model.model) -> str:
    remember(directory, settings)
    return await asyncio.to_thread(of, directory)


async def test_the_model_is_named_as_its_api_names_it_and_a_scripted_one_says_so(
    tmp_path: Path, pointed: Pointed
) -> None:
    told = await examined(tmp_path, pointed)

    assert told.startswith("Scripted demo model")
    assert "answers as claude-sonnet-5-5; it holds 1,000,000 tokens" in told


async def test_the_model_of_the_titles_is_named_or_off(tmp_path: Path, pointed: Pointed) -> None:
    assert "Haiku" in await examined(tmp_path, pointed, doctor_model.titles)
    assert "first words" in await examined(tmp_path, {**pointed, "ANTHROPIC_TITLE_MODEL": "off"}, doctor_model.titles)
    with pytest.raises(Problem) as problem:
        await examined(tmp_path, {**pointed, "ANTHROPIC_TITLE_MODEL": "claude-nobody"}, doctor_model.titles)

    assert "ANTHROPIC_TITLE_MODEL" in problem.value.fix


@pytest.mark.parametrize(
    ("model", "told"), [("claude-haiku-4-5", "think adaptively"), ("claude-sonnet-4-5", "retired on 2026-11-30")]
)
async def test_a_model_that_can_less_than_the_chat_asks_is_a_warning(
    tmp_path: Path, pointed: Pointed, model: str, told: str
) -> None:
    with pytest.raises(Warned, match=told) as warned:
        await examined(tmp_path, {**pointed, "ANTHROPIC_MODEL": model})

    assert "ANTHROPIC_MODEL" in warned.value.fix


def test_an_effort_that_the_model_does_not_take_is_a_problem() -> None:
    able = {"effort": {"supported": True, "max": {"supported": False}}, "thinking": {"supported": True}}

    with pytest.raises(Problem, match="no effort max"):
        doctor_model._require_able(
            doctor_model.Chat("key", "http://x", "claude-x", "max", "", "", False), {"capabilities": able}
        )


async def test_the_prices_of_the_defaults_are_known_and_an_old_table_is_a_warning(
    tmp_path: Path, pointed: Pointed
) -> None:
    assert "as of" in await examined(tmp_path, pointed, doctor_model.prices)
    (old := tmp_path / "prices.toml").write_text(OLD, encoding="utf-8")

    with pytest.raises(Warned, match="days old"):
        await examined(tmp_path, {**pointed, "ANTHROPIC_PRICES": str(old)}, doctor_model.prices)


async def test_a_model_without_a_price_is_a_warning_that_names_it(tmp_path: Path, pointed: Pointed) -> None:
    settings = {**pointed, "ANTHROPIC_MODEL": "claude-opus-4-8"}

    with pytest.raises(Warned, match="no price of claude-opus-4-8"):
        await examined(tmp_path, settings, doctor_model.prices)


def test_a_warning_leaves_the_whole_well_and_a_problem_does_not() -> None:
    def warned() -> str:
        raise Warned("It is old.", "Renew it.")

    def broken() -> str:
        raise Problem("It is broken.", "Mend it.")

    assert _checked("prices", warned).wire() == {
        "name": "prices", "ok": True, "message": "It is old.", "fix": "Renew it.",
    }  # fmt: skip
    assert _checked("model", broken).ok is False


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
