"""The same steps on PostgreSQL: safe to repeat, to race and to kill; the walls are optional and told of."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy.dialects.postgresql import asyncpg as dialect
from sqlalchemy.schema import CreateIndex, CreateTable

from tests.database import administer, server_url
from tests.tools.store.test_migrations import OLDER
from tests.tools.store.works import adding, names
from tools.secret import Secret
from tools.store.migrations import Migration, SchemaMismatch, shipped
from tools.store.migrations.postgresql import migrate
from tools.store.opening import open_store
from tools.store.postgresql import PostgresStore
from tools.store.tables import metadata

SHIPPED = shipped()
VERSIONS = [step.version for step in SHIPPED]
NEXT = VERSIONS[-1] + 1
COLUMNS = """
SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns
WHERE table_schema = current_schema() AND table_name <> 'rate_limits' ORDER BY 1, 2
"""
INDEXES = """
SELECT tablename, replace(indexdef, current_schema() || '.', '') FROM pg_indexes
WHERE schemaname = current_schema() AND tablename <> 'rate_limits' ORDER BY 1, 2
"""
CONSTRAINTS = """
SELECT conrelid::regclass::text, contype::text, pg_get_constraintdef(oid) FROM pg_constraint
WHERE connamespace = current_schema()::regnamespace AND conrelid::regclass::text <> 'rate_limits' ORDER BY 1, 2, 3
"""


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """An empty schema."""
    schema = f"migrated_{os.getpid()}"
    administer(tmp_path, f"CREATE SCHEMA {schema}")
    yield server_url(search_path=schema)
    administer(tmp_path, f"DROP SCHEMA {schema} CASCADE")


@pytest.fixture
async def connection(url: str) -> AsyncIterator[Any]:
    opened = await asyncpg.connect(url)
    yield opened
    await opened.close()


async def shape(connection: Any) -> list[list[tuple[Any, ...]]]:
    return [[tuple(row) for row in await connection.fetch(sql)] for sql in (COLUMNS, INDEXES, CONSTRAINTS)]


async def tables(connection: Any) -> set[str]:
    return {row[0] for row in await connection.fetch("SELECT relname FROM pg_class JOIN pg_namespace n"
            " ON n.oid = relnamespace WHERE nspname = current_schema() AND relkind = 'r'")}  # fmt: skip


async def test_the_migrated_schema_is_the_one_the_statements_are_written_for(url: str, connection: Any) -> None:
    await migrate(url)
    migrated = await shape(connection)

    spoken = dialect.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped
    await connection.execute("CREATE SCHEMA created; SET search_path = created")
    try:
        for table in metadata.sorted_tables:
            await connection.execute(str(CreateTable(table).compile(dialect=spoken)))
            for index in table.indexes:
                await connection.execute(str(CreateIndex(index).compile(dialect=spoken)))
        assert migrated == await shape(connection)
    finally:
        await connection.execute("DROP SCHEMA created CASCADE")


async def test_migrating_again_does_nothing_and_a_new_step_is_added(url: str, connection: Any) -> None:
    step = Migration(NEXT, "more", "CREATE TABLE more (id TEXT);\nINSERT INTO more VALUES ('a;b');\n")

    assert await migrate(url) == VERSIONS
    assert await migrate(url) == []
    assert await migrate(url, [*SHIPPED, step]) == [NEXT]
    assert await connection.fetchval("SELECT id FROM more") == "a;b"
    with pytest.raises(SchemaMismatch, match=f"schema {NEXT}, this program knows {NEXT - 1}"):
        await migrate(url)


async def test_what_was_said_in_older_conversations_is_found_beside_its_message(url: str, connection: Any) -> None:
    await migrate(url, SHIPPED[:7])
    await connection.execute("INSERT INTO workspaces (id, name, created_at) VALUES ('w', 'W', 0)")
    await connection.executemany(
        "INSERT INTO chat_messages (workspace_id, conversation_id, seq, turn, run_id, role, kind, content, tool_calls, "
        "created_at) VALUES ('w', 'cnv_1', $1, 1, 'run_1', $2, 'sent', $3, '[]', 0)",
        [(seq, role, content) for seq, (role, content) in enumerate(OLDER, 1)],
    )

    await migrate(url)

    said = await connection.fetch("SELECT said FROM chat_messages ORDER BY seq")
    assert [row["said"] for row in said] == ['What "now"?', None, None]


async def test_a_failing_step_leaves_nothing_behind(url: str, connection: Any) -> None:
    broken = Migration(1, "broken", "CREATE TABLE half (id TEXT);\nCREATE TABLE half (id TEXT);\n")

    with pytest.raises(asyncpg.DuplicateTableError):
        await migrate(url, [broken])

    assert await tables(connection) == {"schema_migrations"}
    assert await migrate(url) == VERSIONS


def started(program: str, url: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


RACER = """
import asyncio, sys
from tools.store.migrations.postgresql import migrate
sys.stdin.readline()
print(asyncio.run(migrate(sys.argv[1])))
"""


def test_of_several_processes_at_once_one_applies_each_step(url: str) -> None:
    racers = [started(RACER, url) for _ in range(3)]
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    answers = [json.loads(racer.communicate(timeout=60)[0]) for racer in racers]

    assert [racer.returncode for racer in racers] == [0, 0, 0]
    assert sorted(version for applied in answers for version in applied) == VERSIONS


HANGER = """
import asyncio, sys
from tools.store import migrations
from tools.store.migrations import postgresql

def statements(step, database):
    yield from migrations.statements(step, database)
    print("inside", flush=True)
    yield "SELECT pg_sleep(600)"

postgresql.statements = statements
asyncio.run(postgresql.migrate(sys.argv[1]))
"""


async def test_a_kill_in_the_middle_of_a_step_leaves_it_undone_and_repeatable(url: str, connection: Any) -> None:
    hanging = started(HANGER, url)
    assert hanging.stdout is not None
    assert hanging.stdout.readline() == "inside\n"
    hanging.send_signal(signal.SIGKILL)
    hanging.communicate(timeout=10)
    # The server notices when it next writes to whoever is gone; a person would wait for the statement's end.
    await connection.execute(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)'"
    )

    assert await tables(connection) == {"schema_migrations"}
    assert await migrate(url) == VERSIONS


async def test_a_role_that_may_make_no_other_works_without_the_wall(tmp_path: Path) -> None:
    role = f"plain_{os.getpid()}"
    administer(
        tmp_path,
        f"CREATE ROLE {role} LOGIN PASSWORD 'plain'",
        f"GRANT {role} TO CURRENT_USER",
        f"CREATE SCHEMA {role} AUTHORIZATION {role}",
    )
    try:
        store = await open_store(Secret(server_url(user=f"{role}:plain", search_path=role)))
        try:
            assert isinstance(store, PostgresStore)
            assert not store.walled
            await store.of("w").write(adding("w"))
            assert await names(store.of("w")) == ["w"]
        finally:
            await store.close()
    finally:
        administer(tmp_path, f"DROP SCHEMA {role} CASCADE", f"DROP ROLE {role}")
