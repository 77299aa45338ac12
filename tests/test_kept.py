"""A connection that was kept tells the next test nothing of the last one."""

from pathlib import Path

import asyncpg
import pytest

from tests.database import database_in
from tools.secret import Secret

pytestmark = pytest.mark.postgresql


async def entered(directory: Path) -> "asyncpg.Connection[asyncpg.Record]":
    address = database_in(directory)
    assert isinstance(address, Secret)
    return await asyncpg.connect(address.reveal(), statement_cache_size=0)


async def test_what_a_session_set_prepared_and_locked_is_gone_for_the_next_one(tmp_path: Path) -> None:
    before = await entered(tmp_path)
    process = before.get_server_pid()
    schema = await before.fetchval("SHOW search_path")
    await before.execute("SET search_path = elsewhere; PREPARE one AS SELECT 1; SELECT pg_advisory_lock(7)")
    await before.close()

    after = await entered(tmp_path)
    try:
        assert after.get_server_pid() == process
        assert await after.fetchval("SHOW search_path") == schema
        assert await after.fetchval("SELECT count(*) FROM pg_prepared_statements WHERE name = 'one'") == 0
        assert await after.fetchval("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 7") == 0
    finally:
        await after.close()


async def test_one_that_was_in_the_middle_of_a_transaction_is_not_kept(tmp_path: Path) -> None:
    before = await entered(tmp_path)
    process = before.get_server_pid()
    await before.execute("BEGIN")
    await before.close()

    after = await entered(tmp_path)
    assert after.get_server_pid() != process
    await after.close()


async def test_one_that_the_server_ended_meanwhile_is_not_handed_out(tmp_path: Path) -> None:
    before, witness = await entered(tmp_path), await entered(tmp_path)
    process = before.get_server_pid()
    await before.close()
    await witness.execute(f"SELECT pg_terminate_backend({process}, 5000)")
    await witness.close()

    first, second = await entered(tmp_path), await entered(tmp_path)
    assert process not in (first.get_server_pid(), second.get_server_pid())
    assert await first.fetchval("SELECT 1") == await second.fetchval("SELECT 1") == 1
    await first.close()
    await second.close()
