"""A campaign of a list and a campaign alone are spelled alike."""

import datetime as dt
from decimal import Decimal

import pytest

from tests.world import VIEWER, World
from tools.campaigns.model import row, shown
from tools.fields import Objective, Status
from tools.ports import CampaignState
from tools.targets import targets

BARE = CampaignState(
    account_id="1", campaign_id="2", name="Été \"1\" \u2028", status=Status.UNKNOWN, platform_status="NEW",
    objective=None, platform_objective="", daily_budget=None, currency="EUR",
)  # fmt: skip
FULL = CampaignState(
    account_id="1", campaign_id="2", name="Sale", status=Status.ACTIVE, platform_status="ELIGIBLE",
    objective=Objective.LEADS, platform_objective="SEARCH", daily_budget=Decimal("12.34"), currency="EUR",
    start_date=dt.date(2026, 1, 2), budget_shared=True,
)  # fmt: skip


@pytest.mark.parametrize("state", [BARE, FULL])
async def test_a_row_of_a_list_is_the_json_of_the_campaign(world: World, state: CampaignState) -> None:
    target = (await targets(world.context(VIEWER)))[0]

    assert row(target, state) == shown(target, state).wire_json()
