"""Whether a question finds its tool by words alone: BM25 over what models read of tools."""

import math
import re
from collections import Counter
from dataclasses import dataclass

from tests.evals.task import Book, Task
from tools.capability import AnyCapability
from tools.catalog import catalog
from tools.schema import input_schema

TOP, SHARE = 3, 0.9
"""So many of the questions should find their tool among the first so many."""
_K1, _B = 1.2, 0.75
_PLACE = re.compile(r"\{[^{}]*\}|\d{4}-\d{2}-\d{2}")
_WORD = re.compile(r"[a-z]+")
_HUMP = re.compile(r"(?=[A-Z])")
_ENDINGS = re.compile(r"(ings?|ed|es|s|e)$")
_STOP = frozenset({
    "the", "a", "an", "and", "or", "of", "to", "in", "on", "at", "by", "for", "from", "with", "is", "are", "was",
    "were", "it", "its", "this", "that", "which", "what", "how", "many", "much", "do", "did", "does", "our", "we",
    "us", "i", "me", "my", "you", "your", "please", "as", "be", "so", "not", "no",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    task: str
    wanted: tuple[str, ...]
    ranked: tuple[str, ...]  # the best, as many as count

    @property
    def hit(self) -> bool:
        return not set(self.wanted).isdisjoint(self.ranked)


def words(text: str) -> list[str]:
    """Stems of the words that say something."""
    found = _WORD.findall(_PLACE.sub(" ", text.lower()))
    return [_ENDINGS.sub("", word) for word in found if word not in _STOP]


class Bm25:
    def __init__(self, documents: dict[str, str]) -> None:
        self._counts = {name: Counter(words(text)) for name, text in documents.items()}
        self._mean = sum(count.total() for count in self._counts.values()) / len(documents)
        held = Counter(word for count in self._counts.values() for word in count)
        self._rarity = {word: math.log(1 + (len(documents) - n + 0.5) / (n + 0.5)) for word, n in held.items()}

    def score(self, name: str, question: str) -> float:
        count = self._counts[name]
        length = 1 - _B + _B * count.total() / self._mean
        return sum(
            self._rarity.get(word, 0) * count[word] * (_K1 + 1) / (count[word] + _K1 * length)
            for word in words(question)
        )

    def ranked(self, question: str) -> list[str]:
        """Best first; by name where two score the same."""
        return sorted(self._counts, key=lambda name: (-self.score(name, question), name))


def found(book: Book) -> list[Found]:
    """Of the tasks that expect a call and are asked in English, the language of the docs. All that a model can reach is
    ranked; names of campaigns are data, and not part of the question."""
    index = Bm25({each.name: document(each) for each in catalog if each.for_models})
    names = sorted((name.split("/", 2)[2] for name in book.campaigns.values()), key=len, reverse=True)

    def question(task: Task) -> str:
        asked = task.question
        for name in names:
            asked = asked.replace(name, " ")
        return asked

    return [
        Found(task.id, wanted(task), tuple(index.ranked(question(task))[:TOP])) for task in book.tasks if asks(task)
    ]


def document(capability: AnyCapability) -> str:
    parameters = input_schema(capability.input).get("properties", {})
    told = [
        f"{_HUMP.sub(' ', name)} {schema.get('description', '')} {' '.join(map(str, schema.get('enum', ())))}"
        for name, schema in parameters.items()
    ]
    return " ".join([capability.name, capability.description, *told])


def wanted(task: Task) -> tuple[str, ...]:
    """Pipes are found through the tool that lists them, too."""
    return (*task.tools, *(("list_metrics",) if "query_metrics" in task.tools else ()))


def asks(task: Task) -> bool:
    return bool(task.tools) and all(turn.language in ("", "en") for turn in task.turns)
