"""The analytics owner as a process of its own: one a directory, found again after a kill, kept beside the owner."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from server.analytics.access import Announced
from server.analytics.client import TinybirdClient
from server.process.files import read_json
from server.process.ownership import is_held, wait_until_free
from tools.errors import Unavailable

pytestmark = pytest.mark.slow

SECONDS = 60.0
Start = Callable[..., "subprocess.Popen[str]"]
PROJECT = {
    "hits.datasource": "SCHEMA >\n    `n` Int32 `json:$.n`\nENGINE MergeTree\nENGINE_SORTING_KEY n\n",
    "p_sum.pipe": "NODE answer\nSQL >\n    SELECT sum(n) AS n FROM hits\nTYPE endpoint\n",
}


def until(holds: Callable[[], Any]) -> None:
    give_up = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < give_up
        time.sleep(0.05)


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    for name in [name for name in os.environ if name.startswith(("ADWRIGHT_", "TINYBIRD_", "CLICKHOUSE_"))]:
        monkeypatch.delenv(name)
    running: list[subprocess.Popen[str]] = []

    def run(*arguments: str, **environment: str) -> "subprocess.Popen[str]":
        command = [sys.executable, *arguments]
        known = os.environ | environment
        running.append(subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=known, cwd=tmp_path.parent))
        return running[-1]

    yield run
    for process in running:
        process.kill()
        process.communicate(timeout=SECONDS)
    data = tmp_path / "data"
    if is_held(data / "analytics.lock"):
        with contextlib.suppress(ProcessLookupError, KeyError):
            os.kill(int(read_json(data / "analytics.json")["pid"]), signal.SIGKILL)
        assert wait_until_free(data / "analytics.lock", SECONDS)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    directory = tmp_path / "project"
    directory.mkdir()
    for name, text in PROJECT.items():
        (directory / name).write_text(text, encoding="utf-8")
    return directory


def adwright(*arguments: str, data: Path) -> list[str]:
    here = str(Path(__file__).parents[3])
    run = f"import sys; sys.path.insert(0, {here!r}); from server.cli.main import main; sys.exit(main())"
    return ["-c", run, *arguments, "--data", str(data)]


def announced(data: Path, process: "subprocess.Popen[str]") -> dict[str, Any]:
    until(lambda: process.poll() is not None or read_json(data / "analytics.json").get("pid") == process.pid)
    assert process.poll() is None, process.communicate()[1]
    return read_json(data / "analytics.json")


def test_what_was_acknowledged_is_there_after_a_kill_at_the_same_address_for_the_same_token(
    tmp_path: Path, start: Start, project: Path
) -> None:
    data = tmp_path / "data"
    command = adwright("analytics", "--project", str(project), data=data)
    first = start(*command)
    told = announced(data, first)
    assert (data / "analytics.json").stat().st_mode & 0o777 == 0o600
    bearer = {"authorization": f"Bearer {told['admin_token']}"}
    with httpx2.Client(base_url=told["url"], headers=bearer, timeout=SECONDS) as client:
        sent = client.post("/v0/events?name=hits&wait=true", content=b'{"n": 40}\n{"n": 2}\n{"n": "x"}')
        assert sent.json() == {"successful_rows": 2, "quarantined_rows": 1}
    other = start(*command)
    assert other.wait(SECONDS) == 1
    assert f"pid {first.pid}" in other.communicate()[1]

    first.kill()
    first.wait(SECONDS)
    again = announced(data, start(*command))

    same = ("url", "admin_token", "workspace_id")
    assert [again[name] for name in same] == [told[name] for name in same]
    with httpx2.Client(base_url=again["url"], headers=bearer, timeout=SECONDS) as client:
        assert client.get("/v0/pipes/p_sum.json").json()["data"] == [{"n": 42}]
    os.kill(again["pid"], signal.SIGTERM)
    until(lambda: not (data / "analytics.json").exists())
    assert wait_until_free(data / "analytics.lock", SECONDS)


def test_left_alone_it_ends(tmp_path: Path, start: Start) -> None:
    here, data = str(Path(__file__).parents[3]), str(tmp_path / "data")
    imports = "from pathlib import Path; from server.analytics.process import run"
    process = start(
        "-c", f"import sys; sys.path.insert(0, {here!r}); {imports}; run(Path({data!r}), alone_seconds=0.2)"
    )

    assert process.wait(SECONDS) == 0
    assert not (tmp_path / "data" / "analytics.json").exists()


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("p_sum.pipe", "NODE answer\nSQL >\n    SELECT 1\nTYPE nonsense\n", "p_sum.pipe"),
        ("hits.datasource", "SCHEMA >\n    `n` NoSuchType\nENGINE MergeTree\nENGINE_SORTING_KEY n\n", "NoSuchType"),
    ],
)
def test_a_project_that_cannot_be_served_says_why(
    tmp_path: Path, start: Start, project: Path, name: str, text: str, told: str
) -> None:
    (project / name).write_text(text, encoding="utf-8")

    process = start(*adwright("analytics", "--project", str(project), data=tmp_path / "data"))

    assert process.wait(SECONDS) == 1
    said = process.communicate()[1]
    assert told in said
    assert "fix: " in said
    assert "Traceback" not in said


async def test_the_owner_of_the_directory_keeps_a_store_beside_it(tmp_path: Path, start: Start) -> None:
    data = tmp_path / "data"
    serve = start(*adwright("serve", data=data), ADWRIGHT_ANALYTICS="on")
    until(lambda: serve.poll() is not None or read_json(data / "serve.json").get("token"))
    url = read_json(data / "serve.json")["url"]
    find = Announced(data)
    client = TinybirdClient(find, url=url)

    def healthy() -> bool:
        return httpx2.get(f"{url}/healthz", timeout=SECONDS).status_code == 200

    until(healthy)
    await client.ping()
    assert httpx2.get(f"{url}/v0/pipes/p_none.json").json()["error"], "the store answers through the owner"
    before = read_json(data / "analytics.json")

    os.kill(before["pid"], signal.SIGKILL)
    until(lambda: not healthy())
    with pytest.raises(Unavailable):
        await client.ping()

    until(healthy)
    after = read_json(data / "analytics.json")
    assert (after["url"], after["admin_token"]) == (before["url"], before["admin_token"])
    assert after["pid"] != before["pid"]
    await client.ping()
    await client.aclose()

    serve.terminate()
    assert serve.wait(SECONDS) == 0
    assert wait_until_free(data / "analytics.lock", SECONDS)
    assert json.loads((data / "analytics" / "identity.json").read_text())["admin_token"] == before["admin_token"]
