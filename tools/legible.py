"""Words that others chose, such as a campaign's name, must not rewrite what a person reads around them."""

import re

_UNREADABLE = re.compile("[\0-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
"""Controls of terminals and lines, marks that turn the direction of what follows, and spaces without a width. The two
joiners are left: Persian and emoji need them."""


def legible(text: str) -> str:
    """`text` with a visible mark in place of each such character."""
    return _UNREADABLE.sub("\ufffd", text)


def require_legible(text: object) -> object:
    """A validator: a name that people will decide by is refused while it holds one."""
    if isinstance(text, str) and (found := _UNREADABLE.search(text)):
        raise ValueError(f"take the invisible character U+{ord(found[0]):04X} out: a person has to read this")
    return text
