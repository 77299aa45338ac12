"""Alert rules, as the document spells them."""

from tests.promises import promise
from tests.tools.pixel.furnished import put, site
from tests.world import KEY, OWNER, STRANGER, World, renamed
from tools.authority import Scope
from tools.store.tables import alerts


async def rule(world: World, number: int, website: str, **more: object) -> None:
    row = {"metric": "visitors", "threshold": "< 50 % of the week before", "channel": "email", "created_at": number}
    await put(world, alerts, {"id": f"alr_{number}", "website_id": website} | row | more)


async def test_a_strangers_rules_are_not_there(world: World) -> None:
    website = await site(world)
    await rule(world, 1, website)

    assert (await world.call(STRANGER, "list_alerts"))["items"] == []
    assert (await world.refusal(STRANGER, "list_alerts", websiteId=website)).code == "not_found"


async def test_reading_takes_its_scope(world: World) -> None:
    blind = renamed(KEY, scopes=frozenset({Scope.ADS_READ, Scope.PIXEL_WRITE}))

    assert (await world.refusal(blind, "list_alerts")).details["required"] == "pixel:read"


@promise("pixel.alerts.list")
async def test_a_list_has_metric_threshold_and_channel_newest_first(world: World) -> None:
    website, other = await site(world), await site(world, "other.example.com")
    await rule(world, 1, website)
    await rule(world, 2, other, channel="slack")
    await rule(world, 3, website, deleted_at=5)

    listed = (await world.call(KEY, "list_alerts"))["items"]

    assert [row["id"] for row in listed] == ["alr_2", "alr_1"]
    assert listed[1] == {
        "id": "alr_1",
        "websiteId": website,
        "metric": "visitors",
        "threshold": "< 50 % of the week before",
        "channel": "email",
        "created_at": "1970-01-01T00:00:00Z",
    }
    assert (await world.call(OWNER, "list_alerts", websiteId=other))["items"] == listed[:1]


async def test_what_no_page_can_be_is_refused(world: World) -> None:
    for sent in ({"limit": 0}, {"limit": 1001}, {"cursor": "?"}, {"websiteId": "con_1"}, {"metric": "visitors"}):
        assert (await world.refusal(OWNER, "list_alerts", **sent)).code == "invalid_arguments"
