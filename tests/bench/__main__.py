"""`./dev bench [name…]`: every speed we promise beside its alternative, both sides in one run, on this machine."""

import argparse
import asyncio
import json
import os
import platform
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from tests.bench import memory, rest, together
from tests.bench.table import Row, text

Benchmark = Callable[[bool], Iterable[Row]]


def _mcp(quick: bool) -> list[Row]:
    from tests.bench import mcp  # noqa: PLC0415 - loads the peers, which takes seconds

    if quick:
        mcp.BATCHES, mcp.CALLS_A_BATCH, mcp.LISTS_A_BATCH = 3, 50, 10
    return [Row(each.name, "µs CPU", each.ours, each.peer, each.target) for each in asyncio.run(mcp.measure())]


def _bridge(quick: bool) -> list[Row]:
    from tests.bench import bridge  # noqa: PLC0415 - as above

    return bridge.measure(quick=quick)


def _agent(quick: bool) -> list[Row]:
    from tests.bench import agent  # noqa: PLC0415 - loads the SDK, which takes seconds

    return agent.measure(quick=quick)


def _analytics(quick: bool, events: int | None = None, pipes: str | None = None) -> Iterable[Row]:
    from tests.bench import analytics  # noqa: PLC0415 - loads the engine, which not everybody has

    yield from analytics.measure(quick=quick, events=events, pipes=pipes)
    if not pipes:
        yield from _ingest(quick)
        yield from _owner(quick)


def _ingest(quick: bool) -> Iterable[Row]:
    from tests.bench import ingest  # noqa: PLC0415 - as above

    return _telling(ingest.measure(quick=quick))


def _owner(quick: bool) -> Iterable[Row]:
    from tests.bench import owner  # noqa: PLC0415 - as above

    return _telling(owner.measure(quick=quick))


def _telling(rows: Iterable[Row]) -> Iterator[Row]:
    """Each on stderr as soon as it is known."""
    for row in rows:
        sys.stderr.write(f"{row.told()}\n")
        yield row


BENCHMARKS: dict[str, Benchmark] = {
    "rest": lambda quick: rest.measure(quick=quick),
    "mcp": _mcp,
    "bridge": _bridge,
    "agent": _agent,
    "analytics": _analytics,
    "together": lambda quick: together.measure(quick=quick),
    "memory": lambda quick: memory.measure(quick=quick),
}
PARTS: dict[str, Benchmark] = {"ingest": _ingest, "owner": _owner}
"""Of analytics, which measures them too."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    named = f"any of {', '.join(BENCHMARKS)}, of analytics {', '.join(PARTS)}; all if left out"
    parser.add_argument("names", nargs="*", metavar="name", help=named)
    parser.add_argument("--quick", action="store_true", help="fewer rounds: to see that it works, not what it costs")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.add_argument("--pipes", metavar="p_a,p_b", help="of analytics only these pipes")
    parser.add_argument(
        "--events", type=int, help="of analytics so many, not ten million; the store is kept in .dev/bench"
    )
    given = parser.parse_args()
    if unknown := set(given.names) - BENCHMARKS.keys() - PARTS.keys():
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}")
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}"
    rows: list[Row] = []
    benchmarks: dict[str, Benchmark] = {
        **BENCHMARKS,
        **PARTS,
        "analytics": partial(_analytics, events=given.events, pipes=given.pipes),
    }
    try:
        for name in given.names or BENCHMARKS:
            rows.extend(benchmarks[name](given.quick))
            if not given.json:
                sys.stderr.write(f"{name} measured\n")
    finally:  # what was measured is told, also where the next one fails
        if given.json:
            shown = {"machine": machine, "quick": given.quick, "rows": [row.shown() for row in rows]}
            sys.stdout.write(json.dumps(shown, ensure_ascii=False) + "\n")
        else:
            sys.stdout.write(f"{machine}; medians\n{text(rows)}\n")


if __name__ == "__main__":
    main()
