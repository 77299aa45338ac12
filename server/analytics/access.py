"""Which analytics store this process speaks to: Tinybird, the embedded owner of the data directory, or none."""

import importlib.util
from collections.abc import Mapping
from pathlib import Path

from server.analytics.client import Address, TinybirdClient
from server.process.files import read_json
from server.settings import Settings
from tools.errors import InvalidRequest, Unavailable
from tools.secret import Secret

OFF = "off"
ON = "on"


def embedded(known: Mapping[str, str]) -> bool:
    """Whether whoever owns the directory also runs the store. `known` is what is set, by upper-case name."""
    asked = known.get("ADWRIGHT_ANALYTICS")
    if asked == OFF or known.get("TINYBIRD_HOST"):
        return False
    return asked == ON or bool(known.get("CLICKHOUSE_URL")) or importlib.util.find_spec("chdb") is not None


def pipes_of(settings: Settings) -> TinybirdClient | None:
    if settings.tinybird_host is not None:
        if settings.tinybird_admin_token is None or settings.tinybird_workspace_id is None:
            raise InvalidRequest(
                "TINYBIRD_HOST is set, TINYBIRD_ADMIN_TOKEN or TINYBIRD_WORKSPACE_ID is not.",
                fix="Set all three: the token and the workspace's id are in Tinybird under Tokens and Settings.",
            )
        address = Address(settings.tinybird_host, settings.tinybird_admin_token, settings.tinybird_workspace_id)
        return TinybirdClient(lambda: address, url=settings.tinybird_host)
    known = {"ADWRIGHT_ANALYTICS": settings.adwright_analytics or "", "CLICKHOUSE_URL": settings.clickhouse_url or ""}
    if not embedded({name: str(value) for name, value in known.items() if value}):
        return None
    return TinybirdClient(Announced(settings.data_dir), url=settings.public_url)


class Announced:
    """Where the embedded owner answers, by what it wrote last; looked up anew when the file changes."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / "analytics.json"
        self._stamp: tuple[int, int] | None = None
        self._address: Address | None = None

    def __call__(self) -> Address:
        try:
            status = self._file.stat()
        except OSError:
            raise _starting() from None
        stamp = status.st_mtime_ns, status.st_ino
        if stamp != self._stamp:
            known = read_json(self._file)
            if not {"url", "admin_token", "workspace_id"} <= known.keys():
                raise _starting()
            token = Secret(str(known["admin_token"]))
            self._address, self._stamp = Address(str(known["url"]), token, str(known["workspace_id"])), stamp
        if self._address is None:
            raise _starting()
        return self._address


def _starting() -> Unavailable:
    return Unavailable(
        "The analytics store is not up.",
        fix="It takes seconds to start. Try again; adwright doctor tells more.",
        retry_after=2,
    )
