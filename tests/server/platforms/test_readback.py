"""Campaigns read back, compared with what was sent."""

from dataclasses import replace
from decimal import Decimal

import pytest

from server.platforms.readback import has_values, observed
from tools.fields import Status
from tools.plan import Operation
from tools.ports import CampaignState, Observation

CAMPAIGN = CampaignState(
    account_id="1",
    campaign_id="7",
    name="C",
    status=Status.PAUSED,
    platform_status="PAUSED",
    objective=None,
    platform_objective="SEARCH",
    daily_budget=Decimal("10.01"),
    currency="USD",
)


def test_values_are_compared_exactly() -> None:
    assert has_values(CAMPAIGN, {"daily_budget": 10.01, "status": "PAUSED", "name": "C"})
    assert has_values(CAMPAIGN, {"name": "C "}), "a platform may have trimmed it"
    assert not has_values(CAMPAIGN, {"name": "c"})
    assert not has_values(CAMPAIGN, {"daily_budget": 10.02})
    assert not has_values(CAMPAIGN, {"daily_budget": None})
    assert not has_values(CAMPAIGN, {"colour": None}), "what cannot be compared is not the same"


@pytest.mark.parametrize(
    ("sent", "before", "seen"),
    [
        ("C", "B", Observation.APPLIED),
        ("D", "C", Observation.NOT_APPLIED),
        ("D", "B", Observation.UNCLEAR),
    ],
)
def test_an_update_was_made_or_not_or_someone_else_was_there(sent: str, before: str, seen: Observation) -> None:
    rename = Operation(kind="update_campaign", campaign_id="7", fields={"name": sent}, before={"name": before})
    assert observed(CAMPAIGN, rename).observation is seen


@pytest.mark.parametrize(
    ("status", "seen"),
    [
        (Status.ARCHIVED, Observation.APPLIED),
        (Status.PAUSED, Observation.NOT_APPLIED),
        (Status.UNKNOWN, Observation.UNCLEAR),
    ],
)
def test_an_archiving_is_seen_by_the_status(status: Status, seen: Observation) -> None:
    archive = Operation(kind="archive_campaign", campaign_id="7", fields={"status": "ARCHIVED"})
    assert observed(replace(CAMPAIGN, status=status), archive).observation is seen
