"""Running tasks: offline with their own trajectories, with the sandbox's planner, or with a model that costs money."""

import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from agent.model import ModelSettings
from tests.evals.grading import Failure, Graded
from tests.evals.mutations import mutations
from tests.evals.playing import Script, play
from tests.evals.seen import Spent
from tests.evals.stage import open_stage
from tests.evals.task import Bad, Book, Task
from tools.analytics import PipeStore


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one run of a task. `overlooked` names mutations and bad trajectories that no check caught."""

    task: str
    failures: tuple[Failure, ...]
    spent: Spent
    tool_calls: int
    answers: tuple[str, ...] = ()
    tried: int = 0
    overlooked: tuple[str, ...] = ()
    made: tuple[str, ...] = field(default=())

    @property
    def passed(self) -> bool:
        return not self.failures and not self.overlooked

    def shown(self) -> dict[str, Any]:
        return asdict(self) | {"passed": self.passed}


class Tasks:
    """Tasks with what their worlds need: a directory for each run, and a store of analytics where it is asked for."""

    def __init__(self, book: Book, directory: Path, shop: PipeStore | None = None) -> None:
        self.book = book
        self.directory, self._shop = directory, shop

    async def once(self, task: Task, *, script: Script | None = None, model: ModelSettings | None = None) -> Outcome:
        graded = await self._graded(task, script, model)
        return _outcome(graded)

    async def offline(self, task: Task) -> Outcome:
        """Its right trajectory must pass; each way of doing it wrong must fail, by the check that it is aimed at."""
        right = await self._graded(task, [turn.says for turn in task.turns])
        if failures := right.failures():
            return _outcome(right, failures)
        overlooked, wrong = [], mutations(right)
        for mutation in wrong:
            caught = Graded(task, mutation.seen, right.places, right.figures).failures()
            if mutation.check not in {failure.check for failure in caught}:
                overlooked.append(mutation.name)
        for bad in task.bad:
            failed = {failure.check for failure in (await self.wrongly(task, bad)).failures}
            if not set(bad.fails) <= failed:
                overlooked.append(f"{bad.why}: caught by {', '.join(sorted(failed)) or 'nothing'}")
        return _outcome(right, tried=len(wrong) + len(task.bad), overlooked=overlooked)

    async def wrongly(self, task: Task, bad: Bad) -> Outcome:
        """A bad trajectory, really played; the turns that it leaves out go as they should."""
        rest = [turn.says for turn in task.turns[len(bad.says) :]]
        return await self.once(task, script=[*bad.says, *rest])

    async def _graded(self, task: Task, script: Script | None, model: ModelSettings | None = None) -> Graded:
        with tempfile.TemporaryDirectory(dir=self.directory) as directory:
            async with open_stage(Path(directory), self.book, task, shop=self._shop, model=model) as stage:
                seen = await play(stage, task, script)
                return Graded(task, seen, stage.places, stage.figures)


def _outcome(
    graded: Graded, failures: Sequence[Failure] | None = None, *, tried: int = 0, overlooked: Sequence[str] = ()
) -> Outcome:
    seen = graded.seen
    return Outcome(
        graded.task.id,
        tuple(graded.failures() if failures is None else failures),
        seen.spent,
        len(seen.calls),
        answers=tuple(seen.answer(number) for number in range(len(graded.task.turns))),
        tried=tried,
        overlooked=tuple(overlooked),
        made=tuple(f"{call.name} {dict(call.arguments)} -> {call.outcome}" for call in seen.calls),
    )
