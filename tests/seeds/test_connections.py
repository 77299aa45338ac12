"""developer-api § Connections: the four routes, spelled as documented, and credentials that stay sealed."""

from pathlib import Path
from typing import Any

from tests.app import KEYS, Product, open_product
from tests.database import stored
from tests.promises import promise
from tools.store.sealing import generate_key
from tools.store.tables import connections
from tools.store.tenant import Rows


@promise("dev.connections.create", "dev.payload.case")
async def test_a_pasted_token_answers_the_id_and_a_status_probe(product: Product) -> None:
    person = await product.person()
    body = {"platform": "meta", "access_token": product.known["access_token"]}

    answer = await person("POST", "/connections", body)

    made = answer.json()["data"]
    assert answer.status_code == 201
    assert made["id"].startswith("con_")
    assert (made["status"], made["probe"]["ok"]) == ("connected", True)
    assert {account["account_id"] for account in made["probe"]["accounts"]} == {
        account["id"] for account in product.known["accounts"]
    }
    assert {"createdAt", "decryptReadable"} <= made.keys()
    assert product.known["access_token"] not in answer.text


@promise("dev.connections.create.google")
async def test_a_google_refresh_token_and_developer_token_answer_the_id_and_a_status_probe(product: Product) -> None:
    person = await product.person()
    known = (await product.sandbox.get("/")).json()["google"]
    body = {"platform": "google", "refresh_token": known["refresh_token"], "developer_token": "a-developer-token"}

    answer = await person("POST", "/connections", body)

    made = answer.json()["data"]
    assert answer.status_code == 201
    assert made["id"].startswith("con_")
    assert (made["platform"], made["status"], made["probe"]["ok"]) == ("google", "connected", True)
    assert {account["account_id"] for account in made["probe"]["accounts"]} <= set(known["customers"])
    assert known["refresh_token"] not in answer.text
    assert {row["platform"] for row in await person.data("GET", "/ads/campaigns")} == {"google"}


async def test_a_token_that_the_platform_refuses_is_not_stored(product: Product) -> None:
    person = await product.person()

    refused = await person.refusal(424, "POST", "/connections", {"platform": "meta", "access_token": "EAAB" + "0" * 40})

    assert refused["code"] == "reauth_required"
    assert await person.data("GET", "/connections") == []


@promise("dev.connections.list")
async def test_the_list_has_what_was_promised(product: Product) -> None:
    person = await product.person()
    connection = await product.connect(person)

    (row,) = await person.data("GET", "/connections")

    assert row["id"] == connection
    assert (row["platform"], row["status"], row["decryptReadable"]) == ("meta", "connected", True)
    assert {"expiresAt", "lastSyncAt"} <= row.keys()
    assert row["lastSyncAt"].endswith("Z")


@promise("dev.connections.delete")
async def test_a_deleted_connection_leaves_every_list_and_keeps_its_row_without_credentials(product: Product) -> None:
    person = await product.person()
    connection = await product.connect(person)

    deleted = await person.data("DELETE", f"/connections/{connection}")

    assert deleted == {"id": connection, "status": "deleted"}
    assert await person.data("GET", "/connections") == []
    assert await person.data("GET", "/ads/campaigns") == []
    assert (await person.refusal(404, "POST", f"/connections/{connection}/test"))["code"] == "not_found"
    rows = Rows(product.house.store, product.home)
    kept = await rows.first(rows.select(connections).where(connections.c.id == connection))
    assert kept is not None
    assert (kept.status, kept.sealed) == ("deleted", "")
    assert kept.deleted_at


@promise("dev.connections.test")
async def test_a_test_makes_one_read_and_tells_a_token_that_went_bad(product: Product) -> None:
    person = await product.person()
    connection = await product.connect(person)

    good = await person.data("POST", f"/connections/{connection}/test")
    await product.break_next("expired_token", "meta", times=5)
    bad = await person.data("POST", f"/connections/{connection}/test")

    assert (good["ok"], good["status"]) == (True, "connected")
    assert (bad["ok"], bad["status"]) == (False, "reauth_required")
    assert bad["fix"]
    (row,) = await person.data("GET", "/connections")
    assert row["status"] == "reauth_required"
    assert await product.writes_seen() == []


@promise("dev.connections.sealed")
async def test_a_credential_is_sealed_at_rest(product: Product) -> None:
    person = await product.person()
    await product.connect(person)

    (row,) = stored(product.settings.data_dir, "SELECT sealed, key_id FROM connections")

    assert (row["sealed"].split(".")[:2], row["key_id"]) == (["v1", "k1"], "k1")
    assert product.known["access_token"] not in row["sealed"]


@promise("dev.storage.key-rotation", "dev.storage.migrations")
async def test_a_rotated_key_keeps_every_connection_readable(tmp_path: Path) -> None:
    """Over three starts on the same directory, each of which migrates again and finds everything as it was."""
    newer = generate_key("k2")
    async with open_product(tmp_path) as product:
        connection = await product.connect(await product.person())
    async with open_product(tmp_path, ENCRYPTION_KEYS=f"{newer},{KEYS}") as product:
        rotated = await product.operate("POST", "/secrets/rotate")
        before = await listed(product)
    async with open_product(tmp_path, ENCRYPTION_KEYS=newer) as product:
        after = await listed(product)
        answered = await (await product.key()).data("POST", f"/connections/{connection}/test")

    assert (rotated["rewrapped"], before["decryptReadable"], after["decryptReadable"]) == (1, True, True)
    assert answered["ok"]


async def listed(product: Product) -> Any:
    (row,) = await (await product.key()).data("GET", "/connections")
    return row


@promise("dev.errors.422.credentials_unreadable")
async def test_credentials_that_do_not_decrypt_answer_422_with_the_connection(tmp_path: Path) -> None:
    async with open_product(tmp_path) as product:
        connection = await product.connect(await product.person())
    async with open_product(tmp_path, ENCRYPTION_KEYS=generate_key("k9")) as product:
        key = await product.key()
        refused = await key.refusal(422, "GET", "/ads/campaigns")
        row = await listed(product)

    assert (refused["code"], refused["connectionId"]) == ("credentials_unreadable", connection)
    assert "/integrations" in refused["fix"]
    assert row["decryptReadable"] is False
