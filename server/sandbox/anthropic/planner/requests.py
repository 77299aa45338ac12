"""What a message asks for, one request after another: people ask and decide in one breath."""

import re
from collections.abc import Sequence

VERBS = (
    "pause|stop|halt|disable|resume|unpause|(?:re)?activate|enable|(?:re)?start|turn|switch|take|raise|increase|lower|"
    "decrease|reduce|cut|set|change|bump|put|make|drop|adjust|update|double|halve|rename|archive|delete|remove|create|"
    "launch|add|undo|revert|approve"
)
"""What a request for a change begins with."""
COURTESIES = r"(?:(?:please|now|then|and|also|so|ok(?:ay)?|no|yes|(?:can|could|would|will) you|let's)\W+)*"
NEGATED = re.compile(rf"^\W*{COURTESIES}(?:do not|don['’]t|never)\b", re.IGNORECASE)
_LOOKED_AT = 2_000
"""Characters in which a person has said what is asked for; what is pasted below is not searched for intents."""
_QUOTED = re.compile(r"[\"“«][^\"“”«»\n]*[\"”»]")
_PART = re.compile(
    rf"(?<=[.!?])\s+|[,;]?\s+(?:and(?: then| also)?|then)\s+(?=(?:please\s+)?(?:{VERBS})\b)", re.IGNORECASE
)
_SPAN = re.compile(r"\b(?:from|vom|between|since)?\s*\d{4}-\d{2}-\d{2}", re.IGNORECASE)
_ENDS = r"\s*(?:[|.,;:?!\n]|$|\s(?:to|by|on|for|from|in|at|and|with|again|please|is|was|now|off|out|already|back)\b)"
_NAME = re.compile(
    rf"(?:(?!(?i:{VERBS}|the|of|campaign|called)\b)[^\sa-z|,.?!][^\s|,.?!]{{0,40}}\s+){{1,4}}"
    rf"(?:\|[^|,.;:?!\n]{{0,60}}?(?={_ENDS})\s*)+"
)
"""Parts with bars between them, the first of which begins large: so campaigns are named."""


def split(words: str) -> list[str]:
    """By sentences, and where a verb follows an "and"; what stands in quotation marks is one piece."""
    hidden = _QUOTED.sub(lambda quote: "_" * len(quote[0]), words)
    found, start = [], 0
    for part in _PART.finditer(hidden):
        found.append(words[start : part.start()])
        start = part.end()
    return [part for part in (*found, words[start:]) if part.strip()] or [words]


def joined(parts: Sequence[str], asks: Sequence[bool]) -> list[str]:
    """What asks for nothing of its own says more about what is asked before it, or else after it."""
    found: list[str] = []
    begun = False
    for part, own in zip(parts, asks, strict=True):
        if found and not (own and begun):
            found[-1] += f" {part}"
        else:
            found.append(part)
        begun = begun or own
    return found


def bare(words: str) -> str:
    """Without names and days: a campaign that is called Traffic does not ask for traffic."""
    return _SPAN.sub(" ", _NAME.sub("_ ", _QUOTED.sub("_", words[:_LOOKED_AT])))
