"""Identifiers users meet: a prefix that says what it is, then an opaque part nobody can guess."""

import random
import secrets

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def base62(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, digit = divmod(number, 62)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))


def new(prefix: str) -> str:
    """`prefix_` and 24 hexadecimal digits, 96 random bits."""
    return f"{prefix}_{secrets.token_hex(12)}"


def request_id() -> str:
    """It names a request and opens nothing, so it need not ask the kernel for every one."""
    return f"req_{random.getrandbits(96):024x}"
