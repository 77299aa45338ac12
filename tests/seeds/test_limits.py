"""developer-api § Rate limits: the figures, whom they count, and what a refusal says."""

import datetime as dt
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.app import Caller, Product, open_product
from tests.faces.faces import mcp_modern
from tests.promises import promise


async def until_refused(call: Callable[[], Awaitable[tuple[int, dict[str, object]]]], most: int) -> tuple[int, object]:
    """How many were let through, and the first refusal."""
    for passed in range(most):
        status, body = await call()
        if status == 429:
            return passed, body
    raise AssertionError(f"{most} calls were let through")


def told(refused: object) -> None:
    assert isinstance(refused, dict)
    assert (refused["code"], refused["details"]["source"]) == ("rate_limited", "local")
    assert 1 <= refused["retryAfter"] <= 60
    assert str(refused["retryAfter"]) in refused["fix"]


@promise("dev.limits.connections", "dev.limits.retry-after", "dev.errors.429.retryAfter")
async def test_connections_are_limited_to_30_a_minute_for_each_user_whatever_the_credential(product: Product) -> None:
    person, key = await product.person(), await product.key()
    await product.user("second@adwright.test", "admin")
    other = await product.person("second@adwright.test")
    callers = [person, key]

    async def alternate() -> tuple[int, dict[str, object]]:
        callers.reverse()
        answer = await callers[0]("GET", "/connections")
        return answer.status_code, answer.json()

    passed, refused = await until_refused(alternate, 40)

    assert passed == 30
    told(refused)
    assert (await person("GET", "/connections")).headers["retry-after"]
    assert await other.data("GET", "/connections") == []


@promise("dev.limits.mutations", "dev.errors.429.retryAfter")
async def test_campaign_mutations_are_limited_to_60_a_minute_shared_by_members_and_faces(product: Product) -> None:
    await product.user("second@adwright.test", "member")
    owner, member = await product.person(), await product.person("second@adwright.test")
    key = await product.key()
    _, stranger = await product.second_workspace()
    turns: list[Callable[[], Awaitable[tuple[int, dict[str, object]]]]] = [
        lambda: over_rest(owner), lambda: over_rest(member), lambda: over_rest(key), lambda: over_mcp(key),
    ]  # fmt: skip

    async def in_turn() -> tuple[int, dict[str, object]]:
        turns.append(turns.pop(0))
        return await turns[-1]()

    passed, refused = await until_refused(in_turn, 80)

    assert passed == 60
    told(refused)
    for again in turns:
        assert (await again())[0] == 429
    assert (await over_rest(stranger))[0] == 404


async def over_rest(caller: Caller) -> tuple[int, dict[str, object]]:
    answer = await caller("PATCH", "/ads/campaigns/1", {"name": "None"})
    return answer.status_code, answer.json()


async def over_mcp(caller: Caller) -> tuple[int, dict[str, object]]:
    answer = await mcp_modern(caller, "update_campaign", {"campaign_id": "1", "name": "None"})
    return {"rate_limited": 429, "not_found": 404}[answer.code], answer.data


@promise("dev.limits.meta-hourly", "dev.limits.retry-after", "dev.errors.429.retryAfter")
async def test_beyond_200_calls_an_hour_the_platform_refuses_and_says_how_long_to_wait(tmp_path: Path) -> None:
    """With the quota the document speaks of; the same body as for our own limits tells which layer refused."""
    async with open_product(tmp_path, sandbox_points_per_hour=200) as product:
        await product.connect(await product.person())
        key, account = await product.key(), product.known["accounts"][0]["id"]
        days = [str(dt.datetime.now(dt.UTC).date() - dt.timedelta(days=ago)) for ago in range(1, 24)]
        spans = [(since, until) for until in days for since in days if since <= until]

        for since, until in spans:
            answer = await key("GET", "/ads/insights", account_id=account, since=since, until=until)
            if answer.status_code == 429:
                break
        asked = (await product.sandbox.get("/log", params={"kind": "all"})).json()

    refused = answer.json()
    assert (answer.status_code, refused["code"], refused["details"]["source"]) == (429, "rate_limited", "upstream")
    assert refused["retryAfter"] >= 1
    assert answer.headers["retry-after"] == str(refused["retryAfter"])
    assert 200 <= len([one for one in asked if account in one["path"]]) <= 205  # what is refused is asked again, once
