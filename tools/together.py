"""Several accounts asked at once, bounded and in order; what fails becomes a named gap, and never silence."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from itertools import islice
from typing import TypeVar

from tools.capability import Output
from tools.context import Context
from tools.errors import CapabilityError, CredentialsUnreadable, ReauthRequired
from tools.fields import Platform
from tools.targets import Target

AT_ONCE = 4
"""Accounts asked at the same time; more gets an app throttled, not answered sooner."""

T = TypeVar("T")


class Gap(Output):
    """What could not be read and so is missing from the answer: an account, or a whole connection."""

    platform: Platform
    connectionId: str
    account_id: str | None = None  # left out: none of the connection's accounts can be read
    code: str
    message: str
    fix: str


class Freshness(Output):
    """Where the figures of an answer come from. `hit`: all of them were kept; `ageSeconds` is of the oldest part."""

    hit: bool
    ageSeconds: int


async def each(
    context: Context,
    held: Sequence[Target],
    ask: Callable[[Target], Awaitable[T]],
    take: Callable[[Target, T | CapabilityError], bool],
) -> None:
    """`take` gets what every target answers, in their order, and says whether more is wanted. Asked ahead of it are
    AT_ONCE at most; those still under way when it has enough are waited for, for the cache keeps what they say."""

    async def one(target: Target) -> T | CapabilityError:
        try:
            return await ask(target)
        except CapabilityError as error:
            return error

    ahead: deque[tuple[Target, asyncio.Task[T | CapabilityError]]] = deque()
    waiting, done = iter(held), 0
    try:
        while True:
            for target in islice(waiting, AT_ONCE - len(ahead)):
                ahead.append((target, asyncio.create_task(one(target))))
            if not ahead:
                return
            target, task = ahead[0]
            answer = await task
            ahead.popleft()
            done += 1
            await context.progress(done, len(held), target.account.name)
            if not take(target, answer):
                await asyncio.gather(*(task for _, task in ahead))
                return
    except BaseException:
        for _, task in ahead:
            task.cancel()
        raise


def gaps(failed: Iterable[tuple[Target, CapabilityError]]) -> tuple[Gap, ...]:
    """One for each account that failed; one for all of a connection's where its credentials are what fails."""
    named = {(gap.connectionId, gap.account_id, gap.code): gap for gap in map(_gap, failed)}
    return tuple(named.values())


def _gap(failure: tuple[Target, CapabilityError]) -> Gap:
    target, error = failure
    whole = isinstance(error, CredentialsUnreadable | ReauthRequired)
    return Gap(
        platform=target.connection.platform,
        connectionId=target.connection.id,
        account_id=None if whole else target.account.account_id,
        code=error.code,
        message=error.message,
        fix=error.fix,
    )
