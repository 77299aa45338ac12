"""What a worker does: it answers on the owner's socket until it is told to drain."""

import socket
from pathlib import Path

import uvloop

from server.app import create_app
from server.logs import configure
from server.process.local import Presence
from server.process.ownership import Record
from server.process.serving import end_at_the_latest, serve
from server.settings import Settings
from server.version import VERSION


def answer(directory: Path, listener: socket.socket, workers: int, url: str) -> None:
    settings = Settings.load(directory, first_start=False).listening(url).with_workers(workers)
    configure(settings)
    presence = Presence(Record.read(directory).token, background=False, version=VERSION)

    def draining() -> None:
        end_at_the_latest()
        presence.draining.set()

    app = create_app(settings, local_token=presence.token, extra=presence.mounted)
    uvloop.run(serve(app, listener, ready=lambda _: None, draining=draining))
