"""Text as visitors' browsers and strangers send it, made fit to be kept: short, printable, and nobody's address."""

import re
from hashlib import sha256

# Controls, halves of surrogate pairs, and marks that turn the reading direction: none is seen, each can mislead.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
# A token is read once, so that no text takes longer than its length: patterns of addresses go back and forth.
_TOKEN = re.compile(r"[^\s/?#&=:;,<>\"'()\[\]|]+")
_AT = re.compile(r"@|%40", re.IGNORECASE)
_DOMAIN = re.compile(r"[\w.-]+\.[A-Za-z]{2,}", re.ASCII)
MASK = "[email]"


def clean(text: str, most: int) -> str:
    """At most so many characters, without what cannot be seen and without e-mail addresses."""
    if len(text) > most:
        text = text[:most]
    if not text.isprintable():
        text = _UNSEEN.sub("", text)
    if "@" in text or "%40" in text:
        text = _TOKEN.sub(_masked, text)
    return text


def _masked(token: re.Match[str]) -> str:
    parts = _AT.split(token[0])
    return MASK if len(parts) > 1 and parts[0] and _DOMAIN.match(parts[-1]) else token[0]


def identifier(text: str, most: int = 128) -> str:
    """A sender's own id: kept as it is, but for what cannot be stored."""
    text = text[:most]
    return text if text.isprintable() else _UNSEEN.sub("", text)


def hashed(text: str) -> str:
    return sha256(text.encode("utf-8", "replace")).hexdigest()
