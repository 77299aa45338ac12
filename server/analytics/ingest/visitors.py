"""Visitors without cookies: known for a day by a keyed digest, whose key is thrown away when the day is over."""

import contextlib
import hmac
import os
import secrets
import time
from pathlib import Path

from server.process.files import OWNER_ONLY

_PREFIX = "salt-"
DAY_MS = 86_400_000


class DailyVisitors:
    """The key of a day (UTC) is a file, so that a restart and the other processes on the directory share it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._day = -1
        self._salt = b""

    def visitor(self, website_id: str, ip: str, user_agent: str, now_ms: int) -> str:
        """32 hexadecimal digits. Raises OSError where no key can be kept."""
        if now_ms // DAY_MS != self._day:
            self._turn(now_ms // DAY_MS)
        # Lengths first: no two visitors are spelled alike.
        told = f"{len(website_id)}|{website_id}|{len(ip)}|{ip}|{user_agent}"
        return hmac.digest(self._salt, told.encode("utf-8", "replace"), "sha256").hex()[:32]

    def _turn(self, day: int) -> None:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._directory / f"{_PREFIX}{time.strftime('%Y-%m-%d', time.gmtime(day * DAY_MS / 1000))}"
        with contextlib.suppress(FileExistsError):
            self._make(path)
        self._salt, self._day = path.read_bytes(), day
        for old in self._directory.glob(f"{_PREFIX}*"):
            if old.name < path.name:  # a process whose clock is behind must not throw away today's
                old.unlink(missing_ok=True)

    def _make(self, path: Path) -> None:
        """Whole or not at all, and the first process wins."""
        beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
        try:
            os.write(descriptor, secrets.token_bytes(32))
        finally:
            os.close(descriptor)
        try:
            os.link(beside, path)
        finally:
            beside.unlink()
