"""Connecting: a token is tried, sealed and never seen again."""

import pytest

from tests.promises import promise
from tests.world import AGENT, DIRECT_KEY, KEY, OWNER, STRANGER, VIEWER, World, open_world, principal
from tools.authority import Principal, Role
from tools.store.tables import connections


async def token(world: World) -> str:
    return str((await world.sandbox.get("/")).json()["meta"]["access_token"])


@pytest.mark.parametrize("role", [Role.VIEWER, Role.MEMBER])
async def test_connecting_takes_its_scope(world: World, role: Role) -> None:
    error = await world.refusal(principal(role), "create_connection", platform="meta", access_token="x")

    assert (error.code, error.details["required"]) == ("insufficient_scope", "connections:write")


@pytest.mark.parametrize("who", [AGENT, KEY, DIRECT_KEY], ids=lambda who: who.id)
async def test_only_a_person_pastes_a_token(world: World, who: Principal) -> None:
    error = await world.refusal(who, "create_connection", platform="meta", access_token=await token(world))

    assert error.code == "human_required"


@promise("dev.connections.create")
async def test_a_token_that_works_is_tried_and_kept(world: World) -> None:
    made = await world.call(STRANGER, "create_connection", platform="meta", access_token=await token(world))

    assert made["id"].startswith("con_")
    assert (made["name"], made["status"], made["decryptReadable"]) == ("Northwind US", "connected", True)
    assert made["probe"]["ok"] is True
    assert [account["currency"] for account in made["probe"]["accounts"]] == ["USD", "EUR", "JPY"]
    assert "ads_management" in made["probe"]["scopes"]
    assert made["expiresAt"] == "2027-01-19T00:00:00Z"
    (listed,) = (await world.call(STRANGER, "list_connections"))["items"]
    assert listed == {name: value for name, value in made.items() if name != "probe"}
    assert len((await world.call(OWNER, "list_connections"))["items"]) == 1


async def test_the_token_is_sealed_and_shown_nowhere(world: World) -> None:
    secret = await token(world)

    made = await world.call(OWNER, "create_connection", platform="meta", access_token=secret)

    context = world.context(OWNER)
    row = await context.rows.first(context.rows.select(connections).where(connections.c.id == made["id"]))
    assert row is not None
    assert secret not in str(row.as_dict())
    assert secret not in str(made) + str(await world.call(OWNER, "list_connections"))
    assert secret not in str(await world.audit_rows())
    assert [entry for entry in await world.audit_rows() if "***" in (entry["payload"] or "")]
    for file in world.path.iterdir():
        assert secret.encode() not in file.read_bytes()


async def test_a_token_the_platform_refuses_is_not_kept(world: World) -> None:
    error = await world.refusal(OWNER, "create_connection", platform="meta", access_token="EAAnope")

    assert (error.code, error.status) == ("reauth_required", 424)
    assert len((await world.call(OWNER, "list_connections"))["items"]) == 1


@pytest.mark.parametrize(
    ("kind", "code", "status"), [("html", "platform_error", 424), ("throttled", "rate_limited", 429)]
)
async def test_a_platform_out_of_reach_keeps_nothing(world: World, kind: str, code: str, status: int) -> None:
    await world.break_next(kind, times=9)

    error = await world.refusal(OWNER, "create_connection", platform="meta", access_token=await token(world))

    assert (error.code, error.status) == (code, status)
    assert len((await world.call(OWNER, "list_connections"))["items"]) == 1


@pytest.mark.parametrize(
    "sent",
    [
        {"platform": "bing", "access_token": "x"},
        {"platform": "google", "refresh_token": "x", "login_customer_id": "12"},
        {"platform": "google", "refresh_token": "x", "login_customer_id": 1234567890},
        {"platform": "meta", "access_token": ""},
        {"platform": "meta", "access_token": 5},
        {"platform": "meta", "access_token": "x", "name": ""},
        {"platform": "meta", "access_token": "x", "name": "n" * 101},
    ],
)
async def test_what_cannot_be_a_connection_is_refused(world: World, sent: dict[str, object]) -> None:
    assert (await world.refusal(OWNER, "create_connection", **sent)).code == "invalid_arguments"


