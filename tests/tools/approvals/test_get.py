"""One approval, as everyone who may look sees it."""

from tests.tools.approvals.conftest import Propose
from tests.world import AGENT, OWNER, STRANGER, VIEWER, World, principal
from tools.authority import Via


async def test_a_strangers_approval_is_not_there(world: World, propose: Propose) -> None:
    approval = await propose()

    error = await world.refusal(STRANGER, "get_approval", approval_id=approval["id"])

    assert (error.code, error.status) == ("not_found", 404)


async def test_looking_takes_its_scope(world: World, propose: Propose) -> None:
    blind = principal(via=Via.KEY, scopes=frozenset())

    assert (
        await world.refusal(blind, "get_approval", approval_id=(await propose())["id"])
    ).code == "insufficient_scope"


async def test_it_is_what_confirm_required_showed(world: World, propose: Propose) -> None:
    approval = await propose()

    for who in (AGENT, VIEWER, OWNER):
        assert await world.call(who, "get_approval", approval_id=approval["id"]) == approval


async def test_what_is_over_reads_as_expired_before_anything_swept(world: World, propose: Propose) -> None:
    approval = await propose()
    world.clock.pass_by(minutes=15)

    assert (await world.call(AGENT, "get_approval", approval_id=approval["id"]))["status"] == "expired"


async def test_an_unknown_one_is_not_found_with_the_way_on(world: World) -> None:
    error = await world.refusal(AGENT, "get_approval", approval_id="apr_unknown")

    assert (error.code, "list_approvals" in error.fix) == ("not_found", True)
