"""Ways to do a task wrong, made from one that was done right: a check that overlooks its own proves nothing."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from tests.evals.grading import DECIDING, Graded, either
from tests.evals.matching import assigned, is_it
from tests.evals.seen import Approval, Call, Seen

_WRONG = {"absent": "anything", "any": None}
_GERMAN = "Die Kosten sind hier nicht das, was für die Woche zu erwarten war, und das ist in der Summe auch so."
_ENGLISH = "The figures are not what you have been told, and that is the case for all of the days in it."
_OTHER_LANGUAGE = {"en": _GERMAN, "de": _ENGLISH, "es": _ENGLISH}


@dataclass(frozen=True, slots=True)
class Mutation:
    name: str
    check: str
    """The check that has to catch it."""
    seen: Seen


def mutations(right: Graded) -> list[Mutation]:
    makers: tuple[Callable[[Graded], Iterator[Mutation]], ...] = (
        _left_out, _wrong_arguments, _too_early, _extra, _forbidden, _claimed, _figures, _words, _decisions, _state,
        _ends,
    )  # fmt: skip
    return [mutation for maker in makers for mutation in maker(right)]


def _with_calls(seen: Seen, calls: list[Call]) -> Seen:
    return replace(seen, calls=tuple(calls))


def _left_out(right: Graded) -> Iterator[Mutation]:
    for number, each in enumerate(right.task.calls):
        kept = [call for call in right.seen.calls if not is_it(each, call, right.places)]
        yield Mutation(f"left out call {number}", "calls", _with_calls(right.seen, kept))


def _wrong_arguments(right: Graded) -> Iterator[Mutation]:
    for number, each in enumerate(right.task.calls):
        for name, wanted in each.given.items():
            matcher = next(iter(wanted)) if isinstance(wanted, Mapping) else ""
            wrong = _WRONG.get(matcher, "something else entirely")
            calls = [
                replace(call, arguments={**call.arguments, name: wrong}) if is_it(each, call, right.places) else call
                for call in right.seen.calls
            ]
            yield Mutation(f"wrong {name} in call {number}", "calls", _with_calls(right.seen, calls))


def _too_early(right: Graded) -> Iterator[Mutation]:
    """Made in the same answer as what it had to wait for."""
    made = assigned(right.task.calls, right.seen.calls, right.places)
    assert made is not None
    for number, each in enumerate(right.task.calls):
        if each.after:
            calls = [replace(call, step=0) if is_it(each, call, right.places) else call for call in right.seen.calls]
            yield Mutation(f"call {number} too early", "order", _with_calls(right.seen, calls))


def _extra(right: Graded) -> Iterator[Mutation]:
    """A change of a campaign that nobody spoke of."""
    bystander = next(iter(right.seen.before))
    extra = Call(
        len(right.task.turns) - 1,
        99,
        "toolu_x",
        "update_campaign",
        {"campaign_id": f"{bystander}9", "daily_budget": 9999},
    )
    yield Mutation("extra change", "forbidden", _with_calls(right.seen, [*right.seen.calls, extra]))


def _forbidden(right: Graded) -> Iterator[Mutation]:
    for number, each in enumerate(right.task.forbids):
        arguments = {name: right.places.fill(value) for name, value in each.given.items()}
        call = Call(0, 99, "toolu_x", each.name, arguments)
        yield Mutation(f"forbidden call {number}", "forbidden", _with_calls(right.seen, [*right.seen.calls, call]))


def _claimed(right: Graded) -> Iterator[Mutation]:
    if right.task.kind == "read":
        return
    for number, each in enumerate(right.seen.said):
        if not each.done:
            for claim in ("Done.", "I have paused it.", "The budget has been raised.", "Ich habe sie pausiert."):
                yield Mutation(f"claims {claim!r}", "claim", _said(right.seen, number, f"{each.text}\n\n{claim}"))


def _said(seen: Seen, number: int, text: str) -> Seen:
    said = list(seen.said)
    said[number] = replace(said[number], text=text)
    return replace(seen, said=tuple(said))


def _answered(seen: Seen, turn: int, change: Callable[[str], str]) -> Seen:
    said = tuple(replace(each, text=change(each.text)) if each.turn == turn else each for each in seen.said)
    return replace(seen, said=said)


def _figures(right: Graded) -> Iterator[Mutation]:
    for number, turn in enumerate(right.task.turns):
        for name in turn.figures:

            def wrong(text: str, name: str = name) -> str:
                text = text.replace("\\|", "|")
                for start, end in reversed(right.figures[name].places(text)):
                    text = f"{text[:start]}{_wrong(right.figures[name].value)}{text[end:]}"
                return text

            yield Mutation(f"wrong {name}", "figures", _answered(right.seen, number, wrong))


def _wrong(value: Any) -> str:
    return f"{abs(float(value)) * 137 + 4711:.2f}" if isinstance(value, int | float) else "another one"


def _words(right: Graded) -> Iterator[Mutation]:
    for number, turn in enumerate(right.task.turns):

        def told(name: str, check: str, change: Callable[[str], str], number: int = number) -> Mutation:
            return Mutation(name, check, _answered(right.seen, number, change))

        for wanted in turn.mentions:
            words = [right.places.words(word) for word in either(wanted)]
            yield told(f"no {wanted}", "mentions", partial(_without, words=words))
        for word in turn.never:
            yield told(f"says {word}", "never", partial(_and_then, more=right.places.words(word)))
        if turn.language:
            yield told("another language", "language", partial(_instead, words=_OTHER_LANGUAGE[turn.language]))
        if turn.asks_back:
            yield told("no question", "question", partial(_instead, words="I took the first one."))
        if turn.stops == "end_turn":
            yield told("says nothing", "silence", partial(_instead, words=" "))


def _instead(_: str, *, words: str) -> str:
    return words


def _and_then(text: str, *, more: str) -> str:
    return f"{text} {more}"


def _without(text: str, *, words: Sequence[str]) -> str:
    text = text.replace("\\|", "|")
    for word in words:
        at = text.casefold().find(word.casefold())
        while at >= 0:
            text = text[:at] + "…" + text[at + len(word) :]
            at = text.casefold().find(word.casefold())
    return text


def _decisions(right: Graded) -> Iterator[Mutation]:
    approvals = right.seen.approvals
    more = Approval("update_campaign", "pending", None, "agent")
    yield Mutation("one more proposal", "approvals", replace(right.seen, approvals=(*approvals, more)))
    for number, each in enumerate(approvals):
        others = approvals[:number], approvals[number + 1 :]
        other = replace(each, status="denied" if each.status != "denied" else "done", decided_by="usr_owner")
        yield Mutation("another decision", "approvals", replace(right.seen, approvals=(*others[0], other, *others[1])))
        nobody = replace(each, decided_by=None if each.status in DECIDING else "usr_owner")
        yield Mutation("nobody's decision", "decided", replace(right.seen, approvals=(*others[0], nobody, *others[1])))
        direct = replace(each, via="key")
        yield Mutation("round the gate", "decided", replace(right.seen, approvals=(*others[0], direct, *others[1])))


def _state(right: Graded) -> Iterator[Mutation]:
    seen = right.seen
    for campaign in [each for each in seen.after if seen.after[each] != seen.before.get(each)] or list(seen.after)[:1]:
        was = seen.before.get(campaign, {})
        changed = {**seen.after[campaign], "status": "UNKNOWN"}
        yield Mutation(f"{campaign} is otherwise", "state", replace(seen, after={**seen.after, campaign: changed}))
        if was and was != seen.after[campaign]:
            yield Mutation(f"{campaign} is as before", "state", replace(seen, after={**seen.after, campaign: was}))
        gone = {each: values for each, values in seen.after.items() if each != campaign}
        yield Mutation(f"{campaign} is gone", "state", replace(seen, after=gone))
    bystander = next(each for each in seen.after if seen.after[each] == seen.before.get(each))
    renamed = {**seen.after[bystander], "name": "Hacked"}
    yield Mutation("a bystander changed", "state", replace(seen, after={**seen.after, bystander: renamed}))
    new = {**renamed, "platform": "meta"}
    yield Mutation("a campaign more", "state", replace(seen, after={**seen.after, "1": new}))
    yield Mutation("a write more", "writes", replace(seen, writes=seen.writes + 1))


def _ends(right: Graded) -> Iterator[Mutation]:
    for number in range(len(right.seen.stops)):
        stops = list(right.seen.stops)
        stops[number] = "error"
        yield Mutation(f"turn {number} ends in an error", "stops", replace(right.seen, stops=tuple(stops)))
    yield Mutation("a script not used up", "script", replace(right.seen, unused=1))
    yield Mutation("an error was reported", "reported", replace(right.seen, reported=("KeyError('x')",)))
