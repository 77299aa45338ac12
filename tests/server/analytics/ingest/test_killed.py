"""kill -9 in the middle of it: the one thing that no process can arrange for itself."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from server.analytics.ingest.spool import Spool

CHILD = """
import asyncio, sys
from pathlib import Path
from server.analytics.ingest.spool import Spool

async def one(spool, number):
    await spool.append(b"%d" % number)
    sys.stdout.write(f"{number}\\n")
    sys.stdout.flush()

async def main():
    spool = Spool(Path(sys.argv[1]), segment_bytes=2000)
    await spool.open()
    number = 0
    while True:
        await asyncio.gather(*(one(spool, number + each) for each in range(20)))
        number += 20

asyncio.run(main())
"""
ACKNOWLEDGED = 500


def acknowledged_until_killed(directory: Path) -> set[int]:
    command = [sys.executable, "-c", CHILD, str(directory)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[4]) as child:
        assert child.stdout is not None
        acknowledged = {int(child.stdout.readline()) for _ in range(ACKNOWLEDGED)}
        os.kill(child.pid, signal.SIGKILL)
        return acknowledged | {int(line) for line in child.stdout.read().splitlines(keepends=True) if b"\n" in line}


@pytest.mark.slow
async def test_what_a_killed_process_acknowledged_is_there_for_the_next(tmp_path: Path) -> None:
    acknowledged = await asyncio.to_thread(acknowledged_until_killed, tmp_path)

    spool = Spool(tmp_path)
    await spool.open()
    await spool.adopt()
    found = [
        orjson.loads(record) for segment in spool.segments for record, _ in await spool.read(segment, segment.taken)
    ]

    assert acknowledged <= set(found)
    assert len(found) == len(set(found))
    await spool.close()
