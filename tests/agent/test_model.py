"""What is known of the model: its name for people, and what it takes, without anybody waiting for it long."""

import asyncio
import dataclasses

from tests.agent.talk import Talk


async def test_people_are_told_the_name_that_the_api_gives_the_model(talk: Talk) -> None:
    assert await talk.runner.answers() == "Scripted demo model (in place of Claude Sonnet 5.5)"


async def test_without_a_key_nobody_answers(talk: Talk) -> None:
    talk.settings = dataclasses.replace(talk.settings, api_key=None)
    await talk.restart()

    assert await talk.runner.answers() is None


async def test_out_of_reach_the_model_is_called_by_its_id(talk: Talk) -> None:
    talk.settings = dataclasses.replace(talk.settings, base_url="http://127.0.0.1:9")
    await talk.restart()

    assert await talk.runner.answers() == "claude-sonnet-5-5"
    assert (await talk.runner._model.about("claude-sonnet-5-5")).adaptive is True


async def test_its_name_is_asked_for_once(talk: Talk) -> None:
    await asyncio.gather(*(talk.runner.answers() for _ in range(5)))
    await talk.ask("Hello?")

    seen = (await talk.http.get("/requests")).json()
    assert len([each for each in seen if "/models/" in each["path"]]) == 1
