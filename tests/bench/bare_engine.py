"""The embedded engine in a process of its own: `python -m tests.bench.bare_engine STORE QUESTIONS ROUNDS`."""

import json
import os
import sys
from pathlib import Path
from typing import Any

from chdb.session import Session

from tests.bench.processes import rss_mb, settle

RawSession: Any = Session  # without types of its own


def main() -> None:
    store, questions, rounds = sys.argv[1:]
    asked = json.loads(Path(questions).read_text(encoding="utf-8"))
    session = RawSession(store)
    session.query("; ".join(f"SET {name} = {value}" for name, value in asked["settings"].items()))
    settle(1)
    idle = rss_mb(os.getpid())
    for sql, bound in int(rounds) * asked["questions"]:
        session.query(sql, "JSON", params=bound or None).bytes()
    settle(1)
    sys.stdout.write(json.dumps({"idle": idle, "asked": rss_mb(os.getpid())}) + "\n")


if __name__ == "__main__":
    main()
