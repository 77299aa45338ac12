"""Children are started once, found again, ended by a clean stop, and outlive a kill of whoever started them."""

import asyncio
import sys
from pathlib import Path

import pytest

from server.process.children import Child, Children
from server.process.files import read_json
from server.process.ownership import is_held
from tests.server.process.conftest import kill
from tools.errors import Unavailable

pytestmark = pytest.mark.slow


@pytest.fixture
def home(directory: Path) -> Path:
    directory.mkdir()
    return directory


def command(home: Path) -> list[str]:
    return [sys.executable, "-m", "tests.server.process.child", str(home)]


async def test_a_clean_stop_ends_the_child(home: Path) -> None:
    async with Children(home) as children:
        url = await children.start("child", command(home))
        assert url == read_json(home / "child.json")["url"]
        assert (home / "beats").exists()
    assert not is_held(home / "child.lock")


async def test_a_child_of_an_owner_that_was_killed_is_adopted(home: Path) -> None:
    killed = Children(home)  # never left, as after a kill
    url = await killed.start("child", command(home))
    pid = read_json(home / "child.json")["pid"]
    async with Children(home) as children:
        assert await children.start("child", command(home)) == url
        assert read_json(home / "child.json")["pid"] == pid
    assert not is_held(home / "child.lock")
    await killed.__aexit__(None, None, None)


async def test_two_starters_end_in_one_child(home: Path) -> None:
    async with Children(home) as first, Children(home) as second:
        urls = await asyncio.gather(*(children.start("child", command(home)) for children in (first, second)))
        assert urls[0] == urls[1]


async def test_why_a_child_did_not_start_is_told_from_its_log(home: Path) -> None:
    (home / "broken").touch()
    async with Children(home) as children:
        with pytest.raises(Unavailable, match="found no libraries"):
            await children.start("child", command(home))


async def test_a_child_that_crashed_is_started_again(home: Path) -> None:
    async with Children(home, heartbeat_seconds=0.05) as children:
        await children.start("child", command(home))
        kill(home, "child")
        async with asyncio.timeout(10):
            while not is_held(home / "child.lock"):  # noqa: ASYNC110 -- another process takes it
                await asyncio.sleep(0.02)


async def test_a_child_that_runs_hears_heartbeats(home: Path) -> None:
    async with Children(home, heartbeat_seconds=0.05) as children:
        await children.start("child", command(home))
        async with asyncio.timeout(10):
            while (home / "beats").stat().st_size < 4:  # noqa: ASYNC110 -- another process writes it
                await asyncio.sleep(0.02)


async def test_one_that_is_kept_is_waited_for_by_nobody_and_started_again(home: Path) -> None:
    async with Children(home) as children:
        children.keep(Child(name="child", command=command(home), heartbeat_seconds=0.05))
        async with asyncio.timeout(10):
            while "pid" not in read_json(home / "child.json"):  # noqa: ASYNC110 -- another process writes it
                await asyncio.sleep(0.02)
        before = read_json(home / "child.json")["pid"]
        kill(home, "child")
        async with asyncio.timeout(10):
            while read_json(home / "child.json")["pid"] == before:  # noqa: ASYNC110 -- as above
                await asyncio.sleep(0.02)
    assert not is_held(home / "child.lock")


async def test_one_so_new_that_it_has_said_nothing_ends_with_its_owner(home: Path) -> None:
    asleep = [sys.executable, "-c", "import time; time.sleep(60)"]
    async with Children(home) as children:
        children.keep(Child(name="child", command=asleep, environment={"PYTHONSAFEPATH": "1"}))
        async with asyncio.timeout(10):
            while not children._started:  # noqa: ASYNC110 -- nothing tells that it was started
                await asyncio.sleep(0.01)
        ((_, process),) = children._started
    assert process.returncode not in (None, 0)
