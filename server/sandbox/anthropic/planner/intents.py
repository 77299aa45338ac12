"""What people ask for, and who answers: the first that has a pattern that fits decides."""

import re
from collections.abc import Callable

from server.sandbox.anthropic.planner import changes, figures, goals, records, requests, review, undoing, visits
from server.sandbox.anthropic.planner.steps import Asked

Answer = Callable[[Asked], str]

_BEGINS = rf"^\W*{requests.COURTESIES}"
_CHANGE = r"\b(raise|increase|lower|decrease|reduce|cut|set|change|bump|put|make|drop|adjust|update)\b"
_STATUS = r"(pause|stop|halt|disable|resume|unpause|(re)?activate|enable|(re)?start)"
_ASSISTANT = r"\b(chat ?gpt|perplexity|ai|llms?|assistants?)\b"
_PATH = r"(?<![\w/.:])/[\w-]+[\w/.-]*"

INTENTS: tuple[tuple[Answer, tuple[str, ...]], ...] = (
    (records.model, (
        r"\b(who|what) are you\b", r"\bare you (a |an |the )?(real|claude|ai|bot|human|model)", r"\bwhich model\b",
    )),
    (records.me, (r"\bwho am i\b", r"\bmy (role|permissions?|scopes?|rights)\b", r"\bwhat (may|can) i do\b")),
    (records.abilities, (r"\bwhat can you\b", r"^\W*help\b", r"\bhow do i use\b")),
    (undoing.undo, (r"\bundo\b", r"\brevert\b", r"\broll(ing)? back\b", r"\b(take|set|put) (it|that) back\b")),
    (review.recap, (
        r"\bwhat (did|have) you (just |really |actually )?(do|done|change|changed|propose|proposed|ask|asked)\b",
    )),
    (review.state, (
        r"\bdid (it|that|this|they|the change)\b.*\b(work|happen|succeed|go through)",
        r"\bstill (running|active|paused|live)\b",
        r"\b(is|was) (it|that) (really |now |still |actually )*(done|paused|active|running|live|stopped|on|off)\b",
    )),
    (goals.create, (rf"{_BEGINS}(create|set up|add|make|new)\b.*\bgoal\b",)),
    (records.changes, (
        r"\bwhat('s| has| have| was| is| did)?( \w+)?( been)? (recently )?changed?\b", r"\bchange (log|history)\b",
        r"\b(recent|last|latest) changes?\b", r"\bwho changed\b",
    )),
    (records.approvals, (r"\bapprov(al|e)", r"\bwait(s|ing)? for\b", r"\bpending\b")),
    (records.connections, (
        r"\bconnect(ed|ions?)\b", r"\b(tokens?|credentials?|integrations?)\b", r"\bmy (ad )?accounts\b",
    )),
    (changes.create, (
        r"\b(create|set up|launch|add|start) (me )?((a|an|another|one) )?(new )?([\w-]+ )?campaign\b",
        r"\b(create|set up|launch|add|start|a) new\b.*\bcampaign\b",
    )),
    (changes.pause_low, (
        r"\b(pause|stop|turn off)\b.*\b(all|every\w*|any\w*|each|those|campaigns)\b.*\broas\b",
    )),
    (changes.rename, (rf"{_BEGINS}rename\b",)),
    (changes.archive, (rf"{_BEGINS}(archive|delete|remove)\b",)),
    (changes.status, (
        rf"{_BEGINS}{_STATUS}\b(?!.*\bwast(e|ing)\b)", r"\btake\b.*\b(out of service|off ?line|down)\b",
        rf"{_BEGINS}(turn|switch)\b.*\b(on|off)\b",
    )),
    (changes.budget, (
        rf"{_BEGINS}{_CHANGE}.*(\b(budget|spend)\b|\d)",
        r"^\W*(no|actually|rather|sorry)\b.*\b\d[\d.,]*\s*(%|percent|[a-z]{3}|euros?|dollars?)?( (a|per) day)?\W*$",
        r"\d\W+instead\b",
    )),
    (visits.steps, (rf"{_PATH}.*{_PATH}",)),
    (visits.funnel, (r"^(?!.*\b(create|add|new|delete|change)\b).*\bfunnels?\b",)),
    (visits.assistants, (
        rf"{_ASSISTANT}.*\b(bring|brought|sen[dt]|visit|traffic|pa(y|id)|revenue|worth)",
        rf"\b(visit|traffic|revenue|people|payments?)\w*\b.*\b(from|by|through) {_ASSISTANT}",
    )),
    (visits.not_counted, (r"\b(how old|genders?|incomes?|married|male|female)\b.*\b(visitors?|customers?|people)\b",)),
    (visits.retention, (r"\bretention\b", r"\bcohorts?\b", r"\bvisitors?\b.*\b(came|come|coming) back\b")),
    (visits.online, (
        r"\bvisitors?\b.*\b(right now|at the moment|online|last \d+ minutes?)\b",
        r"\b(online|right now)\b.*\bvisitors?\b",
    )),
    (visits.websites, (
        r"\b(which|what|list|my|our)( \w+)? (websites|sites|domains)\b", r"\bwebsites?\b.*\b(counted|tracked)\b",
    )),
    (visits.pages, (
        r"\b(top|best|popular|most|which|what)\b.*\bpages?\b", r"\bpages?\b.*\b(visited|viewed|popular|most)\b",
    )),
    (visits.revenue, (
        r"\b(revenue|sales|money|payments)\b.*\b(by|per|from|each|which)\b.*\b(channel|source)s?\b",
        r"\b(channel|source)s?\b.*\b(revenue|earn|sell|sales|pa(y|id))", r"\b(first|last)[- _]touch\b",
    )),
    (visits.sources, (
        r"\b(visitors?|visits?|traffic|sessions?)\b.*\b(come|came|coming|from|sources?|channels?|by|per)\b",
        r"\bwhere\b.*\b(visitors?|visits?|traffic|people)\b", r"\btraffic sources?\b", r"\b(which|what) channels?\b",
    )),
    (visits.visitors, (r"\b(visitors?|visits|sessions|page ?views?|traffic)\b",)),
    (visits.metrics, (r"\b(which|what) (metrics|pipes|figures) (are|do|can)\b", r"\banalytics questions\b",
        r"\bpipes\b",
    )),
    (figures.waste, (
        r"\bwast", r"\blos(e|es|ing) money\b", r"\b(un|not )profitable\b", r"\bunderperform", r"\bburn",
        r"\broas (below|under) 1\b", r"\b(which|what)\b.*\b(should|could|can) (i|we) (pause|stop|cut)\b",
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
        r"\bcompar", r"\d{4}-\d\d-\d\d.*\d{4}-\d\d-\d\d.*\d{4}-\d\d-\d\d",
        r"\bversus\b", r"\bvs\b", r"\b(per|by|each|which) platform\b",
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


CHANGES: frozenset[Answer] = frozenset({
    changes.status, changes.budget, changes.rename, changes.archive, changes.create, changes.pause_low, undoing.undo,
    goals.create,
})  # fmt: skip


def find(words: str) -> Answer | None:
    if requests.NEGATED.search(words):
        return records.left_alone
    asked = requests.bare(words)
    return next((answer for answer, patterns in _COMPILED if any(pattern.search(asked) for pattern in patterns)), None)
