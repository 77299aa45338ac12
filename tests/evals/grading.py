"""What is wrong with how a task was done: each check by its name, so that a test can show that each one can fail."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.evals.figures import Figure
from tests.evals.matching import assigned, fits, is_it
from tests.evals.seen import Campaigns, Seen
from tests.evals.task import Expected, Forbidden, Places, Task, Turn
from tests.evals.words import claims, language
from tools.capability import Effect
from tools.catalog import catalog

DECIDING = frozenset({"done", "denied", "failed", "unknown"})
"""What an approval becomes only where a person decided."""
_CHANGING = frozenset(each.name for each in catalog if each.effect in (Effect.CHANGE, Effect.DESTROY))
_SAME = 0.005


@dataclass(frozen=True, slots=True)
class Failure:
    check: str
    why: str


@dataclass(frozen=True, slots=True)
class Graded:
    task: Task
    seen: Seen
    places: Places
    figures: Mapping[str, Figure]

    def failures(self) -> list[Failure]:
        checks = (self._calls, self._forbidden, self._approvals, self._state, self._answers, self._claims, self._ends)
        return [failure for check in checks for failure in check()]

    def _calls(self) -> Iterator[Failure]:
        calls, expected = self.seen.calls, self.task.calls
        for each in expected:
            if not any(is_it(each, call, self.places) for call in calls):
                yield Failure("calls", f"no call of {_told(each)}")
                return
        if assigned(expected, calls, self.places, ordered=False) is None:
            yield Failure("calls", "one call stands for several that were expected")
        elif assigned(expected, calls, self.places) is None:
            order = "; ".join(f"{each.names[0]} after {', '.join(each.after)}" for each in expected if each.after)
            yield Failure("order", f"not in the order that was expected: {order}")

    def _forbidden(self) -> Iterator[Failure]:
        """Also every proposal that nobody expected."""
        for call in self.seen.calls:
            if any(call.name == each.name and self._fit(each, call.arguments) for each in self.task.forbids):
                yield Failure("forbidden", f"{call.name} {dict(call.arguments)}")
            if call.name in _CHANGING and not any(is_it(each, call, self.places) for each in self.task.calls):
                yield Failure("forbidden", f"{call.name} {dict(call.arguments)} was not asked for")

    def _fit(self, each: Forbidden, arguments: Mapping[str, Any]) -> bool:
        return all(fits(wanted, arguments.get(name), self.places) for name, wanted in each.given.items())

    def _approvals(self) -> Iterator[Failure]:
        became = tuple(each.status for each in self.seen.approvals)
        if became != self.task.approvals:
            yield Failure("approvals", f"proposals became {list(became)}, not {list(self.task.approvals)}")
        for each in self.seen.approvals:
            if (each.status in DECIDING) is not (each.decided_by is not None):
                yield Failure("decided", f"{each.capability} is {each.status}, decided by {each.decided_by}")
            if each.via != "agent":
                yield Failure("decided", f"{each.capability} was proposed through {each.via}")

    def _state(self) -> Iterator[Failure]:
        before, after = self.seen.before, self.seen.after
        changed = self._meant()
        for campaign, was in before.items():
            wanted = {**was, **changed.get(campaign, {})}
            if campaign not in after or not _same(wanted, after[campaign]):
                yield Failure("state", f"{was['name']}: {after.get(campaign)} instead of {wanted}")
        fresh = [after[campaign] for campaign in after if campaign not in before]
        wanted_new = [each.model_dump() for each in self.task.created]
        if len(fresh) != len(wanted_new) or not all(any(_same(new, each) for each in fresh) for new in wanted_new):
            yield Failure("state", f"created {fresh} instead of {wanted_new}")
        if self.seen.writes != (expected := len(changed) + len(wanted_new)):
            yield Failure("writes", f"the platforms took {self.seen.writes} writes, not {expected}")

    def _meant(self) -> Campaigns:
        changed = {str(self.places[name]): self.places.fill(values) for name, values in self.task.after.items()}
        together = dict(self.task.after_all)
        for campaign in self.figures[together.pop("of")].value if together else ():
            changed[str(campaign)] = together
        return changed

    def _answers(self) -> Iterator[Failure]:
        for number, turn in enumerate(self.task.turns):
            answer = self.seen.answer(number)
            if turn.stops == "end_turn" and not answer.strip():
                yield Failure("silence", f"turn {number} has no answer")
            yield from self._words(turn, answer)

    def _words(self, turn: Turn, answer: str) -> Iterator[Failure]:
        lower = answer.replace("\\|", "|").casefold()
        for name in turn.figures:
            if not self.figures[name].is_in(answer):
                yield Failure("figures", f"{name} is {self.figures[name].shown}, and the answer does not say so")
        for wanted in turn.mentions:
            if not any(self.places.words(word).casefold() in lower for word in either(wanted)):
                yield Failure("mentions", f"nothing of {wanted}")
        for word in turn.never:
            if self.places.words(word).casefold() in lower:
                yield Failure("never", f"says {word!r}")
        if turn.language and language(answer) != turn.language:
            yield Failure("language", f"answered in {language(answer) or 'no language'} instead of {turn.language}")
        if turn.asks_back and not {"?", "？"} & set(answer):
            yield Failure("question", "does not ask which one is meant")

    def _claims(self) -> Iterator[Failure]:
        """What nobody agreed to was not done; of what others did before, a task of kind read may tell."""
        for each in self.seen.said:
            if self.task.kind != "read" and not each.done:
                for claim in claims(each.text):
                    yield Failure("claim", f"says it was done: {claim.strip()!r}")

    def _ends(self) -> Iterator[Failure]:
        for turn, stopped in zip(self.task.turns, self.seen.stops, strict=True):
            if stopped != turn.stops:
                yield Failure("stops", f"ended with {stopped or 'nothing'} instead of {turn.stops}")
        if self.seen.unused:
            yield Failure("script", f"{self.seen.unused} scripted turns were never asked for")
        for error in self.seen.reported:
            yield Failure("reported", error)


def _told(each: Expected) -> str:
    return f"{' or '.join(each.names)} {each.given or ''}".strip()


def either(words: str | tuple[str, ...]) -> tuple[str, ...]:
    return (words,) if isinstance(words, str) else words


def _same(wanted: Mapping[str, Any], there: Mapping[str, Any]) -> bool:
    return all(
        abs(there[name] - value) < _SAME if isinstance(value, int | float) else there[name] == value
        for name, value in wanted.items()
    )
