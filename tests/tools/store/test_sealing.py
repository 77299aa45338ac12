"""What is sealed opens only in its own place and under its own ring, whatever happens to the bytes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select, update

from tools.store.engine import Store, Transaction
from tools.store.sealing import CREDENTIAL, TRAITS, KeyRing, UnknownKey, Unreadable, generate_key, key_id, rotate
from tools.store.sqlite import SqliteStore
from tools.store.statements import Row
from tools.store.tables import connections, visitor_traits, workspaces

OLD, NEW = generate_key("k1"), generate_key("k2")
RING = KeyRing.parse(OLD)
BOTH = KeyRing.parse(f"{NEW},{OLD}")
HERE = {"workspace": "wsp_1", "row": "con_1", "field": CREDENTIAL}
SEALED = RING.seal("token", **HERE)  # once: each seal differs, and what a test draws may not depend on that

contexts = st.fixed_dictionaries({"workspace": st.text(), "row": st.text(), "field": st.text()})


@given(st.text(), contexts)
def test_what_is_sealed_unseals_in_its_place_only_there(plaintext: str, context: dict[str, str]) -> None:
    sealed = RING.seal(plaintext, **context)

    assert RING.unseal(sealed, **context).reveal() == plaintext
    for name in context:
        with pytest.raises(Unreadable):
            RING.unseal(sealed, **{**context, name: context[name] + "x"})


def test_parts_of_a_place_do_not_run_into_each_other() -> None:
    sealed = RING.seal("token", workspace="ab", row="c", field="d")

    with pytest.raises(Unreadable):
        RING.unseal(sealed, workspace="a", row="bc", field="d")


@given(st.data())
def test_any_changed_character_is_noticed(data: st.DataObject) -> None:
    sealed = SEALED
    at = data.draw(st.integers(0, len(sealed) - 1))
    other = data.draw(st.sampled_from("Ab0-_.").filter(lambda character: character != sealed[at]))
    changed = sealed[:at] + other + sealed[at + 1 :]

    try:
        assert RING.unseal(changed, **HERE).reveal() == "token"  # spare bits of the last base64 character
        assert at in {sealed.rindex(".") - 1, len(sealed) - 1}
    except (Unreadable, UnknownKey):
        pass


@given(st.text(max_size=60))
def test_whatever_else_is_stored_is_unreadable(text: str) -> None:
    with pytest.raises((Unreadable, UnknownKey)):
        RING.unseal(text, **HERE)


def test_equal_secrets_do_not_look_equal() -> None:
    assert RING.seal("token", **HERE) != RING.seal("token", **HERE)


def test_a_missing_key_is_named() -> None:
    sealed = BOTH.seal("token", **HERE)

    with pytest.raises(UnknownKey, match="k2"):
        RING.unseal(sealed, **HERE)


def test_another_key_under_the_same_name_is_unreadable() -> None:
    with pytest.raises(Unreadable):
        KeyRing.parse(generate_key("k1")).unseal(RING.seal("token", **HERE), **HERE)


def test_rewrapping_keeps_the_ciphertext() -> None:
    sealed = RING.seal("token", **HERE)
    rewrapped = BOTH.rewrap(sealed, **HERE)

    assert (key_id(sealed), key_id(rewrapped)) == ("k1", "k2")
    assert rewrapped.rpartition(".")[2] == sealed.rpartition(".")[2]
    assert KeyRing.parse(NEW).unseal(rewrapped, **HERE).reveal() == "token"
    assert BOTH.rewrap(rewrapped, **HERE) == rewrapped


@pytest.mark.parametrize("encoded", ["0123456789abcdef" * 4, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="])
def test_the_single_key_of_old_is_k0(encoded: str) -> None:
    assert KeyRing.parse(encoded).kids == ("k0",)
    assert KeyRing.parse(f"{NEW},{encoded}").primary == "k2"


@pytest.mark.parametrize(
    "text",
    [
        "", " , ", "k1:", "k1:abc", "k1:" + "zz" * 32, pytest.param(f"{OLD},{OLD}", id="one id twice"),
        f"a.b:{'ab' * 32}",
    ],
)  # fmt: skip
def test_bad_keys_are_refused_without_being_shown(text: str) -> None:
    with pytest.raises(ValueError, match="encryption key") as refused:
        KeyRing.parse(text)
    assert "zz" not in str(refused.value)


def test_a_ring_does_not_show_its_keys() -> None:
    assert OLD.partition(":")[2] not in f"{RING!r}{RING}"


async def seal_rows(store: Store, *names: str) -> None:
    async def work(transaction: Transaction) -> None:
        await transaction.run(insert(workspaces).values(id="wsp_1", name="w", created_at=1))
        for name in names:
            sealed = RING.seal(f"token of {name}", workspace="wsp_1", row=name, field=CREDENTIAL)
            await transaction.run(
                insert(connections).values(
                    workspace_id="wsp_1", id=name, platform="meta", name=name, status="active", sealed=sealed,
                    key_id="k1", accounts=[], created_by="usr_1", created_at=1,
                )
            )  # fmt: skip

    await store.write(work)


async def stored(store: Store) -> list[Row]:
    return await store.read(lambda transaction: transaction.all(select(connections).order_by(connections.c.id)))


async def change(store: Store, name: str, **values: Any) -> None:
    statement = update(connections).where(connections.c.id == name).values(**values)
    await store.write(lambda transaction: transaction.run(statement))


async def test_rotation_rewraps_every_connection_and_again_none(store: Store) -> None:
    await seal_rows(store, *(f"con_{n:03}" for n in range(250)))

    first = await rotate(store, BOTH)
    again = await rotate(store, BOTH)

    assert (first.rewrapped, first.rows, first.unreadable) == (250, {"k2": 250, "k1": 0}, ())
    assert again.rewrapped == 0
    only_new = KeyRing.parse(NEW)
    for row in await stored(store):
        token = only_new.unseal(row.sealed, workspace="wsp_1", row=row.id, field=CREDENTIAL)
        assert token.reveal() == f"token of {row.id}"


async def test_a_key_that_still_opens_something_is_counted(store: Store) -> None:
    await seal_rows(store, "con_1", "con_2")
    await change(store, "con_1", sealed="v1.k1.AAAA.AAAA")

    done = await rotate(store, BOTH)

    assert (done.rewrapped, done.unreadable, done.rows) == (1, ("con_1",), {"k2": 1, "k1": 1})


async def test_rotation_goes_on_where_it_was_stopped(store: Store) -> None:
    await seal_rows(store, "con_1", "con_2", "con_3")
    (row, *_) = await stored(store)
    rewrapped = BOTH.rewrap(row.sealed, workspace="wsp_1", row="con_1", field=CREDENTIAL)
    await change(store, "con_1", sealed=rewrapped, key_id="k2")

    assert (await rotate(store, BOTH)).rewrapped == 2


async def test_a_token_refreshed_meanwhile_wins(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    await seal_rows(store, "con_1")
    fresh = BOTH.seal("refreshed", workspace="wsp_1", row="con_1", field=CREDENTIAL)
    write = store.write

    async def refreshed_first(work: Any) -> Any:
        monkeypatch.undo()
        await change(store, "con_1", sealed=fresh, key_id="k2")
        return await write(work)

    monkeypatch.setattr(store, "write", refreshed_first)
    done = await rotate(store, BOTH)

    assert (done.rewrapped, done.rows) == (0, {"k2": 1, "k1": 0})
    assert [row.sealed for row in await stored(store)] == [fresh]


async def test_a_deleted_connection_holds_no_key(store: Store) -> None:
    await seal_rows(store, "con_1")
    await change(store, "con_1", sealed="", key_id="", deleted_at=2)

    done = await rotate(store, BOTH)

    assert (done.rewrapped, done.unreadable, done.rows) == (0, (), {"k2": 0, "k1": 0})


async def seal_traits(store: Store, *visitors: str, kid: KeyRing = RING) -> None:
    async def work(transaction: Transaction) -> None:
        for visitor in visitors:
            sealed = kid.seal(f"traits of {visitor}", workspace="wsp_1", row=f"admx_1/{visitor}", field=TRAITS)
            values = {"workspace_id": "wsp_1", "website_id": "admx_1", "visitor_id": visitor, "updated_at": 1}
            await transaction.run(insert(visitor_traits).values(**values, external_id_sha256="x", sealed_traits=sealed))

    await store.write(work)


async def test_rotation_rewraps_what_is_known_of_visitors_too(store: Store) -> None:
    await seal_rows(store, "con_1")
    await seal_traits(store, *(f"v_{n:03}/x" for n in range(250)))
    await seal_traits(store, "v_new", kid=BOTH)

    first = await rotate(store, BOTH)
    again = await rotate(store, BOTH)

    assert (first.rewrapped, first.rows, first.unreadable) == (251, {"k2": 252, "k1": 0}, ())
    assert again.rewrapped == 0
    kept = await store.read(lambda transaction: transaction.all(select(visitor_traits)))
    for row in kept:
        told = KeyRing.parse(NEW).unseal(
            row.sealed_traits, workspace="wsp_1", row=f"admx_1/{row.visitor_id}", field=TRAITS
        )
        assert told.reveal() == f"traits of {row.visitor_id}"


async def test_traits_that_cannot_be_opened_are_named_and_hold_up_no_others(store: Store) -> None:
    await seal_rows(store)
    await seal_traits(store, "v_1", "v_2")
    broken = update(visitor_traits).where(visitor_traits.c.visitor_id == "v_1").values(sealed_traits="v1.k1.AAAA.AAAA")
    await store.write(lambda transaction: transaction.run(broken))

    done = await rotate(store, BOTH)

    assert (done.rewrapped, done.unreadable, done.rows) == (1, ("admx_1/v_1",), {"k2": 1, "k1": 1})


@pytest.mark.sqlite
async def test_the_files_of_the_database_do_not_hold_the_secret(store: SqliteStore) -> None:
    await seal_rows(store, "con_1")

    files = [file.read_bytes() for file in store.path.parent.iterdir()]
    assert any(b"con_1" in content for content in files)
    assert not any(b"token of con_1" in content for content in files)
