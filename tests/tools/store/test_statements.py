"""Statements are compiled once a shape and understood by both databases."""

import pytest
from sqlalchemy import bindparam, insert, make_url, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from tools.store import audit
from tools.store.engine import Store
from tools.store.statements import CACHE_SIZE, Compiler, Prepared
from tools.store.tables import api_keys, metadata, usage_counters, workspaces
from tools.store.tenant import Rows

DIALECTS = [make_url(f"{name}://").get_dialect()() for name in ("sqlite", "postgresql+asyncpg")]


def statements(store: Store) -> list[object]:
    rows = Rows(store, "wsp_1")
    values = {"meter": "chat", "period": "2026-11", "used": 1}
    return [
        rows.select(usage_counters),
        rows.update(usage_counters, used=2),
        rows.delete(usage_counters),
        rows.insert(usage_counters, **values),
        rows.insert_once(usage_counters, **values),
        rows.upsert(usage_counters, values, {"used": usage_counters.c.used + 1}),
        *(value.statement for value in vars(audit).values() if isinstance(value, Prepared)),
        *(CreateTable(table) for table in metadata.sorted_tables),
        *(CreateIndex(index) for table in metadata.sorted_tables for index in table.indexes),
    ]


async def test_both_databases_understand_every_statement(store: Store) -> None:
    for statement in statements(store):
        spelled = [str(statement.compile(dialect=dialect)) for dialect in DIALECTS]  # type: ignore[attr-defined]  # each is a clause
        assert all(spelled)
        if "ON CONFLICT" in spelled[0]:
            assert "ON CONFLICT" in spelled[1]


def test_one_shape_is_compiled_once_and_the_cache_is_bounded() -> None:
    compiler = Compiler(sqlite.dialect())
    calls = [compiler.call(select(workspaces.c.id).where(workspaces.c.id == name), {}) for name in ("a", "b")]

    assert [list(call.parameters) for call in calls] == [["a"], ["b"]]
    assert len(compiler._cache) == 1
    for size in range(CACHE_SIZE + 1):
        compiler._cache[size] = compiler._cache[next(iter(compiler._cache))]
    compiler.call(select(workspaces.c.name), {})
    assert len(compiler._cache) == 1


def test_documents_travel_as_text_one_by_one_and_in_bulk() -> None:
    compiler = Compiler(sqlite.dialect())
    prepared = Prepared(insert(api_keys).values(id=bindparam("id"), scopes=bindparam("scopes")))

    call = compiler.call(prepared, {"id": "key_1", "scopes": ["ads:read"]})
    [bulk] = compiler.many(prepared, [{"id": "key_1", "scopes": ["ads:read"]}, {"id": "key_2", "scopes": None}])

    assert list(call.parameters) == ["key_1", '["ads:read"]']
    assert (bulk.sql, bulk.parameters) == (f"{call.sql}, (?, ?)", ["key_1", '["ads:read"]', "key_2", None])
    assert (call.writes, bulk.writes) == ("api_keys", "api_keys")


def test_a_schema_change_is_no_statement() -> None:
    with pytest.raises(TypeError):
        Compiler(sqlite.dialect()).call(CreateTable(workspaces), {})
