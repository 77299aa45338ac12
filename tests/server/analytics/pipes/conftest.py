"""What pandas knows of the past, and the store that was copied to a rollup before the last weeks."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
import pytest

from server.analytics.deployment import Deployed
from server.analytics.engine import Format
from tests.server.analytics.conftest import STATES
from tests.server.analytics.pipes.asked import Asked, reference
from tests.server.analytics.pipes.history import History

Ask = Callable[[Mapping[str, str]], Asked]
Answer = Callable[..., Awaitable[list[dict[str, Any]]]]


@pytest.fixture(scope="session")
def asked(told: History) -> Ask:
    return reference(told)


@pytest.fixture(scope="session")
def site(shops: Mapping[str, Deployed]) -> Deployed:
    return shops[STATES[2]]


@pytest.fixture
def answer(shops: Mapping[str, Deployed]) -> Answer:
    async def answer(pipe: str, values: Mapping[str, str], state: str = STATES[2]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = orjson.loads(await shops[state].query(pipe, values, output=Format.JSON))["data"]
        return found

    return answer
