"""The register of promises and the tests that cite it must agree in both directions."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.promises import REGISTER, registered

TESTS = Path(__file__).parents[1]
SEEDS = {"developer-api", "pixel-api"}


def citations() -> Iterator[tuple[str, str]]:
    """(id, file:line) of each `@promise(...)` on a test, of each `promise(...)` in a `pytestmark` or parameter set."""
    for path in sorted(TESTS.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "promise":
                where = f"{path.relative_to(TESTS.parent)}:{node.lineno}"
                for argument in node.args:
                    assert isinstance(argument, ast.Constant), f"{where}: write the promise's id as a plain string"
                    yield str(argument.value), where


def test_ids_are_unique_and_every_row_names_a_seed_and_one_sentence() -> None:
    rows = registered()
    twice = [name for name, count in Counter(row.id for row in rows).items() if count > 1]
    assert not twice
    wrong = [
        row.id
        for row in rows
        if row.source.split(" § ")[0] not in SEEDS or not row.text.endswith(".") or row.since not in {"spine", "later"}
    ]
    assert not wrong


def test_every_cited_promise_is_registered() -> None:
    known = {row.id for row in registered()}
    unknown = [f"{where}: no promise is called {cited}" for cited, where in citations() if cited not in known]
    assert not unknown, "\n".join(unknown)


def test_every_promise_that_is_due_has_a_test() -> None:
    cited = {name for name, _ in citations()}
    missing = [f"{row.id}: {row.text}" for row in registered() if row.since == "spine" and row.id not in cited]
    assert not missing, f"no test cites these promises of {REGISTER.name}:\n" + "\n".join(missing)


@pytest.mark.parametrize("seed", sorted(SEEDS))
def test_both_seeds_are_registered(seed: str) -> None:
    assert any(row.source.startswith(seed) for row in registered())
