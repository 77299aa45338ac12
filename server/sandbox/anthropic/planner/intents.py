"""What people ask for, and who answers: the first that has a pattern that fits decides."""

import re
from collections.abc import Callable

from server.sandbox.anthropic.planner import changes, figures, records, visits
from server.sandbox.anthropic.planner.steps import Asked

Answer = Callable[[Asked], str]

_CHANGE = r"\b(raise|increase|lower|decrease|reduce|cut|set|change|bump|put|make|drop|adjust|update)\b"
_ASSISTANT = r"\b(chat ?gpt|perplexity|ai|llms?|assistants?)\b"

INTENTS: tuple[tuple[Answer, tuple[str, ...]], ...] = (
    (records.model, (
        r"\b(who|what) are you\b", r"\bare you (a |an |the )?(real|claude|ai|bot|human|model)", r"\bwhich model\b",
    )),
    (records.me, (r"\bwho am i\b", r"\bmy (role|permissions?|scopes?|rights)\b", r"\bwhat (may|can) i do\b")),
    (records.abilities, (r"\bwhat can you\b", r"^\W*help\b", r"\bhow do i use\b")),
    (changes.undo, (r"\bundo\b", r"\brevert\b", r"\broll(ing)? back\b", r"\b(take|set|put) (it|that) back\b")),
    (records.changes, (
        r"\bwhat('s| has| have| was| is| did)?( \w+)?( been)? (recently )?changed?\b", r"\bchange (log|history)\b",
        r"\b(recent|last|latest) changes?\b", r"\bwho changed\b",
    )),
    (records.approvals, (r"\bapprov(al|e)", r"\bwait(s|ing)? for\b", r"\bpending\b")),
    (records.connections, (
        r"\bconnect(ed|ions?)\b", r"\b(tokens?|credentials?|integrations?)\b", r"\bmy (ad )?accounts\b",
    )),
    (visits.funnel, (r"^(?!.*\b(create|add|new|delete|change)\b).*\bfunnels?\b",)),
    (visits.assistants, (
        rf"{_ASSISTANT}.*\b(bring|brought|sen[dt]|visit|traffic|pa(y|id)|revenue|worth)",
        rf"\b(visit|traffic|revenue|people|payments?)\w*\b.*\b(from|by|through) {_ASSISTANT}",
    )),
    (visits.pages, (
        r"\b(top|best|popular|most|which|what)\b.*\bpages?\b", r"\bpages?\b.*\b(visited|viewed|popular|most)\b",
    )),
    (visits.revenue, (
        r"\b(revenue|sales|money|payments)\b.*\b(by|per|from|each|which)\b.*\b(channel|source)s?\b",
        r"\b(channel|source)s?\b.*\b(revenue|earn|sell|sales|pa(y|id))",
    )),
    (visits.sources, (
        r"\b(visitors?|visits?|traffic|sessions?)\b.*\b(come|came|coming|from|sources?|channels?|by|per)\b",
        r"\bwhere\b.*\b(visitors?|visits?|traffic|people)\b", r"\btraffic sources?\b", r"\b(which|what) channels?\b",
    )),
    (visits.visitors, (r"\b(visitors?|visits|sessions|page ?views?|traffic)\b",)),
    (visits.metrics, (r"\b(which|what) (metrics|pipes|figures) (are|do|can)\b",)),
    (changes.pause_low, (r"\b(pause|stop|turn off)\b.*\b(all|every|any|campaigns)\b.*\broas\b",)),
    (figures.waste, (
        r"\bwast", r"\blos(e|es|ing) money\b", r"\b(un|not )profitable\b", r"\bunderperform", r"\bburn",
        r"\broas (below|under) 1\b", r"\b(which|what)\b.*\b(should|could|can) (i|we) (pause|stop|cut)\b",
    )),
    (changes.create, (
        r"\b(create|set up|launch|add|start) (me )?((a|an|another|one) )?(new )?([\w-]+ )?campaign\b",
        r"\b(create|set up|launch|add|start|a) new\b.*\bcampaign\b",
    )),
    (changes.rename, (r"\brename\b", r"\bchange the name\b", r"\bcall it\b")),
    (records.budget, (r"\b(what|how (much|high|big))\b.*\bbudget\b",)),
    (changes.budget, (
        rf"{_CHANGE}.*(\b(budget|spend)\b|\d)",
        r"\b(double|halve) (it|the)\b", r"\bbudget\b.*\bto \d",
    )),
    (changes.archive, (r"\b(archive|delete|remove)\b",)),
    (changes.status, (
        r"^(?!.*\b(which|what|how)\b).*\b(pause|stop|halt|disable|resume|unpause|(re)?activate|enable|(re)?start)\b",
        r"\b(turn|switch) (on|off)\b", r"\b(turn|switch) .* (on|off)\b",
    )),
    (figures.comparison, (
        r"\bcompar", r"\bversus\b", r"\bvs\b", r"\b(per|by|each|which) platform\b",
        r"\b(meta|facebook) (and|or|against|with) google\b", r"\bgoogle (and|or|against|with) (meta|facebook)\b",
    )),
    (figures.performance, (
        r"spen[dt]|\broas\b|perform|result|revenue|conversion|clicks|impressions|\bcp[cam]\b|\bctr\b|\binsights?\b",
        r"report|numbers|\bcost|trend|\b(best|top|worst|weakest)\b", r"\bhow (is|are|was|were|did|does|do)\b",
    )),
    (records.campaigns, (r"\bcampaigns?\b", r"\b(which|what|any)\b.*\b(active|running|live|paused|archived)\b")),
    (records.greeting, (r"^\W*(hi|hello|hey|good (morning|day|evening))\b",)),
    (records.courtesy, (r"^\W*(thanks?|thank you|great|ok|okay|perfect)\b",)),
)  # fmt: skip

_COMPILED = tuple(
    (answer, [re.compile(pattern, re.IGNORECASE | re.DOTALL) for pattern in patterns]) for answer, patterns in INTENTS
)


def find(words: str) -> Answer | None:
    return next((answer for answer, patterns in _COMPILED if any(pattern.search(words) for pattern in patterns)), None)
