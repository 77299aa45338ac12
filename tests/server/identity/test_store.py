"""Last-use times when they cannot be written."""

import asyncio
import logging

import pytest

from server.identity.store import IdentityStore
from tools.store.engine import Store, Work


async def test_a_last_use_that_cannot_be_written_is_told_and_troubles_nobody(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    identity = IdentityStore(store)
    await store.close()

    identity.keys_used.note("key_1", 5)
    with caplog.at_level(logging.WARNING):
        await identity.flush()

    assert "last-use times were not written" in caplog.text


async def test_many_uses_are_one_write(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    identity, submitted = IdentityStore(store), list[Work[None]]()
    submit = store.submit

    def watched(work: Work[None]) -> asyncio.Future[None]:
        submitted.append(work)
        return submit(work)

    monkeypatch.setattr(store, "submit", watched)

    for at in range(100):
        identity.keys_used.note(f"key_{at % 3}", at)
    await identity.flush()
    await identity.flush()

    assert len(submitted) == 1
