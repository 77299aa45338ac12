"""`adwright doctor`: everything that usually is the matter, each with the one thing to do about it."""

import asyncio
import contextlib
import email.utils
import http.client
import shutil
import socket
import sqlite3
import sys
import time
import urllib.parse
from argparse import Namespace
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import asyncpg

from server.analytics.access import embedded
from server.cli import doctor_model
from server.cli.doctor_probe import TIMEOUT, Problem, Warned, asked_of
from server.cli.output import ERROR, show, style
from server.process.client import running
from server.process.environment import data_directory, variables
from server.process.files import make_directory, read_json, write_private
from server.process.ownership import Record, is_held
from server.settings import Settings
from tools.errors import CapabilityError
from tools.fields import Platform
from tools.secret import Secret
from tools.store.migrations import shipped
from tools.store.roles import APP, is_walled
from tools.store.sealing import CREDENTIAL, KeyRing, SealingError

T = TypeVar("T")

ENOUGH_BYTES = 200 * 1024 * 1024
SKEW_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Checked:
    name: str
    ok: bool
    told: str
    fix: str = ""

    def wire(self) -> dict[str, object]:
        """What is well and has a fix all the same is a warning."""
        shown: dict[str, object] = {"name": self.name, "ok": self.ok, "message": self.told}
        return shown | ({"fix": self.fix} if self.fix else {})

    @property
    def mark(self) -> str:
        if not self.ok:
            return style("31", "FAIL", sys.stdout)
        return style("33", "warn", sys.stdout) if self.fix else style("32", "ok  ", sys.stdout)


def run(arguments: Namespace) -> int:
    checked = [_checked(name, check) for name, check in _checks(data_directory(arguments.data))]
    healthy = all(each.ok for each in checked)
    lines = [line for each in checked for line in _lines(each)]
    show({"ok": healthy, "checks": [each.wire() for each in checked]}, as_json=arguments.json, text="\n".join(lines))
    return 0 if healthy else ERROR


def _lines(checked: Checked) -> Iterator[str]:
    yield f"{checked.mark}  {checked.name:<12} {checked.told}"
    if checked.fix:
        yield f"      {'':<12} fix: {checked.fix}"


def _checked(name: str, check: Callable[[], str]) -> Checked:
    try:
        return Checked(name, True, check())
    except Problem as problem:
        return Checked(name, isinstance(problem, Warned), problem.told, problem.fix)
    except CapabilityError as error:
        return Checked(name, False, error.message, error.fix)


def _checks(directory: Path) -> Iterator[tuple[str, Callable[[], str]]]:
    """Nothing is started and nothing but a probe file written."""
    yield "python", _python
    yield "data", lambda: _writable(directory)
    yield "disk", lambda: _space(directory)
    yield "settings", lambda: _settings(directory)
    yield "owner", lambda: _owner(directory)
    yield "port", lambda: _port(directory)
    yield "database", lambda: _database(directory)
    yield "credentials", lambda: _credentials(directory)
    yield "meta", lambda: _platform(directory, Platform.META)
    yield "google", lambda: _platform(directory, Platform.GOOGLE)
    yield "model", lambda: doctor_model.model(directory)
    yield "titles", lambda: doctor_model.titles(directory)
    yield "prices", lambda: doctor_model.prices(directory)
    yield "analytics", lambda: _analytics(directory)
    yield "clock", lambda: _clock(directory)


def _python() -> str:
    return f"{sys.version.split()[0]} at {sys.executable}"


def _writable(directory: Path) -> str:
    make_directory(directory)
    probe = directory / ".doctor"
    write_private(probe, "")
    probe.unlink()
    return str(directory)


def _space(directory: Path) -> str:
    free = shutil.disk_usage(directory if directory.exists() else Path("/")).free
    if free < ENOUGH_BYTES:
        raise Problem(f"{free // 2**20} MiB are free", "Free some space: without it, writes are refused.")
    return f"{free // 2**20} MiB are free"


def _settings(directory: Path) -> str:
    if not (directory / "settings.env").exists():
        return "not there yet: the first start writes them"
    Settings.load(directory, first_start=False)
    return "readable"


def _owner(directory: Path) -> str:
    record = running(directory)
    if record is None:
        return "none runs; a command that needs one starts it"
    return f"pid {record.pid} at {record.url}{' (background)' if record.background else ''}"


def _port(directory: Path) -> str:
    port = Record.read(directory).port
    if not port:
        return "not chosen yet"
    if running(directory):
        return f"{port}, held by the owner"
    with contextlib.closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise Problem(
                f"{port} is taken by another program; addresses given out before would not work",
                "Stop that program, or accept a new port: the next start chooses one.",
            ) from None
    return f"{port}, free for the next start"


def _database(directory: Path) -> str:
    if not _is_there(directory):
        return "not there yet: the first start makes it"
    address = _address(directory)
    if address is None:
        ((state,),) = _rows(directory, "PRAGMA quick_check(1)")
        if state != "ok":
            raise Problem(f"damaged: {state}", "Restore a backup of adwright.db.")
    ((found,),) = _rows(directory, "SELECT max(version) FROM schema_migrations")
    newest = shipped()[-1].version
    if found > newest:
        raise Problem(f"schema {found}, this program knows {newest}", "Run a newer adwright.")
    told = f"schema {found}" if found == newest else f"schema {found}; the next start brings it to {newest}"
    return told if address is None else f"PostgreSQL, {told}; {_walls(address)}"


