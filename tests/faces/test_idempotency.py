"""An idempotency key means the same through every face, whichever face it was first sent through."""

from typing import Any

import pytest
import pytest_asyncio

from tests.app import Product
from tests.faces.faces import FACES, Answer, Log, at_rest, mcp_modern, rest
from tests.faces.test_parity import VALID, Scene, audit, comparable, furnished
from tools.capability import AnyCapability, Effect
from tools.catalog import catalog

ONCE = "8e03978e-40d5-43dd-bc93-6894a57f9324"
WRITES = [capability for capability in catalog if capability.effect is not Effect.READ]
PROPOSED = [capability for capability in WRITES if capability.plan is not None]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(one_product: Product) -> Scene:
    """Of which nothing is changed by what is only proposed."""
    scene = await furnished(one_product, await one_product.person())
    await at_rest(one_product, one_product.home, scene.connection)
    return scene


@pytest.mark.parametrize("capability", PROPOSED, ids=lambda capability: str(capability.name))
@pytest.mark.asyncio(loop_scope="module")
async def test_the_same_again_through_any_face_shows_the_same_proposal(
    shared: Product, scene: Scene, capability: AnyCapability
) -> None:
    key = await shared.key()
    log = Log(shared)
    for first in FACES:
        arguments = VALID[capability.name](scene)
        once = f"{ONCE}:{first}".replace(" ", "-")
        proposed = await FACES[first](key, capability.name, arguments, once=once)
        assert (proposed.kind, proposed.replayed) == ("proposed", False)
        await log.new()
        for face, call in FACES.items():
            again = await call(key, capability.name, arguments, once=once)

            assert again.replayed, face
            assert (again.kind, comparable(again.data)) == ("proposed", comparable(proposed.data))
            (row,) = await log.new()
            assert (row["status"], row["approval_id"]) == ("replayed", proposed.data["approval"]["id"])


@pytest.mark.parametrize("capability", WRITES, ids=lambda capability: str(capability.name))
async def test_a_person_sends_any_write_twice_and_it_is_done_once(product: Product, capability: AnyCapability) -> None:
    person = await product.person()
    scene = await furnished(product, person)
    if capability.name == "create_connection":
        known = product.known["access_token"]
        arguments: dict[str, Any] = {"platform": "meta", "access_token": known}
    else:
        arguments = VALID[capability.name](scene)

    first = await rest(person, capability.name, arguments, once=ONCE)
    again = await rest(person, capability.name, arguments, once=ONCE)

    assert (first.kind, again.kind) == ("ok", "ok"), first.data
    assert (first.replayed, again.replayed) == (False, True)
    secret = capability.output.shown_once | {"withheld"}
    assert {k: v for k, v in again.data.items() if k not in secret} == {
        k: v for k, v in first.data.items() if k not in secret
    }


@pytest.mark.parametrize(
    ("once", "arguments", "code"),
    [
        ("not a key", {}, "invalid_request"),
        ("", {}, "invalid_request"),
        (ONCE, {"name": "Other"}, "idempotency_mismatch"),
    ],
)
async def test_every_face_refuses_a_key_alike(
    product: Product, once: str, arguments: dict[str, Any], code: str
) -> None:
    scene = await furnished(product, await product.person())
    key = await product.key()
    change = {"campaign_id": scene.campaign, "name": "Parity"}
    await rest(key, "update_campaign", change, once=ONCE)
    answers: dict[str, Answer] = {}
    rows: dict[str, Any] = {}
    for face, call in FACES.items():
        before = len(await product.audit_rows())
        answers[face] = await call(key, "update_campaign", change | arguments, once=once)
        rows[face] = [audit(row) for row in (await product.audit_rows())[before:]]

    assert {answer.code for answer in answers.values()} == {code}
    assert not any(answer.replayed for answer in answers.values())
    expected = comparable(answers["REST"].data), rows["REST"]
    assert {face: (comparable(answer.data), rows[face]) for face, answer in answers.items()} == dict.fromkeys(
        FACES, expected
    )


async def test_reads_take_any_key_through_any_face(product: Product) -> None:
    await furnished(product, await product.person())
    key = await product.key()
    for call in FACES.values():
        assert (await call(key, "list_campaigns", {"limit": 1}, once="not a key")).kind == "ok"


async def test_a_proposal_decided_since_answers_what_came_of_it(product: Product) -> None:
    person = await product.person()
    scene = await furnished(product, person)
    key = await product.key()
    change = {"campaign_id": scene.campaign, "name": "Decided"}
    approval = (await rest(key, "update_campaign", change, once=ONCE)).data["approval"]
    await person.data("POST", f"/approvals/{approval['id']}/approve", {})

    answers = {face: await call(key, "update_campaign", change, once=ONCE) for face, call in FACES.items()}

    shown = answers.pop("REST")
    assert (shown.kind, shown.data["approval"]["status"]) == ("proposed", "done")
    for answer in answers.values():  # for whom waiting and asking again are the same call
        assert (answer.kind, answer.data) == ("ok", shown.data["approval"]["result"])
    assert len([w for w in await product.writes_seen() if w["params"].get("name") == "Decided"]) == 1


async def test_a_key_that_is_no_text_is_refused_over_mcp(product: Product) -> None:
    scene = await furnished(product, await product.person())
    key = await product.key()

    answer = await mcp_modern(
        key,
        "update_campaign",
        {"campaign_id": scene.campaign, "name": "x"},
        once=7,  # type: ignore[arg-type]  # JSON
    )

    assert answer.code == "invalid_request"
