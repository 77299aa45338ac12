"""Logs are JSON without credentials, and so is what is reported to Sentry."""

import gzip
import io
import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import sentry_sdk

from server.logs import QUIETED, configure, masked, report_to
from server.settings import Settings
from tools.secret import Secret

CANARY = "EAACanaryCanaryCanaryCanary42"


@pytest.fixture
def logged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    root, stream = logging.getLogger(), io.StringIO()
    before = root.handlers[:]
    levels = {name: logging.getLogger(name).level for name in (None, *QUIETED)}
    monkeypatch.setattr("sys.stderr", stream)
    configure(Settings.read(tmp_path, {"ENCRYPTION_KEYS": "k1:" + "00" * 32}))
    yield stream
    root.handlers[:] = before
    for name, level in levels.items():  # other tests read what these say
        logging.getLogger(name).setLevel(level)


def test_a_line_is_one_json_object_with_its_request(logged: io.StringIO) -> None:
    logging.getLogger("adwright.access").info("%s %s", "GET", "/x", extra={"status": 200, "request_id": "req_1"})
    line = json.loads(logged.getvalue())
    assert (line["event"], line["status"], line["request_id"], line["level"]) == ("GET /x", 200, "req_1", "info")


def test_credentials_are_masked_wherever_they_stand(logged: io.StringIO) -> None:
    try:
        raise ValueError(f"token {CANARY}")
    except ValueError:
        logging.getLogger("any").exception("failed with %s", CANARY, extra={"request_id": CANARY})
    assert CANARY not in logged.getvalue()
    assert "ValueError" in json.loads(logged.getvalue())["exception"]


def test_what_is_nested_is_masked_too() -> None:
    value = {"a": [CANARY, {CANARY: (CANARY, b"raw", 1, None)}], "b": Secret(CANARY)}
    assert CANARY not in repr(masked(value))


def test_an_error_report_holds_no_credential_and_no_variables() -> None:
    received: list[bytes] = []
    arrived = threading.Event()

    class Sink(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()
            arrived.set()

        def log_message(self, *_: Any) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Sink)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        report_to(f"http://public@127.0.0.1:{server.server_port}/1")
        secret = CANARY
        try:
            raise ValueError(f"upstream said access_token={secret}")
        except ValueError as error:
            sentry_sdk.capture_exception(error)
        sentry_sdk.flush(5)
        assert arrived.wait(5)
    finally:
        sentry_sdk.get_client().close()
        sentry_sdk.init()
        server.shutdown()
        thread.join()
        server.server_close()
    sent = b"".join(_plain(body) for body in received)
    assert b"ValueError" in sent
    assert CANARY.encode() not in sent
    assert b'"vars"' not in sent


def _plain(body: bytes) -> bytes:

    return gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body
