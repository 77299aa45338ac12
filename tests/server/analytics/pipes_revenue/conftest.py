"""What pandas knows of the past, and every store's answers."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
import pytest

from server.analytics.deployment import Deployed
from server.analytics.engine import Format
from tests.server.analytics.pipes.asked import Asked, reference
from tests.server.analytics.pipes.history import History

Answer = Callable[[str, str, Mapping[str, str]], Awaitable[list[dict[str, Any]]]]
Books = Callable[[Mapping[str, str]], Asked]


@pytest.fixture(scope="session")
def books(told: History) -> Books:
    return reference(told)


@pytest.fixture
def answer(shops: Mapping[str, Deployed]) -> Answer:
    async def answer(state: str, pipe: str, values: Mapping[str, str]) -> list[dict[str, Any]]:
        body = await shops[state].query(pipe, values, output=Format.JSON)
        found: list[dict[str, Any]] = orjson.loads(body)["data"]
        return found

    return answer
