"""What is remembered of who is who is never older than the last commit about it."""

from server.identity.remembered import KEPT, Remembered
from tools.store.engine import Changes


async def test_what_was_read_is_read_again_only_after_a_change() -> None:
    changes, reads = Changes(frozenset()), list[int]()
    remembered = Remembered[str, int](changes)

    async def read() -> int:
        reads.append(len(reads))
        return len(reads)

    assert [await remembered.get("a", read) for _ in range(3)] == [1, 1, 1]
    changes.count += 1
    assert [await remembered.get("a", read) for _ in range(3)] == [2, 2, 2]


async def test_what_was_read_before_a_change_is_not_kept_after_it() -> None:
    changes = Changes(frozenset())
    remembered = Remembered[str, str](changes)

    async def overtaken() -> str:
        changes.count += 1
        return "old"

    async def read() -> str:
        return "new"

    assert await remembered.get("a", overtaken) == "old"
    assert await remembered.get("a", read) == "new"


async def test_a_reading_overtaken_by_another_callers_is_not_kept() -> None:
    changes = Changes(frozenset())
    remembered = Remembered[str, str](changes)

    async def read() -> str:
        return "new"

    async def slow() -> str:
        changes.count += 1
        assert await remembered.get("b", read) == "new"
        return "old"

    assert await remembered.get("a", slow) == "old"
    assert await remembered.get("a", read) == "new"


async def test_nothing_is_remembered_where_others_write_too_nor_what_is_not_there() -> None:
    nowhere, absent = Remembered[str, str](None), Remembered[str, str | None](Changes(frozenset()))
    answers = iter(("one", "two"))

    async def read() -> str:
        return next(answers)

    async def nothing() -> None:
        return None

    assert [await nowhere.get("a", read), await nowhere.get("a", read)] == ["one", "two"]
    assert await absent.get("a", nothing) is None
    assert absent._known == {}


async def test_it_does_not_grow_without_bound() -> None:
    remembered = Remembered[int, int](Changes(frozenset()))

    for key in range(KEPT + 1):

        async def read(value: int = key) -> int:
            return value

        await remembered.get(key, read)

    assert len(remembered._known) <= KEPT
