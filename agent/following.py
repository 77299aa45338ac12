"""Following a conversation: its events come from the database alone, so each arrives once, whoever wrote it."""

import asyncio
from collections.abc import Sequence

from tools.context import Context
from tools.conversations import store as conversations
from tools.store.statements import Row

LOOK_SECONDS = 0.5
"""Where other processes write too, no bell of this one rings."""


class Bells:
    """Wakes those of this process who follow a conversation."""

    def __init__(self) -> None:
        self._listening: dict[str, set[asyncio.Event]] = {}

    def ring(self, conversation_id: str) -> None:
        for bell in self._listening.get(conversation_id, ()):
            bell.set()

    def listen(self, conversation_id: str) -> asyncio.Event:
        bell = asyncio.Event()
        self._listening.setdefault(conversation_id, set()).add(bell)
        return bell

    def leave(self, conversation_id: str, bell: asyncio.Event) -> None:
        listening = self._listening[conversation_id]
        listening.discard(bell)
        if not listening:
            del self._listening[conversation_id]


class Following:
    """The events after a number: to the next `done`, whichever run tells it, or for as long as a run or an approval is
    open."""

    def __init__(
        self,
        context: Context,
        bells: Bells,
        conversation_id: str,
        after: int,
        *,
        to_done: bool = False,
        replayed: bool = False,
    ) -> None:
        self._context, self._bells = context, bells
        self._id, self._after, self._to_done = conversation_id, after, to_done
        self._bell = bells.listen(conversation_id)
        self._bell.set()  # what there is already
        self.over, self.replayed = False, replayed

    async def next(self, seconds: float) -> Sequence[Row]:
        """What came since, as soon as there is some; nothing where the time passes, or when it is over."""
        deadline = asyncio.get_running_loop().time() + seconds
        while not self.over:
            if self._bell.is_set():
                self._bell.clear()
                found = await self._new()
                if not found:
                    found = await self._at_the_end()
                if found:
                    return found
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                break
            await self._rung(left)
        return ()

    def close(self) -> None:
        self._bells.leave(self._id, self._bell)

    async def _new(self) -> Sequence[Row]:
        found = await conversations.events(self._context.rows, self._id, self._after)
        done = [at for at, event in enumerate(found, 1) if event.name == "done"] if self._to_done else []
        if done:  # what follows belongs to another run
            self.over, found = True, found[: done[0]]
        if found:
            self._after = found[-1].seq
            if not self._to_done or len(found) == conversations.EVENTS_AT_ONCE:
                self._bell.set()  # there may be more, or no more ever
        return found

    async def _at_the_end(self) -> Sequence[Row]:
        """Nothing is new; where nothing will come either, one more look: the last events came with that news."""
        session = await conversations.session(self._context.rows, self._id)
        status = conversations.Status.IDLE if session is None else session.status
        if status == conversations.Status.RUNNING or (status == conversations.Status.WAITING and not self._to_done):
            return ()
        found = await self._new()
        if not found:
            self.over = True
            self._bell.set()  # nobody need wait for anything
        return found

    async def _rung(self, seconds: float) -> None:
        """Until the bell rings, or the time has come to look without it: for others, and after a takeover."""
        try:
            async with asyncio.timeout(min(seconds, LOOK_SECONDS) if self._context.store.shared else seconds):
                await self._bell.wait()
        except TimeoutError:
            self._bell.set()
