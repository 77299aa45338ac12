"""Scheduled reports, as the document spells them."""

from tests.promises import promise
from tests.tools.pixel.furnished import put, site
from tests.world import KEY, OWNER, STRANGER, World, renamed
from tools.authority import Scope
from tools.store.tables import reports


async def report(world: World, number: int, website: str, **more: object) -> None:
    row = {"cadence": "weekly", "recipients": ["ada@example.com", "#ads"], "created_at": number}
    await put(world, reports, {"id": f"rep_{number}", "website_id": website} | row | more)


async def test_a_strangers_reports_are_not_there(world: World) -> None:
    website = await site(world)
    await report(world, 1, website)

    assert (await world.call(STRANGER, "list_reports"))["items"] == []
    assert (await world.refusal(STRANGER, "list_reports", websiteId=website)).code == "not_found"


async def test_reading_takes_its_scope(world: World) -> None:
    blind = renamed(KEY, scopes=frozenset({Scope.ADS_READ, Scope.PIXEL_WRITE}))

    assert (await world.refusal(blind, "list_reports")).details["required"] == "pixel:read"


@promise("pixel.reports.list")
async def test_a_list_has_cadence_recipients_and_when_it_was_last_sent(world: World) -> None:
    website, other = await site(world), await site(world, "other.example.com")
    await report(world, 1, website, last_sent_at=86_400_000)
    await report(world, 2, other, cadence="daily")
    await report(world, 3, website, deleted_at=5)

    listed = (await world.call(KEY, "list_reports"))["items"]

    assert [row["id"] for row in listed] == ["rep_2", "rep_1"]
    assert "last_sent_at" not in listed[0]
    assert listed[1] == {
        "id": "rep_1",
        "websiteId": website,
        "cadence": "weekly",
        "recipients": ["ada@example.com", "#ads"],
        "created_at": "1970-01-01T00:00:00Z",
        "last_sent_at": "1970-01-02T00:00:00Z",
    }
    assert (await world.call(OWNER, "list_reports", websiteId=website))["items"] == listed[1:]


async def test_what_no_page_can_be_is_refused(world: World) -> None:
    for sent in ({"limit": 0}, {"limit": 1001}, {"cursor": "?"}, {"websiteId": "con_1"}, {"cadence": "daily"}):
        assert (await world.refusal(OWNER, "list_reports", **sent)).code == "invalid_arguments"
