"""ClickHouse's HTTP interface over the embedded engine: the real client library judges it, our engine speaks to it."""

import contextlib
import http.server
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from chdb.session import Session

_INSERT = re.compile(rb"\s*(INSERT\s+INTO\s.*?)\s+FORMAT\s+(\w+)[ \t]*\n?", re.IGNORECASE | re.DOTALL)
_KILL = re.compile(r"KILL QUERY WHERE query_id = '([^']*)' ASYNC")
_NO_SETTINGS = {
    *("query", "query_id", "database", "default_format", "session_id", "wait_end_of_query", "compress", "decompress"),
    *("client_protocol_version", "http_headers_progress_interval_ms", "send_progress_in_http_headers", "role"),
    *("enable_http_compression", "cancel_http_readonly_queries_on_client_close", "quota_key", "session_timeout"),
}
_STATUS = {60: 404, 62: 400, 47: 404, 516: 403}


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if urlsplit(self.path).path == "/ping":
            self._answer(200, b"Ok.\n")
        else:
            self._run(b"")

    def do_POST(self) -> None:
        if self.headers.get("Transfer-Encoding", "") == "chunked":
            self._run(b"".join(self._chunks()))
        else:
            self._run(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def log_message(self, *_: Any) -> None:
        return

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _run(self, body: bytes) -> None:
        given = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        statement = (given["query"].encode() + b"\n" if "query" in given else b"") + body
        session: Any = Session(self.server.directory)  # type: ignore[attr-defined, no-untyped-call]
        try:
            answer = _executed(session, statement, given)
        except RuntimeError as error:
            text = str(error)
            code = int((re.search(r"Code: (\d+)", text) or ["", "1002"])[1])
            self._answer(_STATUS.get(code, 500), text.encode(), {"X-ClickHouse-Exception-Code": str(code)})
        else:
            self._answer(200, answer, {"X-ClickHouse-Format": given.get("default_format", "TabSeparated")})
        finally:
            session.close()

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        with contextlib.suppress(ConnectionError):
            self.send_response(status)
            for name, value in {**(headers or {}), "X-ClickHouse-Timezone": "UTC"}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)


def _executed(session: Any, statement: bytes, given: dict[str, str]) -> bytes:
    if database := given.get("database", ""):
        session.query(f"USE `{database}`")
    settings = {k: v for k, v in given.items() if k not in _NO_SETTINGS and not k.startswith("param_")}
    for name, value in sorted(settings.items(), key=lambda item: item[0] == "readonly"):
        session.query(f"SET {name} = '{value}'")
    if inserting := _INSERT.match(statement):
        with session.send_insert(inserting[1].decode(), inserting[2].decode()) as stream:
            stream.append(statement[inserting.end() :])
            stream.finish()
        return b""
    sql = statement.decode()
    if killing := _KILL.search(sql):
        sql = f"KILL QUERY WHERE startsWith(query, '/*{killing[1]}*/') ASYNC"
    bound = {name.removeprefix("param_"): value for name, value in given.items() if name.startswith("param_")}
    marked = f"/*{given.get('query_id', '')}*/{sql}"
    return bytes(
        session.query(marked, given.get("default_format", "TabSeparated"), params=bound or None).bytes() or b""
    )


@contextlib.contextmanager
def clickhouse_server(directory: Path) -> Iterator[str]:
    """Its URL. A process has one embedded engine: the server's is the one that has `directory` open."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.directory = str(directory)  # type: ignore[attr-defined]
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
