"""Websites by their public id, before any workspace is known: the one module of ingest past the tenant filter."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import bindparam, select

from tools.store.engine import Store
from tools.store.statements import Prepared
from tools.store.tables import websites

KEPT_SECONDS = 10.0
"""How long an answer holds where other processes may change the table; where none do it holds until it changes."""
_MOST_KEPT = 10_000
_MOST_CHARACTERS = 64
_LOCAL = frozenset({"localhost", "127.0.0.1", "[::1]", "0.0.0.0"})  # noqa: S104 -- compared, not bound
_SITE = Prepared(
    select(websites.c.workspace_id, websites.c.domain, websites.c.settings).where(
        websites.c.id == bindparam("website_id"), websites.c.deleted_at.is_(None)
    )
)
_ANY = Prepared(select(websites.c.id).where(websites.c.deleted_at.is_(None)).limit(1))


@dataclass(frozen=True, slots=True)
class Site:
    id: str
    workspace_id: str
    domain: str
    allow_localhost: bool

    def has(self, host: str) -> bool:
        """Whether a page of this host is a page of the website."""
        if host == self.domain or host.endswith("." + self.domain):
            return True
        return self.tried_at(host)

    def tried_at(self, host: str) -> bool:
        """Whether it is where somebody tries the website out, who said that this counts, too."""
        return self.allow_localhost and (host in _LOCAL or host.endswith(".localhost"))


class Sites:
    """What is not there is remembered too: an id that somebody made up costs one look at the database, not one each."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        self._store, self._clock = store, clock
        self._changes = store.changes_to(websites)
        self._as_of = -1
        self._known: dict[str, tuple[Site | None, float]] = {}

    async def any(self) -> bool:
        """Whether an event can come at all. Raises StoreUnavailable."""
        return await self._store.read(lambda transaction: transaction.first(_ANY)) is not None

    async def find(self, website_id: str) -> Site | None:
        """Raises StoreUnavailable."""
        if not website_id.startswith("admx_") or len(website_id) > _MOST_CHARACTERS or not website_id.isascii():
            return None
        now = self._clock()
        as_of = self._changes.count if self._changes is not None else 0  # before the reading
        if as_of != self._as_of or len(self._known) >= _MOST_KEPT:
            self._as_of = as_of
            self._known.clear()
        known = self._known.get(website_id)
        if known is not None and (self._changes is not None or now < known[1]):
            return known[0]
        row = await self._store.read(lambda transaction: transaction.first(_SITE, website_id=website_id))
        site = None if row is None else _site(website_id, row.workspace_id, row.domain, row.settings)
        if as_of == self._as_of:
            self._known[website_id] = site, now + KEPT_SECONDS
        return site


def _site(website_id: str, workspace_id: str, domain: str, settings: dict[str, object]) -> Site:
    return Site(website_id, workspace_id, domain, allow_localhost=settings.get("allow_localhost") is True)