def _walls(address: Secret) -> str:
    if asyncio.run(_asked_server(address, is_walled)):
        return "row-level security stands"
    raise Problem(
        "row-level security does not stand: only the program keeps workspaces apart",
        f"As an administrator of the server: CREATE ROLE {APP} NOLOGIN; GRANT {APP} TO the role of DATABASE_URL. "
        "The next start does the rest.",
    )


def _address(directory: Path) -> Secret | None:
    url = variables(directory).get("DATABASE_URL")
    return None if url is None else Secret(url)


def _is_there(directory: Path) -> bool:
    if _address(directory) is None:
        return (directory / "adwright.db").exists()
    return bool(_rows(directory, "SELECT 1 WHERE to_regclass('schema_migrations') IS NOT NULL"))


def _rows(directory: Path, sql: str) -> list[Any]:
    if (address := _address(directory)) is not None:
        return asyncio.run(_asked_server(address, lambda connection: connection.fetch(sql)))
    path = directory / "adwright.db"
    try:
        with contextlib.closing(sqlite3.connect(f"file:{urllib.parse.quote(str(path))}?mode=ro", uri=True)) as file:
            return file.execute(sql).fetchall()
    except sqlite3.Error as error:
        raise Problem(f"{path} cannot be read: {error}", "Restore a backup of adwright.db.") from error


async def _asked_server(address: Secret, question: Callable[[Any], Awaitable[T]]) -> T:
    try:
        connection = await asyncpg.connect(address.reveal(), timeout=TIMEOUT, statement_cache_size=0)
        try:
            return await question(connection)
        finally:
            await connection.close()
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise Problem(
            f"PostgreSQL does not let us in: {error}", "Check DATABASE_URL, and that the server runs."
        ) from None


def _credentials(directory: Path) -> str:
    if not _is_there(directory):
        return "no connections yet"
    rows = _rows(
        directory, "SELECT id, workspace_id, sealed FROM connections WHERE deleted_at IS NULL AND sealed != ''"
    )
    if not rows:
        return "no connections yet"
    ring = KeyRing.parse(Settings.load(directory, first_start=False).encryption_keys.reveal())
    unreadable = [id_ for id_, workspace, sealed in rows if not _opens(ring, id_, workspace, sealed)]
    if unreadable:
        raise Problem(
            f"{len(unreadable)} of {len(rows)} connections cannot be unsealed: {' '.join(unreadable)}",
            "Put the key they were sealed under back into ENCRYPTION_KEYS, or connect those accounts again.",
        )
    return f"{len(rows)} connections, all readable"


def _opens(ring: KeyRing, row: str, workspace: str, sealed: str) -> bool:
    try:
        ring.unseal(sealed, workspace=workspace, row=row, field=CREDENTIAL)
    except SealingError:
        return False
    return True


def _platform(directory: Path, platform: Platform) -> str:
    asked = _asked(directory, platform)
    return f"{asked[0]} answers" if asked else "simulated; it comes with the owner"


def _clock(directory: Path) -> str:
    asked = _asked(directory, Platform.META)
    if asked is None or not asked[1]:
        return "not compared: nobody there tells the time"
    url, date = asked
    skew = abs(time.time() - email.utils.parsedate_to_datetime(date).timestamp())
    if skew > SKEW_SECONDS:
        raise Problem(f"{skew:.0f} s away from {url}", "Set this machine's clock, best by a time service.")
    return "agrees with the platform's"


_URLS = {Platform.META: "meta_graph_url", Platform.GOOGLE: "google_ads_url"}


def _asked(directory: Path, platform: Platform) -> tuple[str, str] | None:
    """The platform's base URL, and the Date it answered with. Any answer will do, a refusal too."""
    name = _URLS[platform]
    url = str(Settings.model_fields[name].default)
    if (directory / "settings.env").exists():
        settings = Settings.load(directory, first_start=False)
        url = str(getattr(settings, name))
        if url == f"{settings.adwright_sandbox}/{platform.value}" and running(directory) is None:
            return None
    parts = urllib.parse.urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT)
    try:
        connection.request("HEAD", parts.path or "/")
        return url, connection.getresponse().headers.get("date", "")
    except (OSError, http.client.HTTPException) as error:
        raise Problem(f"{url} does not answer: {error}", f"Check the network and {name.upper()}.") from error
    finally:
        connection.close()


def _analytics(directory: Path) -> str:
    """Whether the store answers, and our token opens it."""
    known = variables(directory)
    base, token = known.get("TINYBIRD_HOST", "").rstrip("/"), known.get("TINYBIRD_ADMIN_TOKEN", "")
    where, fix = base, "Check TINYBIRD_HOST, and set TINYBIRD_ADMIN_TOKEN to the workspace's admin token."
    if not base:
        if not embedded(known):
            return "none: adwright[analytics] brings a store, or set TINYBIRD_HOST to use Tinybird"
        found = read_json(directory / "analytics.json")
        base, token = str(found.get("url", "")), str(found.get("admin_token", ""))
        where, fix = "the embedded store", f"See {directory / 'analytics.log'}."
        if not is_held(directory / "analytics.lock"):
            if running(directory) is None:
                return "embedded; it comes with the owner"
            raise Problem("the embedded store does not run, though its owner does", fix)
    status, _ = asked_of(base, "/v0/pipes?attrs=name", {"authorization": f"Bearer {token}"}, fix)
    if status != 200:
        raise Problem(f"{where} answers {status}", fix)
    return f"{where} answers at {base}" if where != base else f"{base} answers"
