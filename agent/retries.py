"""When the model is asked for the same answer again: as long as nobody has read a word of it, and not for long."""

import asyncio
import random

from agent.answer import Building
from agent.failures import Failed

QUIET_SECONDS = 30.0
"""Nobody waits longer for an answer that has not begun without being told why."""

_FIRST_WAIT, _LONGEST_WAIT = 0.5, 8.0
_JITTER = 0.25


class Retries:
    """Of one answer, for which a turn has `seconds` left.

    One that cannot begin, for the model is overloaded or out of reach, is tried `most` times more. One that had begun
    and broke off before any of its text was shown is asked for once more: thinking may be read twice, an answer not.
    """

    def __init__(self, seconds: float, most: int) -> None:
        now = asyncio.get_running_loop().time()
        self._turn_ends, self._quiet_ends = now + seconds, now + min(seconds, QUIET_SECONDS)
        self._most, self._made, self._broke_off = most, 0, False

    def pause(self, failed: Failed, building: Building) -> float | None:
        """How long to wait before the next; None where there is none."""
        if not failed.transient or building.read or self._broke_off or self._made >= self._most:
            return None
        self._broke_off = building.began
        wait = failed.asked if failed.asked is not None else min(_LONGEST_WAIT, _FIRST_WAIT * 2**self._made)
        wait *= 1 + random.uniform(0, _JITTER)  # noqa: S311 - so that not all come back at once
        self._made += 1
        until = self._turn_ends if building.began else self._quiet_ends
        return wait if asyncio.get_running_loop().time() + wait <= until else None
