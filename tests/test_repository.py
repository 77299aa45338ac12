"""Guards over the whole repository: what a reviewer would otherwise have to look for in every change."""

import ast
import importlib.metadata
import re
import socket
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
import pytest_socket

ROOT = Path(__file__).parents[1]
PACKAGES = ("server", "tools", "agent", "api", "prompts")
FOLDERS = (*PACKAGES, "tests", "docs", ".ci")
NOT_OURS = {"__pycache__", "vendor"}

MODULE_LINES = 400
FUNCTION_LINES = 60
VAGUE_NAMES = re.compile(r"^(utils?|helpers?|managers?|services?|base)$")

# Put together from parts, so that this file passes its own guards.
MACHINE_PATHS = re.compile(r"(?<![\w.:/-])/(" + "|".join(("work", "root", "tmp/brief")) + r")/")
REGISTRY_HOSTS = re.compile("|".join(("pypi[.]", "pythonhosted[.]", "npmjs[.]", "deb[.]debian", "proxy[.]golang")))
LEFT_OVER = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X")) + r")\b")


@cache
def files() -> tuple[Path, ...]:
    """Every file of ours, as paths from the root: what a checkout has, without what was generated or vendored."""
    top = [path for path in ROOT.iterdir() if path.is_file() and path.name not in {"uv.lock", ".git"}]
    inside = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file()]
    ours = (path.relative_to(ROOT) for path in (*top, *inside) if NOT_OURS.isdisjoint(path.parts))
    return tuple(sorted(ours))


@cache
def source(path: Path) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


class Function(NamedTuple):
    name: str
    line: int
    lines: int
    of_its_module: bool


class Module(NamedTuple):
    path: Path
    docstring: str | None
    functions: tuple[Function, ...]


@cache
def modules() -> tuple[Module, ...]:
    """Without their trees: a million objects that stay would slow every test after this one."""
    return tuple(_module(path) for path in files() if path.suffix == ".py")


def _module(path: Path) -> Module:
    tree = ast.parse(source(path))
    found: list[Function] = []
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.stmt | ast.excepthandler | ast.match_case):  # no expression holds a function
                waiting.append(child)
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (child.end_lineno or child.lineno) - child.lineno + 1
                found.append(Function(child.name, child.lineno, lines, of_its_module=node is tree))
    return Module(path, ast.get_docstring(tree), tuple(found))


def texts() -> Iterator[tuple[Path, int, str]]:
    for path in files():
        if b"\0" in (ROOT / path).read_bytes()[:8192]:
            continue
        for number, line in enumerate(source(path).splitlines(), 1):
            yield path, number, line


def lines_matching(pattern: re.Pattern[str]) -> list[str]:
    return [f"{path}:{number}: {line.strip()}" for path, number, line in texts() if pattern.search(line)]


def none(offences: list[str], rule: str) -> None:
    assert not offences, f"{rule}\n" + "\n".join(offences)


def test_the_walk_sees_the_repository() -> None:
    seen = set(files())
    assert {Path("dev"), Path("pyproject.toml"), Path("tests/test_repository.py")} <= seen
    assert all(any(path.parts[0] == package for path in seen) for package in PACKAGES)


def test_no_module_is_longer_than_400_lines() -> None:
    offences = [
        f"{module.path}:{MODULE_LINES + 1}: {count} lines"
        for module in modules()
        if (count := len(source(module.path).splitlines())) > MODULE_LINES
    ]
    none(offences, f"a module has at most {MODULE_LINES} lines")


def test_no_function_is_longer_than_60_lines() -> None:
    offences = [
        f"{module.path}:{function.line}: {function.name} has {function.lines} lines"
        for module in modules()
        for function in module.functions
        if function.lines > FUNCTION_LINES
    ]
    none(offences, f"a function has at most {FUNCTION_LINES} lines")


def test_no_module_has_a_name_that_says_nothing() -> None:
    offences = [
        f"{path}:1"
        for path, *_ in modules()
        if any(VAGUE_NAMES.match(part) for part in (*path.parent.parts, path.stem.removeprefix("test_")))
    ]
    none(offences, "name a module after what it holds")


