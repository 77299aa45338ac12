"""The text of a share token, and how the password beside it is kept."""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field

from tools.ids import base62

PREFIX = "adw_share_"

_LOG2_N, _R, _P, _SALT, _LENGTH = 14, 8, 5, 16, 32
"""scrypt at 16 MiB and five passes: OWASP's recommendation of 2025 where memory is shared by many requests."""


@dataclass(frozen=True, slots=True)
class ShareToken:
    """Only `prefix` and `hash` may be stored; `text` is shown once, when it is minted."""

    text: str = field(repr=False)

    @property
    def prefix(self) -> str:
        """What lists show: enough to tell links apart, nothing that opens."""
        return self.text[: len(PREFIX) + 8]

    @property
    def hash(self) -> str:
        # 190 random bits follow the prefix: a slow hash would defend nothing.
        return hashlib.sha256(self.text.encode()).hexdigest()


def mint() -> ShareToken:
    return ShareToken(f"{PREFIX}{base62(secrets.randbits(47), 8)}{base62(secrets.randbits(190), 32)}")


def hash_password(password: str) -> str:
    """`scrypt$14$8$5$salt$hash`. A fifth of a second of work: call it off the event loop."""
    salt = secrets.token_bytes(_SALT)
    made = _scrypt(password, salt, _LOG2_N, _R, _P)
    return "$".join(("scrypt", str(_LOG2_N), str(_R), str(_P), _text(salt), _text(made)))


def password_opens(password: str, stored: str) -> bool:
    """Constant time for one stored hash, whose own cost counts: it may be older than today's."""
    _, log2_n, r, p, salt, expected = stored.split("$")
    made = _scrypt(password, base64.b64decode(salt), int(log2_n), int(r), int(p))
    return hmac.compare_digest(made, base64.b64decode(expected))


def _scrypt(password: str, salt: bytes, log2_n: int, r: int, p: int) -> bytes:
    room = 2 * 128 * r * (1 << log2_n)
    return hashlib.scrypt(password.encode(), salt=salt, n=1 << log2_n, r=r, p=p, maxmem=room, dklen=_LENGTH)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
