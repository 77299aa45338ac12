"""Whose accounts a sign-in opens."""

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from server.platforms.google.adapter import GoogleAdapter
from tests.server.platforms.google.standin import Upstream, failing, listed
from tests.server.platforms.meta.sandbox import Sandbox
from tools.errors import AccountBlocked, InvalidArguments, PlatformFailure, RateLimited
from tools.ports import Account, Credential
from tools.secret import Secret

MANAGER, US, EU, JP, OUTLET = "4210007001", "4210007011", "4210007012", "4210007013", "4210007021"


def about(number: str, **more: object) -> dict[str, object]:
    known = {"id": number, "descriptiveName": f"Account {number}", "currencyCode": "EUR", "timeZone": "Europe/Paris"}
    return known | {"status": "ENABLED"} | more


def reached(*numbers: str) -> dict[str, object]:
    return {"resourceNames": [f"customers/{number}" for number in numbers]}


async def test_managers_are_resolved_to_the_accounts_below_them_on_every_level(
    google: GoogleAdapter, sandbox: Sandbox, credential: Credential
) -> None:
    probe = await google.probe(sandbox.credential)
    assert probe.accounts == credential.accounts
    assert [(each.account_id, each.login_customer_id, each.active) for each in probe.accounts] == [
        (EU, MANAGER, True),
        (JP, MANAGER, True),
        (OUTLET, None, True),
        (US, MANAGER, True),
    ]
    assert probe.scopes == ("https://www.googleapis.com/auth/adwords",)
    assert probe.expires_at is None


async def test_a_manager_that_was_named_is_the_only_way_in(google: GoogleAdapter, sandbox: Sandbox) -> None:
    values = {**sandbox.credential.values, "login_customer_id": Secret("421-000-7001")}
    probe = await google.probe(Credential("con_1", values))
    assert [each.account_id for each in probe.accounts] == [EU, JP, US]
    assert {each.login_customer_id for each in probe.accounts} == {MANAGER}


async def test_a_manager_that_is_not_this_persons_is_said_to_be_the_problem(
    google: GoogleAdapter, sandbox: Sandbox
) -> None:
    values = {**sandbox.credential.values, "login_customer_id": Secret("4210007002")}
    with pytest.raises(PlatformFailure) as denied:
        await google.probe(Credential("con_1", values))
    assert "login_customer_id" in denied.value.fix


async def test_what_is_no_customer_id_names_the_field(upstream: Upstream) -> None:
    values = {**upstream.credential.values, "login_customer_id": Secret("my manager")}
    with pytest.raises(InvalidArguments) as refused:
        await upstream.adapter.probe(Credential("con_1", values))
    assert refused.value.details["problems"][0]["field"] == "login_customer_id"


async def test_an_account_that_is_not_enabled_does_not_cost_the_others(upstream: Upstream) -> None:
    upstream.ads.say(
        reached("1", "2"),
        failing("authorizationError.CUSTOMER_NOT_ENABLED", 403),
        listed({"customer": about("2")}),
    )
    probe = await upstream.adapter.probe(upstream.credential)
    assert len(probe.accounts) == 1


async def test_suspended_accounts_are_inactive_and_closed_ones_left_out(upstream: Upstream) -> None:
    clients = [about("5"), about("6", status="SUSPENDED"), about("7", status="CANCELED"), about("8", status="CLOSED")]
    upstream.ads.say(
        reached("1"),
        listed({"customer": about("1", manager=True)}),
        listed(*({"customerClient": each} for each in clients)),
    )
    probe = await upstream.adapter.probe(upstream.credential)
    assert [(each.account_id, each.active) for each in probe.accounts] == [("5", True), ("6", False)]


@pytest.mark.parametrize("roots", [("1", "5"), ("5", "1")])
async def test_an_account_reached_twice_is_listed_once_and_reached_directly(
    upstream: Upstream, roots: tuple[str, str]
) -> None:
    async def by_what_is_asked(request: Request) -> Response:
        if request.method == "GET":
            return JSONResponse(reached(*roots))
        if b"FROM customer_client" in await request.body():
            return JSONResponse(listed({"customerClient": about("5")}, {"customerClient": about("6")}))
        root = request.url.path.split("/")[3]
        return JSONResponse(listed({"customer": about(root, manager=root == "1")}))

    upstream.ads.say(by_what_is_asked)
    accounts = (await upstream.adapter.probe(upstream.credential)).accounts
    assert {each.account_id: each.login_customer_id for each in accounts} == {"5": None, "6": "1"}


async def test_a_failure_that_may_pass_is_no_shorter_list(upstream: Upstream) -> None:
    upstream.ads.say(
        reached("1", "2"), listed({"customer": about("1")}), failing("quotaError.RESOURCE_TEMPORARILY_EXHAUSTED", 429)
    )
    with pytest.raises(RateLimited):
        await upstream.adapter.probe(upstream.credential)


async def test_where_no_account_can_be_read_the_reason_is_the_answer(upstream: Upstream) -> None:
    upstream.ads.say(reached("1", "2"), failing("authorizationError.CUSTOMER_NOT_ENABLED", 403))
    with pytest.raises(AccountBlocked):
        await upstream.adapter.probe(upstream.credential)


async def test_a_person_without_any_account_has_none(upstream: Upstream) -> None:
    upstream.ads.say({})
    assert (await upstream.adapter.probe(upstream.credential)).accounts == ()


async def test_an_account_without_a_name_is_called_by_its_number(upstream: Upstream) -> None:
    upstream.ads.say(reached("1"), listed({"customer": about("1", descriptiveName="")}))
    (account,) = (await upstream.adapter.probe(upstream.credential)).accounts
    assert account == Account("1", "1", "EUR", "Europe/Paris")
