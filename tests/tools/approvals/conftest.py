"""A proposal to decide about."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.world import AGENT, World
from tools.authority import Principal

Propose = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
def propose(world: World) -> Propose:
    """Propose a change of a steady campaign of 40 dollars a day: `await propose(daily_budget=44)`."""

    async def made(asker: Principal = AGENT, **change: Any) -> dict[str, Any]:
        campaign = (await world.campaign(currency="USD", objective="leads"))["campaign_id"]
        approval = await world.propose(
            asker, "update_campaign", campaign_id=campaign, **(change or {"daily_budget": 44})
        )
        world.clock.pass_by(seconds=1)
        return approval

    return made
