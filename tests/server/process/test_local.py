"""When a background owner may end: nobody holds a stream, and nothing is pending."""

import asyncio

import pytest

from server.process.local import Presence

SHORT = 0.02


class House:
    def __init__(self, *answers: bool) -> None:
        self.answers = list(answers)

    async def busy(self) -> bool:
        return self.answers.pop(0) if self.answers else False


def present(house: House | None = None) -> Presence:
    presence = Presence("adw_local_x", background=True, version="1")
    presence.mounted(house or House())
    return presence


async def ends(presence: Presence) -> bool:
    await asyncio.wait_for(presence.until_unused(SHORT), 30)
    return True


async def stays(presence: Presence) -> bool:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(presence.until_unused(SHORT), 0.3)
    return True


async def test_nobody_ever_came() -> None:
    assert await ends(present())


async def test_a_holder_keeps_it_and_the_last_to_leave_lets_it_end() -> None:
    presence = present()
    presence.entered()
    presence.entered()
    presence.left()
    assert await stays(presence)
    presence.left()
    assert await ends(presence)


async def test_what_is_pending_keeps_it_until_it_is_settled() -> None:
    house = House(True, True)
    assert await ends(present(house))
    assert house.answers == []


async def test_who_comes_while_it_waits_keeps_it() -> None:
    presence = present()
    waiting = asyncio.create_task(presence.until_unused(0.1))
    await asyncio.sleep(0)
    presence.entered()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(waiting), 0.3)
    presence.left()
    await asyncio.wait_for(waiting, 30)
