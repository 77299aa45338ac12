"""One of several processes that serve: started by the owner, with its socket, for as long as it lives."""

import importlib
import os
import socket
import sys
import threading
from pathlib import Path

# Imported late: an owner that ends while the product is being loaded must free its port at once all the same.
_ANSWERING = "server.process.answering"


def main(directory: Path, listener: int, lifeline: int, workers: int, url: str) -> None:
    threading.Thread(target=_end_with_the_owner, args=(lifeline,), name="lifeline", daemon=True).start()
    importlib.import_module(_ANSWERING).answer(directory, socket.socket(fileno=listener), workers, url)


def _end_with_the_owner(lifeline: int) -> None:
    """At once, also where the loop is stuck: what was begun here is recovered by another process."""
    os.read(lifeline, 1)
    os._exit(1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5])
