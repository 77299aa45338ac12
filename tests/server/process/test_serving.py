"""What a stop does to requests in flight, and what no client can do to the server."""

import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.process.asking import ask
from server.process.files import read_json
from server.process.ownership import wait_until_free
from server.process.serving import HEADER_READ_MS
from tests.server.process.conftest import in_foreground

pytestmark = pytest.mark.slow


@pytest.fixture
def served(directory: Path) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    with in_foreground(directory) as owner:
        yield owner


def open_request(url: str, path: str) -> socket.socket:
    host, _, port = url.removeprefix("http://").partition(":")
    connection = socket.create_connection((host, int(port)), timeout=10)
    connection.sendall(f"GET {path} HTTP/1.1\r\nhost: {host}\r\n\r\n".encode())
    return connection


def everything(connection: socket.socket) -> bytes:
    received = b""
    try:
        while piece := connection.recv(65536):
            received += piece
    except ConnectionResetError:
        pass
    connection.close()
    return received


def appears(path: Path) -> None:
    give_up = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < give_up
        time.sleep(0.01)


def test_a_stop_lets_a_running_request_finish(served: tuple[str, subprocess.Popen[bytes]], directory: Path) -> None:
    url, process = served
    connection = open_request(url, "/slow")
    appears(directory / "in-flight")
    process.send_signal(signal.SIGTERM)
    assert everything(connection).endswith(b"done")
    assert process.wait(5) == 0
    assert (directory / "closed").exists()


def test_a_stop_ends_endless_streams_at_once(served: tuple[str, subprocess.Popen[bytes]], directory: Path) -> None:
    url, process = served
    connection = open_request(url, "/events")
    while b"first" not in connection.recv(4096):
        pass
    process.send_signal(signal.SIGTERM)
    assert process.wait(2) == 0
    connection.close()
    assert (directory / "closed").exists()


def test_a_stop_cuts_off_a_request_that_never_ends(
    served: tuple[str, subprocess.Popen[bytes]], directory: Path
) -> None:
    url, process = served
    connection = open_request(url, "/stuck")
    appears(directory / "in-flight")
    process.send_signal(signal.SIGTERM)
    assert process.wait(5) == 0
    connection.close()
    assert (directory / "closed").exists()


def test_a_stop_ends_in_time_though_the_application_hangs(
    served: tuple[str, subprocess.Popen[bytes]], directory: Path
) -> None:
    (directory / "hang").touch()
    _, process = served
    process.send_signal(signal.SIGTERM)
    assert process.wait(5.5) == 1
    assert wait_until_free(directory / "owner.lock", 0)


def test_a_kill_frees_port_and_lock(served: tuple[str, subprocess.Popen[bytes]], directory: Path) -> None:
    url, process = served
    process.kill()
    process.wait()
    assert wait_until_free(directory / "owner.lock", 2)
    with pytest.raises(ConnectionError):
        ask(url, "GET", "/livez")
    assert read_json(directory / "serve.json")["url"] == url


def test_half_a_header_is_not_waited_for(served: tuple[str, subprocess.Popen[bytes]]) -> None:
    host, _, port = served[0].removeprefix("http://").partition(":")
    connection = socket.create_connection((host, int(port)), timeout=HEADER_READ_MS / 1000 + 5)
    connection.sendall(b"GET /livez HTTP/1.1\r\nho")
    assert everything(connection) == b""


def test_a_second_program_cannot_listen_on_the_same_port(served: tuple[str, subprocess.Popen[bytes]]) -> None:
    host, _, port = served[0].removeprefix("http://").partition(":")
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        with pytest.raises(OSError, match="in use"):
            other.bind((host, int(port)))
