"""ClickHouse's error numbers as our errors: what a caller may do next depends on the number, never on the words."""

import re

from server.analytics.engine import (
    EngineError,
    EngineUnavailable,
    QueryCancelled,
    QueryRefused,
    QueryTimeout,
    QueryTooBig,
    RowsRefused,
)

_CANCELLED = (394,)
_TIMEOUT = (159, 160)  # exceeded, too slow to begin
_TOO_BIG = (158, 161, 191, 241, 290, 306, 307, 396)  # rows, columns, set, memory, output, recursion, bytes, result
_NO_ROOM = (75, 76, 243, 425)  # cannot write, cannot open, no space, the system's
_UNAVAILABLE = (101, 198, 202, 209, 210, 236, 242, 252, 319, 439, 516, 999)  # network, queue, read-only table, parts…
_ROWS = (
    *(6, 25, 26, 27, 32, 33, 38, 41, 53, 69, 70, 72, 117, 130, 131, 190, 298, 321, 338, 349, 376),
    *(407, 441, 467, 469, 675, 676, 691),
)  # a value does not parse, does not fit, or breaks a constraint

_KINDS: dict[int, type[EngineError]] = {
    **dict.fromkeys(_CANCELLED, QueryCancelled),
    **dict.fromkeys(_TIMEOUT, QueryTimeout),
    **dict.fromkeys(_TOO_BIG, QueryTooBig),
    **dict.fromkeys((*_NO_ROOM, *_UNAVAILABLE), EngineUnavailable),
}
_CODE = re.compile(r"Code: (\d+)\.")
_NOISE = re.compile(r"Code: \d+\. |DB::Exception: |DB::NetException: | ?\(version [^)]*(?:\([^)]*\))?\)")


def failure(text: str, *, code: int | None = None, inserting: bool = False) -> EngineError:
    """The engine's words, without what only repeats the number."""
    if code is None and (found := _CODE.search(text)):
        code = int(found[1])
    message = _NOISE.sub("", text).strip() or "The engine said nothing."
    if code is None:
        return EngineUnavailable(message)
    if code in _NO_ROOM:
        return EngineUnavailable(f"The engine cannot write, most likely because its disk is full. {message}", code)
    if inserting and code in _ROWS:
        return RowsRefused(message, code)
    return _KINDS.get(code, QueryRefused)(message, code)
