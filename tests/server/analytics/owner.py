"""A process that owns an engine's directory: writes rows and says which are acknowledged, until it is killed."""

import asyncio
import itertools
import sys
from pathlib import Path

from server.analytics.chdb.engine import ChdbEngine
from server.analytics.engine import EngineUnavailable


async def main(directory: Path, batch: int) -> None:
    try:
        engine = await ChdbEngine.open(directory)
    except EngineUnavailable as error:
        sys.exit(error.message)
    await engine.command("CREATE DATABASE IF NOT EXISTS d")
    await engine.command("CREATE TABLE IF NOT EXISTS d.t (a UInt64) ENGINE = MergeTree ORDER BY a")
    (found,) = await engine.inspect("SELECT count() AS n FROM d.t")
    sys.stdout.write(f"has {found['n']}\n")
    sys.stdout.flush()
    for start in itertools.count(0, batch) if batch else ():
        await engine.insert("d.t", b"\n".join(b'{"a":%d}' % (start + each) for each in range(batch)), columns=["a"])
        sys.stdout.write(f"acknowledged {start + batch}\n")
        sys.stdout.flush()
    await engine.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
