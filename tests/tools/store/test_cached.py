"""What was kept is held in memory for as long as it is what the database would say, and within bounds."""

from collections.abc import Sequence

import pytest

from tools.store.cached import MOST_BYTES, Keeping
from tools.store.engine import Store
from tools.store.statements import Row
from tools.store.tables import insights_cache, workspaces
from tools.store.tenant import Rows

NOW, LATER = 1_000, 2_000


@pytest.fixture
async def ours(store: Store) -> Rows:
    return await workspace(store, "wsp_ours")


async def workspace(store: Store, identifier: str) -> Rows:
    rows = Rows(store, identifier)
    named = rows.insert(workspaces, name=identifier, created_at=1)
    await store.write(lambda transaction: transaction.run(named))
    return rows


async def keep(store: Store, rows: Rows, key: str, value: bytes) -> None:
    about = {"platform": "meta", "connection_id": "con_1", "account_id": "act_1"}
    times = {"created_at": NOW, "expires_at": LATER}
    entry = rows.upsert(insights_cache, {"cache_key": key, "value": value, **about, **times})
    await store.write(lambda transaction: transaction.run(entry))


async def read(keeping: Keeping, rows: Rows, *keys: str, now: int = NOW) -> dict[str, bytes]:
    return values(await keeping.entries(rows, keys, now))


def values(found: dict[str, Row]) -> dict[str, bytes]:
    return {key: bytes(row.value) for key, row in found.items()}


async def test_strangers_with_the_same_key_find_their_own(store: Store, ours: Rows) -> None:
    keeping, theirs = Keeping(store), await workspace(store, "wsp_theirs")
    await keep(store, ours, "list", b"ours")

    assert await read(keeping, ours, "list") == {"list": b"ours"}
    assert await read(keeping, theirs, "list") == {}
    await keep(store, theirs, "list", b"theirs")
    assert (await read(keeping, ours, "list"), await read(keeping, theirs, "list")) == (
        {"list": b"ours"}, {"list": b"theirs"},
    )  # fmt: skip


async def test_the_database_is_read_once_where_nobody_else_writes_to_it(store: Store, ours: Rows) -> None:
    keeping = Keeping(store)
    await keep(store, ours, "list", b"kept")

    first, again = [(await keeping.entries(ours, ["list"], NOW))["list"] for _ in range(2)]

    assert again == first
    assert (again is first) is not store.shared


async def test_what_was_written_since_is_what_is_found(store: Store, ours: Rows) -> None:
    keeping = Keeping(store)
    for value in (b"first", b"second"):
        await keep(store, ours, "list", value)
        assert await read(keeping, ours, "list", "other") == {"list": value}
    gone = ours.delete(insights_cache)
    await store.write(lambda transaction: transaction.run(gone))

    assert await read(keeping, ours, "list") == {}


async def test_what_has_expired_is_not_found_though_it_is_held(store: Store, ours: Rows) -> None:
    keeping = Keeping(store)
    await keep(store, ours, "list", b"kept")

    assert await read(keeping, ours, "list", now=LATER - 1) == {"list": b"kept"}
    assert await read(keeping, ours, "list", now=LATER) == {}


@pytest.mark.parametrize("sizes", [[MOST_BYTES + 1], [MOST_BYTES // 2 + 1] * 3])
async def test_what_is_too_much_to_hold_is_read_again(store: Store, ours: Rows, sizes: Sequence[int]) -> None:
    keeping, keys = Keeping(store), [f"list {number}" for number in range(len(sizes))]
    for key, size in zip(keys, sizes, strict=True):
        await keep(store, ours, key, b"x" * size)

    for _ in range(2):
        found = await read(keeping, ours, *keys)
        assert [len(found[key]) for key in keys] == list(sizes)
