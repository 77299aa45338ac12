"""Websites: whose they are, how a domain is spelled, and what happens to what belongs to one that is deleted."""

import asyncio
import re
from typing import Any

import pytest

from tests.promises import promise
from tests.tools.pixel.furnished import put, site, stored
from tests.world import AGENT, DIRECT_KEY, KEY, OWNER, STRANGER, VIEWER, World, renamed
from tools.authority import Principal, Scope
from tools.errors import CapabilityError
from tools.store.tables import alerts, funnels, goals, reports, share_links, websites

CALLS: dict[str, dict[str, Any]] = {
    "list_websites": {},
    "create_website": {"domain": "example.org"},
    "update_website": {"name": "New"},
    "delete_website": {},
}
CHANGES = ("update_website", "delete_website")


async def _outcome(world: World, who: Principal, name: str, /, **arguments: Any) -> dict[str, Any] | CapabilityError:
    try:
        return await world.call(who, name, **arguments)
    except CapabilityError as error:
        return error


@pytest.mark.parametrize("name", CHANGES)
async def test_a_strangers_website_is_not_there(world: World, name: str) -> None:
    identifier = await site(world)

    error = await world.refusal(STRANGER, name, websiteId=identifier, **CALLS[name])

    assert (error.code, error.status) == ("not_found", 404)
    assert (await world.call(STRANGER, "list_websites"))["items"] == []
    assert [row["id"] for row in (await world.call(OWNER, "list_websites"))["items"]] == [identifier]


@promise("pixel.websites.scope", "pixel.scopes")
@pytest.mark.parametrize("name", CALLS)
async def test_each_takes_its_scope(world: World, name: str) -> None:
    """A viewer reads; who has no scope of the pixel is told which one is missing."""
    identifier = await site(world)
    sent = CALLS[name] | ({"websiteId": identifier} if name in CHANGES else {})
    needed = "pixel:read" if name == "list_websites" else "pixel:write"
    who = renamed(OWNER, scopes=frozenset(Scope) - {Scope(needed)})

    error = await world.refusal(who, name, **sent)

    assert (error.code, error.details["required"]) == ("insufficient_scope", needed)
    if name == "list_websites":
        assert len((await world.call(VIEWER, name))["items"]) == 1
    else:
        assert (await world.refusal(VIEWER, name, **sent)).code == "insufficient_scope"


@promise("pixel.websites.list")
async def test_a_list_has_what_the_document_promises_newest_first(world: World) -> None:
    first = await site(world, "example.com", name="Main site", time_zone="Europe/Berlin", currency="EUR")
    world.clock.pass_by(seconds=1)
    second = await site(world, "example.net")
    world.clock.pass_by(seconds=1)
    await world.call(OWNER, "delete_website", websiteId=await site(world, "gone.example.com"))

    listed = (await world.call(KEY, "list_websites"))["items"]

    assert [row["id"] for row in listed] == [second, first]
    assert re.fullmatch(r"admx_[0-9a-f]{24}", first)
    assert listed[1] == {
        "id": first,
        "domain": "example.com",
        "name": "Main site",
        "createdAt": "2026-11-20T12:00:00Z",
        "time_zone": "Europe/Berlin",
        "currency": "EUR",
        "allow_localhost": False,
    }
    assert (listed[0]["name"], listed[0]["time_zone"], listed[0]["currency"]) == ("example.net", "UTC", "USD")


@promise("pixel.websites.cap")
async def test_a_list_has_at_most_a_thousand_rows_and_the_rest_on_the_next_page(world: World) -> None:
    same = {"name": "n", "time_zone": "UTC", "currency": "USD", "settings": {}, "created_at": 5}
    await put(world, websites, *({"id": f"admx_{n:04}", "domain": f"s{n}.example.com"} | same for n in range(1001)))

    page = await world.call(OWNER, "list_websites")
    rest = await world.call(OWNER, "list_websites", cursor=page["next_cursor"])
    error = await world.refusal(OWNER, "list_websites", limit=1001)

    assert (len(page["items"]), len(rest["items"]), "next_cursor" in rest) == (1000, 1, False)
    assert len({website["id"] for website in page["items"] + rest["items"]}) == 1001
    assert error.code == "invalid_arguments"


@pytest.mark.parametrize("who", [AGENT, KEY], ids=lambda who: who.via)
async def test_a_person_agrees_before_a_website_is_counted_changed_or_deleted(world: World, who: Principal) -> None:
    approval = await world.propose(who, "create_website", domain="WWW.Example.com", allow_localhost=True)

    assert approval["plan"]["summary"] == "Count the visitors of example.com"
    assert {"target": "new website example.com", "field": "domain", "before": None, "after": "example.com"} in (
        approval["plan"]["changes"]
    )
    assert approval["plan"]["reversible"] is True
    assert await stored(world, websites) == []

    made = (await world.call(OWNER, "approve", approval_id=approval["id"]))["result"]
    renaming = await world.propose(who, "update_website", websiteId=made["id"], name="Shop")
    assert renaming["plan"]["changes"] == [
        {"target": made["id"], "field": "name", "before": "example.com", "after": "Shop"}
    ]
    changed = (await world.call(OWNER, "approve", approval_id=renaming["id"]))["result"]
    assert changed == made | {"name": "Shop"}

    deletion = await world.propose(who, "delete_website", websiteId=made["id"])
    assert deletion["plan"]["reversible"] is False
    assert (await world.call(OWNER, "approve", approval_id=deletion["id"]))["result"] == {
        "id": made["id"], "status": "deleted",
    }  # fmt: skip
    assert (await world.call(OWNER, "list_websites"))["items"] == []