async def test_a_connection_survives_a_restart(world: World) -> None:
    listed = await world.call(OWNER, "list_connections")
    async with open_world(world.path, clock=world.clock) as again:
        assert await again.call(OWNER, "list_connections") == listed
        assert (await again.call(VIEWER, "list_campaigns", limit=1))["items"]


@pytest.mark.parametrize("name", ["EAAB" + "x" * 30, "my unshaped-token shop"])
async def test_a_token_is_not_kept_as_a_name(world: World, name: str) -> None:
    sent = {"platform": "meta", "access_token": "unshaped-token", "name": name}

    error = await world.refusal(OWNER, "create_connection", **sent)

    assert (error.code, error.details["problems"][0]["field"]) == ("invalid_arguments", "name")
    assert name not in str(error.body("req_test"))


async def refresh_token(world: World) -> str:
    return str((await world.sandbox.get("/")).json()["google"]["refresh_token"])


@promise("dev.connections.create.google")
async def test_a_refresh_token_of_google_is_tried_and_kept(world: World) -> None:
    token = await refresh_token(world)

    made = await world.call(
        STRANGER, "create_connection", platform="google", refresh_token=token, developer_token="dev-tok-1"
    )

    assert (made["platform"], made["status"], made["probe"]["ok"]) == ("google", "connected", True)
    accounts = {account["account_id"]: account for account in made["probe"]["accounts"]}
    assert len(accounts) == 4
    assert {account["currency"] for account in accounts.values()} == {"USD", "EUR", "JPY"}
    assert "expiresAt" not in made
    assert token not in str(made)
    assert "dev-tok-1" not in str(made) + str(await world.audit_rows("wsp_south"))
    assert (await world.call(STRANGER, "list_campaigns", limit=1))["items"]


async def test_the_tree_of_accounts_is_kept_with_the_way_to_each(world: World) -> None:
    made = await world.connect_google()

    context = world.context(OWNER)
    row = await context.rows.first(context.rows.select(connections).where(connections.c.id == made["id"]))
    assert row is not None
    through = {account["name"]: account["login_customer_id"] for account in row.accounts}
    assert through["Northwind Outlet"] is None  # reached directly
    assert through["Northwind US"] is not None


async def test_a_manager_may_be_named(world: World) -> None:
    sent = {"platform": "google", "refresh_token": await refresh_token(world)}

    through = await world.call(OWNER, "create_connection", login_customer_id="421-000-7001", **sent)
    error = await world.refusal(OWNER, "create_connection", login_customer_id="999-999-9999", **sent)

    assert through["probe"]["ok"]
    assert error.code in ("not_found", "platform_error")
    assert error.fix


@pytest.mark.parametrize(
    ("sent", "fields"),
    [
        ({"platform": "meta"}, ["access_token"]),
        ({"platform": "google"}, ["refresh_token"]),
        ({"platform": "google", "access_token": "x"}, ["access_token", "refresh_token"]),
        ({"platform": "meta", "access_token": "x", "client_id": "c", "login_customer_id": "123-456-7890"},
         ["client_id", "login_customer_id"]),
    ],
)  # fmt: skip
async def test_the_field_of_another_platform_is_named(world: World, sent: dict[str, str], fields: list[str]) -> None:
    error = await world.refusal(OWNER, "create_connection", **sent)

    assert (error.code, error.status) == ("invalid_arguments", 422)
    assert [problem["field"] for problem in error.details["problems"]] == fields
    assert error.fix
    assert len((await world.call(OWNER, "list_connections"))["items"]) == 1


async def test_a_refresh_token_google_refuses_is_not_kept(world: World) -> None:
    error = await world.refusal(OWNER, "create_connection", platform="google", refresh_token="1//nope")

    assert (error.code, error.status) == ("reauth_required", 424)
    assert len((await world.call(OWNER, "list_connections"))["items"]) == 1


async def test_a_client_of_ones_own_goes_with_the_token(world: World) -> None:
    known = (await world.sandbox.get("/")).json()["google"]
    sent = {"platform": "google", "refresh_token": known["refresh_token"], "client_id": known["client_id"]}

    made = await world.call(OWNER, "create_connection", **sent, client_secret=known["client_secret"])
    wrong = await world.refusal(OWNER, "create_connection", **sent, client_secret="GOCSPX-wrong-secret-000")

    assert made["probe"]["ok"]
    assert wrong.status == 424
    assert "GOCSPX" not in str(wrong.body("req_1"))
