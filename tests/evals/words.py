"""What an answer claims to have done, and which language it is in."""

import re

_VERBS = (
    "paused|stopped|activated|started|resumed|archived|deleted|removed|renamed|created|raised|increased|lowered|reduced|"
    "cut|doubled|changed|updated|set|undone|reverted|launched|approved|disconnected"
)
_GERMAN = (
    "pausiert|gestoppt|aktiviert|archiviert|gelöscht|umbenannt|angelegt|erstellt|erhöht|gesenkt|geändert|freigegeben"
)
_CLAIM = re.compile(
    rf"^\W*(all )?(done|set)\b[.!,:]|\bI(?:'ve| have|’ve)?(?: (?:just|now|also|already))* (?:{_VERBS})\b"
    rf"|\b(?:has|have) (?:now |just |been |successfully )*been (?:now |successfully )*(?:{_VERBS})\b"
    rf"|\b(?:is|are) now (?:{_VERBS}|live|active|running)\b|\bsuccessfully (?:{_VERBS})\b"
    rf"|\b(?:habe|wurden?|ist jetzt|sind jetzt)\b[^.!?\n]*\b(?:{_GERMAN})\b|^\W*erledigt\b",
    re.IGNORECASE,
)
_NOT = re.compile(
    r"\b(no|not|nothing|none|never|neither|without|cannot|can't|until|once|if|before|after you|would|will|to be|"
    r"nicht|nichts|keine?[rnms]?|erst|sobald|wenn|bevor)\b|n't|n’t",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_MARKS = {
    "en": {
        "the",
        "and",
        "is",
        "of",
        "to",
        "in",
        "was",
        "were",
        "are",
        "for",
        "with",
        "that",
        "it",
        "this",
        "which",
        "on",
    },
    "de": {
        "der",
        "die",
        "das",
        "und",
        "ist",
        "von",
        "zu",
        "im",
        "war",
        "waren",
        "sind",
        "für",
        "mit",
        "dass",
        "es",
        "auf",
    },
    "es": {
        "el",
        "la",
        "los",
        "las",
        "y",
        "es",
        "de",
        "en",
        "fue",
        "que",
        "para",
        "con",
        "por",
        "del",
        "se",
        "una",
        "su",
    },
}


def claims(text: str) -> list[str]:
    """Sentences that say that something was changed."""
    return [each for each in _SENTENCE.split(text) if _CLAIM.search(each) and not _NOT.search(each)]


def language(text: str) -> str:
    """The one whose small words there are most of; none where there are hardly any."""
    words = re.findall(r"[^\W\d_]+", text.casefold())
    counts = {name: sum(word in marks for word in words) for name, marks in _MARKS.items()}
    best = max(counts, key=lambda name: counts[name])
    return best if counts[best] >= 2 and sorted(counts.values())[-2] < counts[best] else ""
