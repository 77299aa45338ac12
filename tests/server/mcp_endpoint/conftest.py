"""The kit for a test, open in one task from start to end, as the SDK's task groups want it.

Parametrised indirectly, its parameter is how many seconds a call waits for a decision.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.server.mcp_endpoint.kit import Kit, kit_in
from tests.server.mcp_endpoint.serving import served


@pytest.fixture
async def kit(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Kit]:
    ready: asyncio.Future[Kit] = asyncio.get_running_loop().create_future()
    over = asyncio.Event()

    async def hold() -> None:
        try:
            async with kit_in(tmp_path, elicitation_wait_seconds=getattr(request, "param", 5)) as kit:
                ready.set_result(kit)
                await over.wait()
        except Exception as error:
            if ready.done():
                raise
            ready.set_exception(error)

    holding = asyncio.create_task(hold())
    yield await ready
    over.set()
    await holding


@pytest.fixture
async def url(kit: Kit) -> AsyncIterator[str]:
    async with served(kit.endpoint) as url:
        yield f"{url}/mcp"