async def test_a_proposal_is_stale_once_the_website_is_another(world: World) -> None:
    identifier = await site(world)
    approval = await world.propose(AGENT, "update_website", websiteId=identifier, name="Agent's")
    await world.call(OWNER, "update_website", websiteId=identifier, name="Person's")

    error = await world.refusal(OWNER, "approve", approval_id=approval["id"])

    assert error.code == "stale_plan"
    assert (await world.call(OWNER, "list_websites"))["items"][0]["name"] == "Person's"


async def test_a_change_keeps_what_was_not_sent_and_warns_of_what_follows(world: World) -> None:
    identifier = await site(world, "example.com", time_zone="Asia/Tokyo", allow_localhost=True)
    approval = await world.propose(AGENT, "update_website", websiteId=identifier, domain="example.net", currency="JPY")

    changed = await world.call(
        DIRECT_KEY, "update_website", websiteId=identifier, domain="example.net", currency="JPY", name="example.com"
    )

    assert len(approval["plan"]["warnings"]) == 2
    assert (changed["domain"], changed["currency"], changed["name"]) == ("example.net", "JPY", "example.com")
    assert (changed["time_zone"], changed["allow_localhost"]) == ("Asia/Tokyo", True)
    assert (await world.call(OWNER, "list_websites"))["items"] == [changed]
    off = await world.call(OWNER, "update_website", websiteId=identifier, allow_localhost=False)
    assert off == changed | {"allow_localhost": False}
    assert (await world.refusal(OWNER, "update_website", websiteId=identifier, currency="JPY")).code == "conflict"


async def test_a_domain_is_counted_once_in_a_workspace(world: World) -> None:
    identifier = await site(world, "example.com")
    other = await site(world, "example.net")

    again = await world.refusal(OWNER, "create_website", domain="www.EXAMPLE.com")
    moved = await world.refusal(OWNER, "update_website", websiteId=other, domain="example.com")

    assert (again.code, again.details["websiteId"]) == ("conflict", identifier)
    assert moved.code == "conflict"
    assert (await world.call(STRANGER, "create_website", domain="example.com"))["domain"] == "example.com"
    await world.call(OWNER, "delete_website", websiteId=identifier)
    assert await site(world, "example.com") != identifier


async def test_of_two_who_add_a_domain_in_the_same_instant_one_is_told_of_the_other(world: World) -> None:
    both = await asyncio.gather(*(_outcome(world, OWNER, "create_website", domain="example.com") for _ in range(2)))

    (kept,) = [each for each in both if isinstance(each, dict)]
    (clash,) = [each for each in both if isinstance(each, CapabilityError)]
    assert (clash.code, clash.details["websiteId"]) == ("conflict", kept["id"])
    assert [row["id"] for row in await stored(world, websites)] == [kept["id"]]
    told = [row["status"] for row in await world.audit_rows() if row["action"] == "create_website"]
    assert sorted(told) == ["conflict", "ok"]


async def test_of_two_who_agree_to_one_domain_in_the_same_instant_one_sees_that_it_failed(world: World) -> None:
    askers = AGENT, renamed(AGENT, id="key_other")
    asked = [await world.propose(who, "create_website", domain="example.com") for who in askers]

    await asyncio.gather(*(_outcome(world, OWNER, "approve", approval_id=each["id"]) for each in asked))

    (kept,) = await stored(world, websites)
    ended = [await world.call(OWNER, "get_approval", approval_id=each["id"]) for each in asked]
    assert sorted(each["status"] for each in ended) == ["done", "failed"]
    (failed,) = [each for each in ended if each["status"] == "failed"]
    assert (failed["error"]["code"], failed["error"]["details"]["websiteId"]) == ("conflict", kept["id"])


async def test_a_website_does_not_move_to_a_domain_that_is_added_in_the_same_instant(world: World) -> None:
    moving = await site(world, "example.net")

    await asyncio.gather(
        _outcome(world, OWNER, "update_website", websiteId=moving, domain="example.com"),
        _outcome(world, OWNER, "create_website", domain="example.com"),
    )

    assert [row["domain"] for row in await stored(world, websites)].count("example.com") == 1


async def test_who_came_second_reads_the_same_refusal_again_under_its_key(world: World) -> None:
    create = world.capability("create_website")

    async def sent(key: str) -> Any:
        try:
            return await world.door.invoke(create, world.context(OWNER), {"domain": "example.com"}, idempotency_key=key)
        except CapabilityError as error:
            return error

    first = await asyncio.gather(sent("a"), sent("b"))
    again = [await sent("a"), await sent("b")]

    assert sorted(isinstance(each, CapabilityError) for each in first) == [False, True]
    assert [isinstance(each, CapabilityError) for each in again] == [
        isinstance(each, CapabilityError) for each in first
    ]
    assert len(await stored(world, websites)) == 1


