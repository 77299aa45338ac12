"""Nobody goes round the tenant filter: outside the store and a named few, statements come from `Rows` alone."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.store.tables import metadata

ROOT = Path(__file__).parents[2]
FACES = ("tools", "api", "agent", "server")

# These work before a workspace is known or over all of them; each says so in its first lines.
ACROSS_WORKSPACES = {
    "server/identity/store.py": "resolves a credential to its workspace",
    "tools/recovery.py": "takes up what a killed process left, of every workspace",
    "tools/leases.py": "renews what this process holds, of every workspace",
    "server/analytics/ingest/sites.py": "finds a website by its public id, for events that nobody signs",
    "server/jobs/spend.py": "asks which workspaces have connections at all; the rest goes through Rows",
    "server/cli/doctor.py": "looks at the file itself, read-only, also where no owner can start on it",
}

BUILDERS = frozenset({"select", "insert", "update", "delete"})
# What begins or smuggles a statement; conditions and functions (and_, func, …) do neither.
NEVER = BUILDERS | {"text", "literal_column", "table", "exists", "union", "union_all", "orm", "sql", "dialects"}
TABLES = frozenset(table.name for table in metadata.tables.values())


def findings(source: str, path: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if (problem := _import_problem(node, path) or _call_problem(node)) is not None:
            yield f"{path}:{getattr(node, 'lineno', 0)}: {problem}"


def _import_problem(node: ast.AST, path: str) -> str | None:
    if isinstance(node, ast.Import):
        modules = {alias.name.partition(".")[0] for alias in node.names}
        driver = modules & {"sqlalchemy", "sqlite3", "asyncpg"}
        return f"imports {', '.join(sorted(driver))}" if driver and path != "tools/limits.py" else None
    if not isinstance(node, ast.ImportFrom) or node.level or not (node.module or "").startswith("sqlalchemy"):
        return None
    if not path.startswith("tools/") or not path.endswith("/store.py"):
        return "imports sqlalchemy; only a slice's store.py does, for conditions"
    refused = NEVER & {alias.name for alias in node.names}
    if node.module != "sqlalchemy" or refused:
        return f"imports {', '.join(sorted(refused)) or node.module}; statements come from Rows"
    return None


def _call_problem(node: ast.AST) -> str | None:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return None
    receiver = node.func.value
    name = receiver.id if isinstance(receiver, ast.Name) else getattr(receiver, "attr", "")
    if node.func.attr in BUILDERS and name in TABLES:
        return f"{name}.{node.func.attr}() goes round Rows"
    if node.func.attr == "values" and any(keyword.arg == "workspace_id" for keyword in node.keywords):
        return "sets workspace_id; Rows does"
    return None


def files() -> list[Path]:
    found = [path for face in FACES for path in (ROOT / face).rglob("*.py")]
    return [path for path in found if not path.is_relative_to(ROOT / "tools" / "store")]


def test_statements_come_from_rows_alone() -> None:
    paths = {path.relative_to(ROOT).as_posix(): path for path in files()}
    checked = {name: path for name, path in paths.items() if name not in ACROSS_WORKSPACES}

    found = [each for name, path in checked.items() for each in findings(path.read_text(encoding="utf-8"), name)]

    assert found == []
    assert "tools/limits.py" in checked


def test_who_works_across_workspaces_exists_and_needs_to() -> None:
    for name in ACROSS_WORKSPACES:
        assert list(findings((ROOT / name).read_text(encoding="utf-8"), name)), f"{name} no longer needs its exception"


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("tools/campaigns/list.py", "from sqlalchemy import func"),
        ("tools/campaigns/store.py", "from sqlalchemy import and_, select"),
        ("tools/campaigns/store.py", "from sqlalchemy import text"),
        ("tools/campaigns/store.py", "from sqlalchemy.dialects.sqlite import insert"),
        ("tools/campaigns/store.py", "import sqlalchemy as sa"),
        ("api/routes.py", "import sqlite3"),
        ("api/store.py", "from sqlalchemy import func"),
        ("tools/gate.py", "approvals.select().where(x)"),
        ("tools/gate.py", "tables.approvals.update()"),
        ("tools/gate.py", "rows.update(approvals).values(workspace_id='other')"),
    ],
)
def test_going_round_is_noticed(path: str, source: str) -> None:
    assert list(findings(source, path))


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("tools/campaigns/store.py", "from sqlalchemy import and_, func, or_"),
        ("tools/campaigns/list.py", "rows.select(campaign_index).where(campaign_index.c.name == 'x')"),
        ("tools/campaigns/list.py", "from tools.store.tables import approvals"),
        ("tools/limits.py", "import sqlite3"),
    ],
)
def test_the_proper_way_is_left_alone(path: str, source: str) -> None:
    assert not list(findings(source, path))
