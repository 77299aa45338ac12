"""Commands find the owner of their directory, or start it; real processes throughout."""

import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from server.process.client import Owner, connect, running, take_over
from server.process.files import read_json, write_private
from server.process.ownership import Record, is_held, wait_until_free
from tests.server.process.conftest import STAND_IN, in_foreground, kill, status
from tools.errors import Conflict, Unavailable

pytestmark = pytest.mark.slow
Start = Callable[[], Owner]
ONE = """
import sys
from pathlib import Path
from server.process.client import connect
connect(Path(sys.argv[1]), command=[sys.executable, "-m", "tests.server.process.start_stand_in"]).close()
"""


def starts(directory: Path) -> int:
    return len((directory / "starts").read_text(encoding="utf-8").splitlines())


def gone(directory: Path) -> bool:
    return wait_until_free(directory / "owner.lock", 10)


def test_the_first_command_starts_an_owner_and_the_second_finds_it(directory: Path, start: Start) -> None:
    first, second = start(), start()
    assert first.url == second.url
    assert starts(directory) == 1
    assert (directory / "serve.json").stat().st_mode & 0o777 == 0o600
    assert status(first.url, "GET", "/livez") == 200


def test_ten_commands_at_once_end_in_one_owner(directory: Path) -> None:
    def command(_: int) -> int:
        return subprocess.run([sys.executable, "-c", ONE, str(directory)], timeout=60, check=False).returncode

    with ThreadPoolExecutor(10) as pool:
        assert set(pool.map(command, range(10))) == {0}
    assert starts(directory) == 1


def test_a_background_owner_ends_after_the_last_client_left(directory: Path, start: Start) -> None:
    first, second = start(), start()
    first.close()
    assert not wait_until_free(directory / "owner.lock", 1)
    second.close()
    assert gone(directory)
    assert (directory / "closed").exists()
    assert read_json(directory / "serve.json").keys() == {"url", "version"}


def test_a_background_owner_stays_while_something_is_pending(directory: Path, start: Start) -> None:
    owner = start()
    (directory / "busy").touch()
    owner.close()
    assert not wait_until_free(directory / "owner.lock", 1.2)
    (directory / "busy").unlink()
    assert gone(directory)


def test_the_directory_keeps_its_port_over_a_restart(directory: Path, start: Start) -> None:
    owner = start()
    owner.close()
    assert gone(directory)
    assert start().url == owner.url


def test_a_kill_frees_the_lock_and_the_port_at_once(directory: Path, start: Start) -> None:
    owner = start()
    kill(directory)
    again = start()
    assert again.url == owner.url
    assert again.token != owner.token
    assert starts(directory) == 2


def test_a_client_sees_that_its_owner_left(directory: Path, start: Start) -> None:
    owner = start()
    kill(directory)
    owner.hold.settimeout(30)
    while owner.hold.recv(4096):
        pass


def test_an_owner_of_another_version_is_asked_to_make_way(directory: Path, start: Start) -> None:
    owner = start()
    write_private(
        directory / "serve.json", (directory / "serve.json").read_text().replace('"version": "', '"version": "9')
    )
    assert start().token != owner.token
    assert starts(directory) == 2


def test_why_an_owner_did_not_start_is_told_from_its_log(directory: Path, start: Start) -> None:
    directory.mkdir()
    (directory / "newer").touch()
    with pytest.raises(Unavailable, match="written by a newer Adwright"):
        start()


def test_an_owner_that_never_answers_is_given_up_on(directory: Path) -> None:
    silent = [sys.executable, "-c", "import time; time.sleep(2)"]
    with pytest.raises(Unavailable, match="No answer"):
        connect(directory, command=silent, seconds=0.3)


def test_a_stale_serve_json_is_not_believed(directory: Path, start: Start) -> None:
    directory.mkdir()
    write_private(directory / "serve.json", '{"url": "http://127.0.0.1:9", "token": "adw_local_old", "pid": 1}')
    assert running(directory) is None
    assert start().token != "adw_local_old"


def test_a_foreground_owner_takes_over_from_one_in_the_background(directory: Path, start: Start) -> None:
    start()
    take_over(directory)
    assert not is_held(directory / "owner.lock")
    assert (directory / "closed").exists()


def test_a_foreground_owner_is_left_alone_and_named(directory: Path) -> None:
    with in_foreground(directory) as (url, process):
        with pytest.raises(Conflict, match=f"pid {process.pid}.*{url}"):
            take_over(directory)
        with connect(directory, command=STAND_IN, seconds=20) as owner:
            assert owner.url == url
            assert status(owner.url, "POST", "/local/drain", owner.token) == 409
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0


def test_a_directory_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable, match="cannot be written"):
        connect(tmp_path / "file" / "data")


def test_strangers_cannot_hold_or_drain(start: Start) -> None:
    owner = start()
    for method, path in (("GET", "/local/hold"), ("POST", "/local/drain")):
        assert status(owner.url, method, path) == 401
        assert status(owner.url, method, path, "adw_local_guess") == 401


def test_the_token_is_256_random_bits(directory: Path, start: Start) -> None:
    start()
    assert len(Record.read(directory).token.removeprefix("adw_local_")) == 43
