"""Migrations are safe to repeat, to race and to kill, and never touch a newer database."""

import json
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine

from tools.store.engine import StoreUnavailable
from tools.store.migrations import Migration, SchemaMismatch, migrate, shipped
from tools.store.tables import metadata

SHIPPED = shipped()
CORE = SHIPPED[0]
VERSIONS = [step.version for step in SHIPPED]
NEXT = VERSIONS[-1] + 1


ASKED = '{"type":"text","text":"<context>{}</context>"},{"type":"text","text":"What \\"now\\"?"}'
OLDER = [
    ("user", f'[{{"type":"tool_result"}},{ASKED}]'),
    ("assistant", '[{"type":"text","text":"This."}]'),
    ("user", '[{"type":"tool_result","tool_use_id":"toolu_1"},{"type":"text","text":"Sum up."}]'),
]
"""Messages as they were stored before what the person said stood beside them."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    database = tmp_path / "adwright.db"
    migrate(database)
    return database


COLUMNS = 'SELECT name, type, "notnull", dflt_value, pk FROM pragma_table_info(?)'
REFERENCES = 'SELECT "from", "table", "to" FROM pragma_foreign_key_list(?) ORDER BY 1'
INDEXES = """
SELECT list.name, list."unique", list.origin, list.partial, info.seqno, info.name
FROM pragma_index_list(?) AS list JOIN pragma_index_info(list.name) AS info ORDER BY 1, 5
"""


def rows(path: Path, sql: str, *values: str) -> list[Any]:
    database = sqlite3.connect(path)
    found = database.execute(sql, values).fetchall()
    database.close()
    return found


def shape(path: Path) -> dict[str, Any]:
    """Every table with its columns, keys and indexes, in no particular spelling of the SQL."""
    tables = [table for (table,) in rows(path, "SELECT name FROM sqlite_master WHERE type = 'table'")]
    partial = rows(path, "SELECT sql FROM sqlite_master WHERE type = 'index' AND sql LIKE '%WHERE%' ORDER BY name")
    return {
        "partial": partial,
        **{table: [rows(path, sql, table) for sql in (COLUMNS, REFERENCES, INDEXES)] for table in tables},
    }


def test_the_migrated_schema_is_the_one_the_statements_are_written_for(path: Path, tmp_path: Path) -> None:
    created = tmp_path / "created.db"
    engine = create_engine(f"sqlite:///{created}")
    metadata.create_all(engine)
    engine.dispose()

    assert shape(path) == shape(created)


def test_migrating_again_does_nothing(path: Path) -> None:
    before = shape(path)

    assert migrate(path) == []
    assert shape(path) == before


def test_an_older_schema_gets_only_the_steps_it_lacks(path: Path) -> None:
    step = Migration(NEXT, "more", "CREATE TABLE more (id TEXT);\nINSERT INTO more VALUES ('a;b');\n")

    assert migrate(path, [*SHIPPED, step]) == [NEXT]
    assert migrate(path, [*SHIPPED, step]) == []
    assert rows(path, "SELECT * FROM more") == [("a;b",)]


def test_what_was_said_in_older_conversations_is_found_beside_its_message(tmp_path: Path) -> None:
    database = tmp_path / "older.db"
    migrate(database, SHIPPED[:7])
    connection = sqlite3.connect(database)
    connection.execute("INSERT INTO workspaces (id, name, created_at) VALUES ('w', 'W', 0)")
    connection.executemany(
        "INSERT INTO chat_messages (workspace_id, conversation_id, seq, turn, run_id, role, kind, content, tool_calls, "
        "created_at) VALUES ('w', 'cnv_1', ?, 1, 'run_1', ?, 'sent', ?, '[]', 0)",
        [(seq, role, content) for seq, (role, content) in enumerate(OLDER, 1)],
    )
    connection.commit()
    connection.close()

    migrate(database)

    assert rows(database, "SELECT said FROM chat_messages ORDER BY seq") == [('What "now"?',), (None,), (None,)]


def test_a_database_newer_than_the_program_is_refused_untouched(path: Path) -> None:
    migrate(path, [*SHIPPED, Migration(NEXT, "future", "CREATE TABLE future (id TEXT);\n")])

    with pytest.raises(SchemaMismatch, match=f"schema {NEXT}, this program knows {NEXT - 1}"):
        migrate(path)


def test_a_step_that_was_edited_after_it_ran_is_refused(path: Path) -> None:
    with pytest.raises(SchemaMismatch, match="step 1"):
        migrate(path, [CORE._replace(sql=CORE.sql + "\n-- edited\n"), *SHIPPED[1:]])


def test_a_failing_step_leaves_nothing_behind(tmp_path: Path) -> None:
    database = tmp_path / "adwright.db"
    broken = Migration(1, "broken", "CREATE TABLE half (id TEXT);\nCREATE TABLE half (id TEXT);\n")

    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        migrate(database, [broken])

    assert rows(database, "SELECT name FROM sqlite_master WHERE name = 'half'") == []
    assert migrate(database) == VERSIONS


def test_a_step_cut_in_mid_statement_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SchemaMismatch, match="middle of a statement"):
        migrate(tmp_path / "adwright.db", [Migration(1, "cut", "CREATE TABLE t (id TEXT")])


def test_a_directory_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        migrate(tmp_path / "missing" / "adwright.db")


RACER = """
import asyncio, sys
from pathlib import Path
from tools.store.sqlite import SqliteStore
from tools.store.migrations import migrate

sys.stdin.readline()
print(migrate(sys.argv[1]))

async def main():
    await (await SqliteStore.open(sys.argv[1])).close()

asyncio.run(main())
"""


def started(program: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def test_of_several_processes_at_once_one_applies_each_step_and_all_can_open(tmp_path: Path) -> None:
    racers = [started(RACER, str(tmp_path / "adwright.db")) for _ in range(4)]
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    answers = [json.loads(racer.communicate(timeout=30)[0]) for racer in racers]

    assert [racer.returncode for racer in racers] == [0, 0, 0, 0]
    assert sorted(version for applied in answers for version in applied) == VERSIONS


HANGER = """
import sqlite3, sys
from tools.store import migrations

connect = migrations.connect

def slow(path):
    connection = connect(path)
    connection.create_function("hang", 0, lambda: (print("inside", flush=True), sys.stdin.readline()) and None)
    return connection

migrations.connect = slow
core = migrations.shipped()[0]
migrations.migrate(sys.argv[1], [core._replace(sql=core.sql + "SELECT hang();\\n")])
"""


def test_a_kill_in_the_middle_of_a_step_leaves_it_undone_and_repeatable(tmp_path: Path) -> None:
    database = tmp_path / "adwright.db"
    hanging = started(HANGER, str(database))
    assert hanging.stdout is not None
    assert hanging.stdout.readline() == "inside\n"
    hanging.send_signal(signal.SIGKILL)
    hanging.communicate(timeout=10)

    assert rows(database, "SELECT count(*) FROM schema_migrations") == [(0,)]
    assert rows(database, "SELECT name FROM sqlite_master WHERE name = 'workspaces'") == []
    assert migrate(database) == VERSIONS
