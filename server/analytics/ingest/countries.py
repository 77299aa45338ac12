"""The country of an address, by a database in memory; the address itself is kept nowhere."""

import ipaddress
import lzma
import tempfile
from functools import lru_cache
from pathlib import Path

import maxminddb

from server.analytics.ingest.sources import VENDOR

EMBEDDED = VENDOR / "country.mmdb.xz"


class Countries:
    """`path`: another country database in MaxMind's format, in place of the embedded one."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._reader: maxminddb.Reader | None = None
        self.of = lru_cache(8192)(self._of)

    def load(self) -> None:
        """Takes a moment; not for the event loop."""
        if self._reader is None:
            self._reader = _decompressed(EMBEDDED) if self._path is None else maxminddb.open_database(self._path)

    def _of(self, address: str) -> str:
        """ISO 3166-1 alpha-2; '' where it is not known, as for addresses of a private network."""
        if self._reader is None:
            raise RuntimeError("load() comes first")
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return ""
        found = self._reader.get(getattr(parsed, "ipv4_mapped", None) or parsed)
        if not isinstance(found, dict):
            return ""
        country = found.get("country")
        code = country.get("iso_code") if isinstance(country, dict) else found.get("country_code")
        return code if isinstance(code, str) and len(code) == 2 else ""


def _decompressed(path: Path) -> maxminddb.Reader:
    """The reader written in C maps a file, and keeps what it maps when the name is gone."""
    with tempfile.NamedTemporaryFile(suffix=".mmdb") as file:
        file.write(lzma.decompress(path.read_bytes()))
        file.flush()
        return maxminddb.open_database(file.name)