async def test_what_belongs_to_a_deleted_website_goes_with_it_and_its_rows_stay(world: World) -> None:
    gone, kept = await site(world), await site(world, "kept.example.com")
    for website in (gone, kept):
        await world.call(OWNER, "create_goal", websiteId=website, name="Signup", selector="event:signup")
        await world.call(
            OWNER, "create_funnel", websiteId=website, name="Buy",
            steps=[{"type": "path", "value": "/"}, {"type": "payment"}],
        )  # fmt: skip
        await world.call(OWNER, "create_share_link", websiteId=website, name="Board")
        row = {"website_id": website, "created_at": 1}
        rule = {"id": f"alr_{website}", "metric": "visitors", "threshold": "<10", "channel": "email"}
        await put(world, alerts, rule | row)
        await put(world, reports, {"id": f"rep_{website}", "cadence": "weekly", "recipients": ["a@example.com"]} | row)

    approval = await world.propose(AGENT, "delete_website", websiteId=gone)
    await world.call(OWNER, "delete_website", websiteId=gone)

    assert {name: approval["plan"]["evidence"][name] for name in ("goals", "funnels", "share_links")} == {
        "goals": 1, "funnels": 1, "share_links": 1,
    }  # fmt: skip
    for name, table in {
        "list_goals": goals, "list_funnels": funnels, "list_share_links": share_links, "list_alerts": alerts,
        "list_reports": reports,
    }.items():  # fmt: skip
        assert [row["websiteId"] for row in (await world.call(OWNER, name))["items"]] == [kept], name
        assert len(await stored(world, table)) == 2
        assert (await world.refusal(OWNER, name, websiteId=gone)).code == "not_found"
    for name in CHANGES:
        assert (await world.refusal(OWNER, name, websiteId=gone, **CALLS[name])).code == "not_found"
    (row,) = [row for row in await stored(world, websites) if row["id"] == gone]
    assert row["deleted_at"] == world.clock.milliseconds()


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("Example.COM.", "example.com"),
        ("www.example.com", "example.com"),
        ("shop.example.co.uk", "shop.example.co.uk"),
        ("münchen.de", "xn--mnchen-3ya.de"),
        ("xn--mnchen-3ya.de", "xn--mnchen-3ya.de"),
        ("example．com", "example.com"),
        ("www.com", "www.com"),
    ],
)
async def test_a_domain_is_kept_as_browsers_send_it(world: World, sent: str, kept: str) -> None:
    made = await world.call(OWNER, "create_website", domain=sent)

    assert made["domain"] == kept


@pytest.mark.parametrize(
    "domain",
    [
        "", " ", "https://example.com", "example.com/shop", "example.com:8080", "me@example.com", "exam ple.com",
        "localhost", "127.0.0.1", "[::1]", "example.0x7f", "-a.com", "a..com", "a_b.com", "☃.net", "xn--zzzzzz.com",
        f"{'a' * 64}.com", ".".join(["abcdefgh"] * 30), "a" * 301, "example.com\0", "example.com\u202e",
        "*.example.com",
        "%00.com", "javascript:alert(1)", 7, None, True, ["example.com"],
    ],
)  # fmt: skip
async def test_what_is_no_public_host_is_refused_with_a_reason(world: World, domain: Any) -> None:
    error = await world.refusal(OWNER, "create_website", domain=domain)

    assert (error.code, error.status) == ("invalid_arguments", 422)
    assert error.details["problems"][0]["problem"]
    assert await stored(world, websites) == []


@pytest.mark.parametrize(
    "sent",
    [
        {"time_zone": "Mars/Olympus"}, {"time_zone": "../../etc/passwd"}, {"time_zone": ""}, {"time_zone": "CEST"},
        {"currency": "usd"}, {"currency": "XTS"}, {"currency": "BTC"}, {"currency": 840}, {"name": " "},
        {"name": "n" * 101}, {"name": "a\u202eb"}, {"allow_localhost": "yes"}, {"workspaceId": "wsp_south"},
    ],
)  # fmt: skip
async def test_what_no_setting_can_be_is_refused(world: World, sent: dict[str, Any]) -> None:
    identifier = await site(world, "example.com")

    created = await world.refusal(OWNER, "create_website", domain="example.net", **sent)
    changed = await world.refusal(OWNER, "update_website", websiteId=identifier, **sent)

    assert created.code == changed.code == "invalid_arguments"


@pytest.mark.parametrize("identifier", ["admx_", "admx_' OR 1=1 --", "con_1", "admx_" + "x" * 41, "../admx_1"])
async def test_what_is_no_websites_id_is_refused_before_it_is_looked_for(world: World, identifier: str) -> None:
    for name in CHANGES:
        assert (await world.refusal(OWNER, name, websiteId=identifier, **CALLS[name])).code == "invalid_arguments"
    assert (await world.refusal(OWNER, "update_website", websiteId=identifier)).code == "invalid_arguments"