def test_every_module_says_in_one_sentence_why_it_exists() -> None:
    offences = [
        f"{path}:1: {docstring or 'no docstring'}"
        for path, docstring, _ in modules()
        if (source(path).strip() or path.name != "__init__.py") and not _is_one_sentence(docstring)
    ]
    none(offences, "a module's docstring is one sentence")


def _is_one_sentence(docstring: str | None) -> bool:
    text = (docstring or "").partition("\n\n")[0]  # a drawing, such as a tree of errors, may follow
    return text.endswith(".") and not re.search(r"[^.][.!?]\s+[A-Z]", text)


@pytest.mark.parametrize(
    ("pattern", "rule"),
    [
        pytest.param(MACHINE_PATHS, "a path of one machine means nothing on another", id="machine-paths"),
        pytest.param(REGISTRY_HOSTS, "the clients know their registries; only uv.lock names one", id="registry-hosts"),
        pytest.param(LEFT_OVER, "finish it, or write it where work is planned", id="left-over-notes"),
    ],
)
def test_no_file_contains(pattern: re.Pattern[str], rule: str) -> None:
    none(lines_matching(pattern), rule)


@pytest.mark.parametrize(
    ("pattern", "line", "found"),
    [
        (MACHINE_PATHS, "data = '" + "/wo" + "rk/main'", True),
        (MACHINE_PATHS, "GET /api/v1/net" + "work/x", False),
        (REGISTRY_HOSTS, "https://py" + "pi.org/simple", True),
        (LEFT_OVER, "# TO" + "DO later", True),
    ],
)
def test_the_patterns_find_what_they_are_for(pattern: re.Pattern[str], line: str, found: bool) -> None:
    assert bool(pattern.search(line)) is found


def _mirrored(test: Path) -> bool:
    """A test of tools is called after a module, package or capability; elsewhere its folder exists in the code, or the
    one above it, where one folder has several folders of tests."""
    folder, stem = Path(*test.parts[1:-1]), test.stem.removeprefix("test_")
    if folder.parts[0] != "tools":
        return (ROOT / folder).is_dir() or (len(folder.parts) > 2 and (ROOT / folder.parent).is_dir())
    return (ROOT / folder / f"{stem}.py").exists() or (ROOT / folder / stem).is_dir() or stem in _functions(folder)


def _functions(folder: Path) -> set[str]:
    inside = [module for module in modules() if module.path.is_relative_to(folder)]
    return {function.name for module in inside for function in module.functions if function.of_its_module}


def test_tests_mirror_the_code() -> None:
    offences = [
        f"{path}:1"
        for path, *_ in modules()
        if path.parts[0] == "tests"
        and path.name.startswith("test_")
        and path.parts[1] in PACKAGES
        and not _mirrored(path)
    ]
    none(offences, "a test is called after the module or capability it tests")


def test_no_installed_distribution_claims_our_names() -> None:
    ours = {*PACKAGES, "tests"}
    offences = [
        f"{distribution.name}: {file}"
        for distribution in importlib.metadata.distributions()
        if distribution.name != "adwright"
        for file in distribution.files or ()
        if file.parts[0].partition(".")[0] in ours
    ]
    none(offences, "another distribution would shadow our packages")


def test_every_decision_is_numbered_without_gaps_and_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text(encoding="utf-8")
    records = sorted(path.name for path in folder.glob("*.md") if path.name != "README.md")
    assert [name[:5] for name in records] == [f"{number:04}-" for number in range(1, len(records) + 1)]
    none([f"docs/decisions/{name}:1" for name in records if f"]({name})" not in index], "link it from the index")


@pytest.mark.filterwarnings("ignore:A test tried to use")
def test_a_test_cannot_reach_another_machine() -> None:
    with pytest.raises(pytest_socket.SocketConnectBlockedError):
        socket.create_connection(("192.0.2.1", 9), timeout=1)


def test_a_test_can_reach_this_machine() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname(), timeout=5) as client,
    ):
        assert client.getpeername() == server.getsockname()
