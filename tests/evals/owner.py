"""The product's analytics store as a process that says where it is: tests of the engine have that of theirs."""

import json
import sys
from pathlib import Path

from server.analytics.process import run


def announce(url: str) -> None:
    sys.stdout.write(json.dumps({"url": url}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    run(Path(sys.argv[1]), told=announce)
