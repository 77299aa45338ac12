"""What a run of tasks found, as a table for people and as one JSON object for programs."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.evals.retrieval import SHARE, TOP, Found
from tests.evals.running import Outcome
from tests.evals.seen import Spent

NOT_RUN = "live: not run (ANTHROPIC_API_KEY is not set)"


@dataclass
class Report:
    """`mode` is offline, planner or live; `runs` is how often each task was to be run."""

    mode: str
    model: str
    runs: int = 1
    outcomes: list[Outcome] = field(default_factory=list)
    found: Sequence[Found] = ()
    notes: list[str] = field(default_factory=list)

    def of(self, task: str) -> list[Outcome]:
        return [each for each in self.outcomes if each.task == task]

    @property
    def tasks(self) -> list[str]:
        return list(dict.fromkeys(each.task for each in self.outcomes))

    @property
    def complete(self) -> list[str]:
        """Tasks that were run as often as they were to be."""
        return [task for task in self.tasks if len(self.of(task)) >= self.runs]

    @property
    def passed_every_time(self) -> list[str]:
        return [task for task in self.complete if all(each.passed for each in self.of(task))]

    @property
    def passed(self) -> bool:
        return bool(self.outcomes) and all(each.passed for each in self.outcomes)

    @property
    def spent(self) -> Spent:
        return together([each.spent for each in self.outcomes])

    def shown(self) -> dict[str, Any]:
        hits = sum(each.hit for each in self.found)
        return {
            "mode": self.mode,
            "model": self.model,
            "runs": self.runs,
            "tasks": len(self.tasks),
            "complete": len(self.complete),
            f"pass^{self.runs}": _share(len(self.passed_every_time), len(self.complete)),
            "pass@1": _share(sum(each.passed for each in self.outcomes), len(self.outcomes)),
            "passed": sum(each.passed for each in self.outcomes),
            "measured": len(self.outcomes),
            "spent": asdict(self.spent) | {"cached_share": cached(self.spent)},
            "retrieval": {
                "top": TOP, "wanted": SHARE, "questions": len(self.found), "hits": hits,
                "share": _share(hits, len(self.found)), "misses": [asdict(each) for each in self.found if not each.hit],
            },
            "notes": self.notes,
            "outcomes": [each.shown() for each in self.outcomes],
        }  # fmt: skip

    def text(self) -> str:
        lines = [self._head(), *(self._line(task) for task in self.tasks)]
        widths = [max(len(line[at]) for line in lines) for at in range(len(lines[0]))]
        table = [
            "  ".join(
                cell.ljust(width) if at < 2 else cell.rjust(width)
                for at, (cell, width) in enumerate(zip(line, widths, strict=True))
            )
            for line in lines
        ]
        return "\n".join([*(line.rstrip() for line in table), "", *self._wrong(), *self._sums(), *self.notes])

    def _head(self) -> tuple[str, ...]:
        return (
            "task",
            "",
            "calls",
            "tokens",
            "cached",
            "cost",
            "seconds",
            "wrong ways caught" if self.mode == "offline" else "",
        )

    def _line(self, task: str) -> tuple[str, ...]:
        runs = self.of(task)
        spent, good = together([each.spent for each in runs]), sum(each.passed for each in runs)
        word = f"{good}/{len(runs)}" if self.runs > 1 else "pass" if good else "FAIL"
        tried = sum(each.tried for each in runs)
        caught = f"{tried - sum(len(each.overlooked) for each in runs)}/{tried}" if self.mode == "offline" else ""
        calls = f"{sum(each.tool_calls for each in runs)}"
        return (task, word, calls, *_cells(spent), caught)

    def _wrong(self) -> list[str]:
        lines = []
        for each in self.outcomes:
            told = [f"{failure.check}: {failure.why}" for failure in each.failures]
            told += [f"overlooked: {name}" for name in each.overlooked]
            lines += [f"{each.task}  {line}" for line in told]
        return [*lines, ""] if lines else []

    def _sums(self) -> list[str]:
        spent, measured = self.spent, len(self.outcomes)
        good = sum(each.passed for each in self.outcomes)
        lines = [f"{self.mode} ({self.model}): {good} of {measured} runs pass, pass@1 {_percent(good, measured)}"]
        if self.runs > 1:
            always, complete = len(self.passed_every_time), len(self.complete)
            lines.append(
                f"pass^{self.runs}: {always} of {complete} tasks pass every time, {_percent(always, complete)}"
            )
        if tried := sum(each.tried for each in self.outcomes):
            missed = sum(len(each.overlooked) for each in self.outcomes)
            lines.append(f"wrong ways: {tried - missed} of {tried} are caught by the check that they are aimed at")
        tokens, share, cost, seconds = _cells(spent)
        lines.append(
            f"{spent.model_calls} calls of the model, {sum(each.tool_calls for each in self.outcomes)} of tools; "
            f"{tokens} tokens, {share} of the input cached, {cost}, {seconds} s"
        )
        if self.mode != "live":
            lines.append("Tokens and cost of the stand-in are estimates; nothing was paid.")
        return [*lines, *self._retrieval()]

    def _retrieval(self) -> list[str]:
        if not self.found:
            return []
        hits = sum(each.hit for each in self.found)
        share, most = _percent(hits, len(self.found)), f"{SHARE:.0%}"
        told = f"{hits} of {len(self.found)} questions find their tool among the first {TOP}, {share}"
        lines = [f"retrieval: {told} (wanted: {most})"]
        misses = [each for each in self.found if not each.hit]
        return [*lines, *(f"  missed {each.task}: {each.wanted[0]}, found {', '.join(each.ranked)}" for each in misses)]


def together(spent: Sequence[Spent]) -> Spent:
    costs = [each.cost for each in spent]
    return Spent(
        model_calls=sum(each.model_calls for each in spent),
        input=sum(each.input for each in spent),
        output=sum(each.output for each in spent),
        cache_read=sum(each.cache_read for each in spent),
        cache_write=sum(each.cache_write for each in spent),
        cost=None if None in costs else sum(cost for cost in costs if cost is not None),
        seconds=sum(each.seconds for each in spent),
    )


def cached(spent: Spent) -> float | None:
    """Of what models read, the share that a cache held."""
    prompt = spent.input + spent.cache_read + spent.cache_write
    return spent.cache_read / prompt if prompt else None


def _cells(spent: Spent) -> tuple[str, str, str, str]:
    tokens = spent.input + spent.output + spent.cache_read + spent.cache_write
    share, cost = cached(spent), spent.cost
    return (
        f"{tokens:,}",
        "–" if share is None else f"{share:.0%}",
        "no price" if cost is None else f"${cost:.4f}",
        f"{spent.seconds:.1f}",
    )


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _percent(part: int, whole: int) -> str:
    return f"{part / whole:.0%}" if whole else "–"
