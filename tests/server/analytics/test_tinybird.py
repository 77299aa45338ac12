"""Sending our datafiles to a Tinybird, and noticing that what ships was not sent."""

import asyncio
import datetime as dt
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from server.analytics.tinybird import RECORD, Tinybird, banner, difference, digests, main
from tests.promises import promise
from tests.server.analytics.upstream import ADMIN, Upstream, upstream
from tools.errors import InvalidRequest, PlatformFailure, Unavailable
from tools.secret import Secret

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
READY = {"deployment": {"id": "7", "status": "data_ready"}}


@pytest.fixture
async def store() -> AsyncIterator[Upstream]:
    async with upstream() as seen:
        yield seen


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in {"datasources/hits.datasource": "SCHEMA >\n  a String\n", "pipes/p_a.pipe": "NODE n\n"}.items():
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def tinybird(store: Upstream) -> Tinybird:
    async def at_once(_: float) -> None:
        return

    return Tinybird(store.url, Secret(ADMIN), pause=at_once)


async def test_a_push_is_one_deployment_that_goes_live_once_it_is_ready(store: Upstream, project: Path) -> None:
    store.answer({"result": "success", "deployment": {"id": "7", "status": "pending"}})
    store.answer({"deployment": {"id": "7", "status": "creating"}})
    store.answer(READY)
    store.answer({})

    assert await tinybird(store).push(project, NOW) == "live"

    sent, *looks, live = store.asked
    assert (sent.method, sent.path, sent.headers["authorization"]) == ("POST", "/v1/deploy", f"Bearer {ADMIN}")
    for name in digests(project):
        assert f'name="data_project://"; filename="{name}"'.encode() in sent.body
    assert [look.path for look in looks] == ["/v1/deployments/7"] * 2
    assert (live.method, live.path) == ("POST", "/v1/deployments/7/set-live")
    record = json.loads((project / RECORD).read_text(encoding="utf-8"))
    assert record == {"host": store.url, "at": "2026-11-22T12:00:00+00:00", "files": digests(project)}


@promise("dev.observability.pipes-canary")
async def test_a_changed_pipe_that_was_not_pushed_is_reported(
    store: Upstream, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store.answer({"result": "no_changes"})
    await tinybird(store).push(project, NOW)
    assert main([str(project)]) == 0
    assert capsys.readouterr().err == ""

    (project / "pipes/p_a.pipe").write_text("NODE other\n", encoding="utf-8")
    (project / "pipes/p_b.pipe").write_text("NODE n\n", encoding="utf-8")
    (project / "datasources/hits.datasource").unlink()

    assert main([str(project)]) == 0, "it warns; whether to ship is a person's to say"
    told = capsys.readouterr().err
    for line in ("changed  pipes/p_a.pipe", "new      pipes/p_b.pipe", "removed  datasources/hits.datasource"):
        assert line in told
    assert "adwright analytics push" in told


def test_where_nothing_was_ever_pushed_there_is_nothing_to_warn_of(project: Path) -> None:
    assert difference(project) is None
    assert banner(project) == ""


def test_line_ends_of_another_system_are_no_change(project: Path) -> None:
    before = digests(project)

    (project / "pipes/p_a.pipe").write_bytes(b"NODE n\r\n")

    assert digests(project) == before


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        (
            [({"result": "failed", "errors": [{"filename": "p_a.pipe", "error": "no such table"}]}, 200)],
            "no such table",
        ),
        ([({"error": "Invalid token"}, 403)], "refuses the token: Invalid token"),
        ([("<html>Bad gateway</html>", 502)], "HTTP 502"),
        ([("<html>Sign in</html>", 200)], "cannot be read"),
        ([({"result": "success"}, 200)], "Tinybird"),
        (
            [({"result": "success", "deployment": {"id": 7, "status": "pending"}}, 200),
             ({"deployment": {"id": 7, "status": "failed", "errors": [{"error": "a column is gone"}]}}, 200)],
            "a column is gone",
        ),
        ([({"result": "success", **READY}, 200), ({"error": "not now"}, 409)], "not now"),
    ],
)  # fmt: skip
async def test_a_push_that_did_not_go_live_leaves_no_record(
    store: Upstream, project: Path, answers: list[tuple[Any, int]], told: str
) -> None:
    for body, status in answers:
        store.answer(body, status)

    with pytest.raises(PlatformFailure, match=told) as caught:
        await tinybird(store).push(project, NOW)

    assert caught.value.fix
    assert not (project / RECORD).exists()


async def test_a_deployment_that_is_never_ready_is_given_up(store: Upstream, project: Path) -> None:
    store.answer({"result": "success", "deployment": {"id": 7, "status": "pending"}})
    for _ in range(200):
        store.answer({"deployment": {"id": 7, "status": "pending"}})

    with pytest.raises(Unavailable, match="still at work"):
        await tinybird(store).push(project, NOW)


async def test_an_empty_project_is_not_sent(store: Upstream, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest):
        await tinybird(store).push(tmp_path, NOW)

    assert store.asked == []


async def test_what_the_workspace_does_not_have_is_missing(store: Upstream, project: Path) -> None:
    store.answer({"pipes": [{"name": "p_other"}]})
    store.answer({"datasources": [{"name": "hits"}]})

    assert await tinybird(store).missing(project) == ["pipes/p_a.pipe"]


async def test_a_tinybird_out_of_reach_is_unavailable(project: Path) -> None:
    with pytest.raises(Unavailable):
        await Tinybird("http://127.0.0.1:9", Secret(ADMIN)).push(project, NOW)


async def test_what_is_no_tinybird_is_called_so(store: Upstream, project: Path) -> None:
    store.answer({"error": "Not Found"}, 404)

    with pytest.raises(PlatformFailure, match="knows no /v1/deploy, so it is none") as refused:
        await tinybird(store).push(project, NOW)

    assert refused.value.fix == "Check TINYBIRD_HOST."
    assert not (project / RECORD).exists()


async def test_who_hangs_up_amid_a_deployment_may_be_no_tinybird(project: Path) -> None:
    async def hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.close()

    async with await asyncio.start_server(hangs_up, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Unavailable, match="amid the deployment: it may be no Tinybird"):
            await Tinybird(f"http://127.0.0.1:{port}", Secret(ADMIN)).push(project, NOW)
