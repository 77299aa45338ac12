"""The sandbox as a process of a benchmark: `python -m tests.bench.stand_in DIRECTORY` tells where it serves."""

import json
import os
import socket
import sys
from pathlib import Path

import uvloop

from server.process.serving import serve
from server.sandbox.app import create_app


async def main(directory: Path) -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"

    def tell(_: object) -> None:
        sys.stdout.write(json.dumps({"url": url, "pid": os.getpid()}) + "\n")
        sys.stdout.flush()

    await serve(create_app(directory), listener, ready=tell, draining=lambda: None)


if __name__ == "__main__":
    uvloop.run(main(Path(sys.argv[1])))
