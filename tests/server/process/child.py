"""The least a child of the owner is: it holds its lock, says where it answers, and ends when asked to."""

import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from os import getpid
from pathlib import Path
from typing import Any

from server.process.ownership import Held, locked

directory = Path(sys.argv[1])


class Alive(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        with (directory / "beats").open("a", encoding="utf-8") as beats:
            beats.write("x")
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        return


if (directory / "broken").exists():
    sys.exit("the child found no libraries")
try:
    with locked(directory / "child.lock"), HTTPServer(("127.0.0.1", 0), Alive) as server:
        told = {"url": f"http://127.0.0.1:{server.server_port}", "pid": getpid()}
        (directory / "child.json").write_text(json.dumps(told), encoding="utf-8")
        server.serve_forever()
except Held:
    sys.exit("another one has it")
