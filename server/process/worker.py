"""One of several processes that serve: started by the owner, on its socket, for as long as it lives."""

import os
import socket
import sys
import threading
from pathlib import Path

import uvloop

from server.app import create_app
from server.logs import configure
from server.process.local import Presence
from server.process.ownership import Record
from server.process.serving import end_at_the_latest, serve
from server.settings import Settings
from server.version import VERSION


def main(directory: Path, listener: socket.socket, lifeline: int, workers: int, url: str) -> None:
    threading.Thread(target=_end_with_the_owner, args=(lifeline,), name="lifeline", daemon=True).start()
    settings = Settings.load(directory, first_start=False).listening(url).with_workers(workers)
    configure(settings)
    presence = Presence(Record.read(directory).token, background=False, version=VERSION)

    def draining() -> None:
        end_at_the_latest()
        presence.draining.set()

    app = create_app(settings, local_token=presence.token, extra=presence.mounted)
    uvloop.run(serve(app, listener, ready=lambda _: None, draining=draining))


def _end_with_the_owner(lifeline: int) -> None:
    """At once, also where the loop is stuck: what was begun here is recovered by another process."""
    os.read(lifeline, 1)
    os._exit(1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), socket.socket(fileno=int(sys.argv[2])), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5])
