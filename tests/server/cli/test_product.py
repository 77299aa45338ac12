"""The commands against the product itself: a directory from nothing, operated, called, diagnosed and stopped."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from server.cli.main import main
from server.process.files import read_json
from server.process.ownership import is_held, wait_until_free

pytestmark = pytest.mark.slow


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name in (
        "ADWRIGHT_DATA",
        "ADWRIGHT_URL",
        "ADWRIGHT_API_KEY",
        "PUBLIC_URL",
        "ENCRYPTION_KEYS",
        "META_GRAPH_URL",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ADWRIGHT_IDLE_SECONDS", "20")
    path = tmp_path / "data"
    yield path
    for name, file in (("owner", "serve.json"), ("sandbox", "sandbox.json")):
        if is_held(path / f"{name}.lock"):
            os.kill(int(read_json(path / file)["pid"]), signal.SIGTERM)
            assert wait_until_free(path / f"{name}.lock", 6)


class Commands:
    def __init__(self, directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._directory, self._capsys = directory, capsys

    def __call__(self, *words: str, status: int = 0) -> Any:
        assert main([*words, "--data", str(self._directory), "--json"]) == status
        return json.loads(self._capsys.readouterr().out)


@pytest.fixture
def adwright(directory: Path, capsys: pytest.CaptureFixture[str]) -> Commands:
    return Commands(directory, capsys)


def test_a_directory_is_operated_from_nothing(adwright: Commands) -> None:
    assert adwright("tools", "call", "whoami", status=1)["code"] == "conflict"
    owner = adwright("users", "create", "ann@example.com", "--role", "owner", "--name", "Ann")
    assert (owner["email"], owner["role"]) == ("ann@example.com", "owner")
    adwright("users", "create", "bob@example.com", "--role", "viewer")
    assert adwright("users", "create", "--role", "member")["email"] == "member@adwright.local"
    scopes = ("--scopes", "ads:read,pixel:read", "ads:write")
    key = adwright("keys", "create", "--name", "ci", *scopes, "--rate", "30", "--expires-days", "7")
    assert key["key"].startswith("adw_live_")
    assert key["scopes"] == ["ads:read", "pixel:read", "ads:write"]
    assert [row["name"] for row in adwright("keys", "list")] == ["ci"]
    assert adwright("keys", "revoke", key["id"])["revokedAt"]
    assert adwright("keys", "revoke", "key_none", status=1)["code"] == "not_found"
    assert adwright("login-link", "--email", "bob@example.com")["url"].startswith("http://127.0.0.1:")
    assert adwright("secrets", "rotate")["unreadable"] == []
    assert adwright("audit", "verify")["ok"] is True
    adwright("migrate")
    who = adwright("tools", "call", "whoami")
    assert (who["role"], who["via"], who["gated"]) == ("owner", "cli", True)
    assert adwright("tools", "call", "approve", "approval_id=apr_1", status=1)["code"] == "human_required"
    assert adwright("openapi")["openapi"].startswith("3.1")
    for format_ in ("anthropic", "openai", "mcp"):
        assert len(adwright("tools", "export", "--format", format_)) > 5
    checks = {check["name"]: check["ok"] for check in adwright("doctor", status=1)["checks"]}
    for away in ("meta", "google", "clock"):
        assert checks.pop(away) is False, "the real platforms are out of reach here"
    assert all(checks.values())


def test_the_demo_serves_stops_and_comes_back_as_it_was(adwright: Commands, directory: Path) -> None:
    first = _demo(directory)
    try:
        told = _appears(directory / "demo.json", first)
        assert (directory / "demo.json").stat().st_mode & 0o777 == 0o600
        assert {"url", "api_key", "login_url", "mcp_url", "sandbox_url"} <= told.keys()
        assert adwright("serve", status=1)["message"].startswith(f"Another Adwright (pid {first.pid})")
        campaigns = adwright("tools", "call", "list_campaigns", "status=ACTIVE")["items"]
        assert {campaign["platform"] for campaign in campaigns} == {"meta", "google"}
        changed = adwright(
            "tools", "call", "update_campaign", f"campaign_id={campaigns[0]['campaign_id']}", "status=PAUSED", status=3
        )
        assert changed["approval"]["status"] == "pending"
        assert adwright("doctor")["ok"] is True
    finally:
        first.send_signal(signal.SIGTERM)
        assert first.wait(6) == 0
    assert not is_held(directory / "sandbox.lock")

    # A command on the stopped demo's directory brings the simulated platforms back with its owner.
    assert adwright("tools", "call", "list_campaigns", "status=ACTIVE")["items"] == campaigns
    (directory / "demo.json").rename(directory / "demo.unfinished.json")  # as if it had been stopped while furnishing
    second = _demo(directory)
    try:
        again = _appears(directory / "demo.json", second)
        kept = ("url", "sandbox_url", "api_key")
        assert [again[name] for name in kept] == [told[name] for name in kept]
        assert (
            adwright("tools", "call", "get_approval", f"approval_id={changed['approval']['id']}")["status"] == "pending"
        )
    finally:
        second.send_signal(signal.SIGTERM)
        assert second.wait(6) == 0


def _demo(directory: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "server.cli.main", "demo", "--data", str(directory), "--no-open"],
        stdout=subprocess.DEVNULL,
    )


def _appears(path: Path, process: "subprocess.Popen[bytes]") -> dict[str, str]:
    give_up = time.monotonic() + 30
    while not path.exists():
        assert process.poll() is None
        assert time.monotonic() < give_up
        time.sleep(0.05)
    return read_json(path)
