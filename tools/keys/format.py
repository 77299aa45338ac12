"""The text of an API key, so that a mistyped one is told apart before the database is asked."""

import hashlib
import hmac
import re
import secrets
import zlib
from dataclasses import dataclass, field

from tools.ids import base62

PREFIX = "adw_live_"
_SHAPE = re.compile(rf"{PREFIX}([0-9A-Za-z]{{12}})_[0-9A-Za-z]{{38}}")
_CHECKSUM = 6


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A well-formed key. Only `lookup`, `prefix` and `hash` may be stored; `text` is shown once, when minted."""

    text: str = field(repr=False)
    lookup: str

    @property
    def prefix(self) -> str:
        """What lists show: enough to tell keys apart, nothing that opens."""
        return f"{PREFIX}{self.lookup}"

    @property
    def hash(self) -> str:
        # The secret has 190 random bits, so a slow password hash would cost every call and defend nothing.
        return hashlib.sha256(self.text.encode()).hexdigest()

    def opens(self, stored_hash: str | None) -> bool:
        """Constant time; an unknown id (None) costs what a known one does."""
        return hmac.compare_digest(self.hash, stored_hash or "0" * 64)


def mint() -> ApiKey:
    lookup = base62(secrets.randbits(71), 12)
    body = f"{PREFIX}{lookup}_{base62(secrets.randbits(190), 32)}"
    return ApiKey(body + _crc(body), lookup)


def parse(text: str) -> ApiKey | None:
    """The key that `text` spells; None when the shape or the checksum says that no such key was ever minted."""
    if (shape := _SHAPE.fullmatch(text)) is None or _crc(text[:-_CHECKSUM]) != text[-_CHECKSUM:]:
        return None
    return ApiKey(text, shape[1])


def _crc(body: str) -> str:
    return base62(zlib.crc32(body.encode()), _CHECKSUM)
