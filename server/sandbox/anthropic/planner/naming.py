"""Which campaign a person means, by its name, a part of it, its id, or "it"."""

import re
from collections.abc import Sequence
from typing import Any

from server.sandbox.anthropic.planner.steps import Asked, Said
from server.sandbox.anthropic.planner.tables import listed, money, plain

Campaign = dict[str, Any]

_WORD = re.compile(r"\w+")
_PRONOUN = re.compile(r"\b(it|its|that one|this one|that campaign|this campaign|the same one)\b", re.IGNORECASE)
_EMPTY = frozenset({
    "the", "and", "for", "all", "campaign", "campaigns", "ads", "please", "pause", "stop", "start", "resume", "raise",
    "lower", "increase", "reduce", "set", "change", "budget", "daily", "name", "rename", "new", "with", "from", "that",
    "this", "per", "day", "its", "last", "sales", "platform", "meta", "google", "to", "by", "of", "a", "in", "on", "i",
    "is", "my", "me", "how", "what", "which", "no", "again", "still", "out", "or", "did", "was", "make", "status",
    "one", "take", "worst", "best", "id", "it", "be",
})  # fmt: skip
"""Words that say nothing about which campaign is meant."""
_ID = re.compile(r"\b\d{6,20}\b")
_BLINDLY = re.compile(r"\bwithout (?:looking|checking)|\bdo(?: not|n['’]t) (?:look|check)", re.IGNORECASE)
_QUOTED = re.compile(r"[\"“”«»']([^\"“”«»']{2,})[\"“”«»']")

COLUMNS = (
    ("Campaign", lambda row: plain(row.get("name"))),
    ("Platform", lambda row: plain(row.get("platform"))),
    ("Account", lambda row: plain(row.get("account_id"))),
    ("Status", lambda row: plain(row.get("status"))),
    ("Daily budget", lambda row: money(row.get("daily_budget"), row.get("currency"))),
)


def campaign(asked: Asked, *, archived: bool = False) -> Campaign:
    """The one that is meant; otherwise the person is asked which."""
    every = asked.rows("list_campaigns")
    known = [each for each in every if archived or each.get("status") != "ARCHIVED"]
    found = named(asked.words, known) or _spoken_of(asked, known)
    there = platform(asked.words.lower()).get("platform")
    found = [each for each in found if each.get("platform") == there] or found
    if len(found) == 1:
        return found[0]
    if found:
        raise Said(f"Several campaigns fit that.\n\n{listed(found, COLUMNS)}\n\nWhich one do you mean?")
    ids = [number for number in _ID.findall(asked.words) if number not in {str(each["campaign_id"]) for each in every}]
    none = f"There is no campaign {ids[0]} in the connected accounts." if ids else "I found no campaign that fits."
    raise Said(f"{none} These exist:\n\n{listed(known, COLUMNS)}\n\nWhich one do you mean?")


def named(words: str, known: Sequence[Campaign]) -> list[Campaign]:
    """Ids and whole names first; then the names that share the most words with what was said."""
    lower = words.lower()
    by_id = [each for each in known if str(each["campaign_id"]) in lower]
    if by_id:
        return by_id
    whole = [each for each in known if each["name"].lower() in lower]
    if whole:
        longest = max(len(each["name"]) for each in whole)
        return [each for each in whole if len(each["name"]) == longest]
    quoted = [each for quote in _QUOTED.findall(lower) for each in known if quote in each["name"].lower()]
    return quoted or _closest(lower, known)


def mentioned(text: str, known: Sequence[Campaign]) -> list[Campaign]:
    """Those whose whole name stands in a text, as it is or escaped."""
    lower = text.replace("\\|", "|").lower()
    whole = [each for each in known if each["name"].lower() in lower]
    return [each for each in whole if not any(each["name"] in o["name"] and each["name"] != o["name"] for o in whole)]


def _closest(lower: str, known: Sequence[Campaign]) -> list[Campaign]:
    said = content(lower)
    scores = [len(said & content(each["name"])) for each in known]
    best = max(scores, default=0)
    return [each for each, score in zip(known, scores, strict=True) if score == best] if best else []


def _spoken_of(asked: Asked, known: Sequence[Campaign]) -> list[Campaign]:
    """What "it" is: the campaign last called for, else the one in the first line of the last answer that names some."""
    if not _PRONOUN.search(asked.words):
        return []
    for exchange in reversed(asked.before):
        if found := mentioned(exchange.answer.partition("\n")[0], known):
            return found
        ids = {str(call.arguments["campaign_id"]) for call in exchange.calls if "campaign_id" in call.arguments}
        if found := [each for each in known if each["campaign_id"] in ids]:
            return found
        if found := mentioned(exchange.words, known) or mentioned(exchange.answer, known):
            return found
    return []


def untried(asked: Asked) -> str | None:
    """An id that is to be tried as it is."""
    ids = _ID.findall(asked.words)
    return ids[0] if len(ids) == 1 and _BLINDLY.search(asked.words) else None


def platform(lower: str) -> dict[str, str]:
    said = [name for name, words in {"meta": ("meta", "facebook", "instagram"), "google": ("google",)}.items()
            if any(word in lower for word in words)]  # fmt: skip
    return {"platform": said[0]} if len(said) == 1 else {}


def content(words: str) -> set[str]:
    """Words that may be of a name."""
    return set(_WORD.findall(words.lower())) - _EMPTY


def refers_back(words: str) -> bool:
    return bool(_PRONOUN.search(words))


def surely_named(words: str, known: Sequence[Campaign]) -> list[Campaign]:
    """By id, whole name or quotation, or by two words of its name: one alone may be chance."""
    lower = words.lower()
    said = content(lower)
    close = [each for each in known if len(said & content(each["name"])) > 1]
    return mentioned(words, known) or [each for each in known if str(each["campaign_id"]) in lower] or close
