"""The lock, the port and serve.json, without starting anything."""

import json
import socket
import threading
from pathlib import Path

import pytest

from server.process.ownership import Held, Record, address, is_held, listen, locked, own
from tools.errors import Conflict, Unavailable


def test_one_at_a_time_owns_a_directory(tmp_path: Path) -> None:
    with own(tmp_path, background=True, version="1"):
        assert is_held(tmp_path / "owner.lock")
        with pytest.raises(Held), own(tmp_path, background=True, version="1"):
            pass
    assert not is_held(tmp_path / "owner.lock")


def test_looking_at_a_lock_does_not_keep_anyone_from_it(tmp_path: Path) -> None:
    path, enough = tmp_path / "owner.lock", threading.Event()

    def look() -> None:
        while not enough.is_set():
            is_held(path)

    looking = [threading.Thread(target=look) for _ in range(3)]
    for thread in looking:
        thread.start()
    try:
        for _ in range(50):
            with locked(path, patience=5):
                pass
    finally:
        enough.set()
        for thread in looking:
            thread.join()


def test_serve_json_tells_where_while_it_serves_and_keeps_the_port_after(tmp_path: Path) -> None:
    with own(tmp_path, background=True, version="1.2") as ownership:
        assert Record.read(tmp_path) == Record()
        ownership.announce("http://127.0.0.1:8123")
        record = Record.read(tmp_path)
        assert (record.url, record.background, record.version) == ("http://127.0.0.1:8123", True, "1.2")
        assert record.token == ownership.token
        assert ownership.token not in repr(record)
    assert json.loads((tmp_path / "serve.json").read_text()) == {"url": "http://127.0.0.1:8123", "version": "1.2"}
    assert Record.read(tmp_path).port == 8123


@pytest.mark.parametrize("text", ["", "{", "[]", "null"])
def test_a_broken_serve_json_is_no_owner(tmp_path: Path, text: str) -> None:
    (tmp_path / "serve.json").write_text(text, encoding="utf-8")
    assert Record.read(tmp_path) == Record()


def test_a_port_asked_for_and_taken_is_one_clear_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(Conflict, match=f"Port {port} on 127.0.0.1 is taken"):
            listen("127.0.0.1", port)


def test_a_remembered_port_that_is_taken_gives_way_to_a_free_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with listen("127.0.0.1", 0, remembered=port) as listener:
            assert listener.getsockname()[1] != port


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(Unavailable, match="Cannot listen on"):
        listen("192.0.2.1", 0)


def test_clients_use_the_loopback_of_a_listener_on_every_address() -> None:
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        everywhere = "0.0.0.0"  # noqa: S104 -- nothing is bound to it
        assert address(everywhere, listener) == address("127.0.0.1", listener) == f"http://127.0.0.1:{port}"
        assert address("::", listener) == f"http://[::1]:{port}"


def test_a_directory_that_is_a_file_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable, match="cannot be written"), own(tmp_path / "file", background=True, version="1"):
        pass
