"""Every statement that runs before a workspace is known, in the one module that may read past the tenant filter."""

import asyncio
import logging
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Text, Update, bindparam, delete, insert, select, type_coerce, update

from server.identity.remembered import Remembered
from tools.authority import Role
from tools.errors import Unavailable
from tools.keys.format import ApiKey
from tools.store.engine import Statement, Store, StoreUnavailable, Transaction, Work
from tools.store.statements import Prepared, Row
from tools.store.tables import api_keys, login_links, memberships, sessions, users, workspaces

T = TypeVar("T")
logger = logging.getLogger(__name__)

_KEY = Prepared(
    select(
        api_keys.c.id, api_keys.c.workspace_id, api_keys.c.name, api_keys.c.key_hash, api_keys.c.created_by,
        type_coerce(api_keys.c.scopes, Text).label("scopes"),  # as text: what the role leaves of it is remembered
        api_keys.c.policy, api_keys.c.rate, api_keys.c.expires_at, api_keys.c.last_used_at, api_keys.c.revoked_at,
        memberships.c.role, workspaces.c.name.label("workspace_name"), workspaces.c.plan,
    )
    .join_from(api_keys, workspaces, workspaces.c.id == api_keys.c.workspace_id)
    .outerjoin(
        memberships,
        (memberships.c.workspace_id == api_keys.c.workspace_id) & (memberships.c.user_id == api_keys.c.created_by),
    )
    .where(api_keys.c.lookup == bindparam("lookup"))
)  # fmt: skip
_SESSION = Prepared(
    select(
        sessions.c.user_id, sessions.c.workspace_id, sessions.c.expires_at, sessions.c.last_seen_at,
        sessions.c.revoked_at, users.c.name, users.c.email, memberships.c.role,
        workspaces.c.name.label("workspace_name"), workspaces.c.plan,
    )
    .join_from(sessions, users, users.c.id == sessions.c.user_id)
    .join(workspaces, workspaces.c.id == sessions.c.workspace_id)
    .outerjoin(
        memberships,
        (memberships.c.workspace_id == sessions.c.workspace_id) & (memberships.c.user_id == sessions.c.user_id),
    )
    .where(sessions.c.id_hash == bindparam("id_hash"))
)  # fmt: skip
_MEMBER = (
    select(
        memberships.c.user_id, memberships.c.workspace_id, memberships.c.role, users.c.email, users.c.name,
        workspaces.c.name.label("workspace_name"), workspaces.c.plan,
    )
    .join_from(memberships, users, users.c.id == memberships.c.user_id)
    .join(workspaces, workspaces.c.id == memberships.c.workspace_id)
    .order_by(memberships.c.created_at, memberships.c.workspace_id)
)  # fmt: skip
_FIRST_OWNER = (
    select(memberships.c.user_id)
    .where(memberships.c.role == Role.OWNER)
    .order_by(memberships.c.created_at, memberships.c.user_id)
    .limit(1)
    .scalar_subquery()
)
_OF_FIRST_OWNER = Prepared(_MEMBER.where(memberships.c.user_id == _FIRST_OWNER))
_KEY_USED = update(api_keys).where(api_keys.c.id == bindparam("id_")).values(last_used_at=bindparam("at"))
_SESSION_SEEN = update(sessions).where(sessions.c.id_hash == bindparam("id_")).values(last_seen_at=bindparam("at"))
_CLAIM_LINK = Prepared(
    update(login_links)
    .where(
        login_links.c.token_hash == bindparam("hash_"),
        login_links.c.used_at.is_(None),
        login_links.c.expires_at > bindparam("now"),
    )
    .values(used_at=bindparam("now"))
    .returning(login_links.c.user_id, login_links.c.workspace_id, login_links.c.next_path)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSession:
    id_hash: str
    created_at: int
    expires_at: int
    replaces: str | None = None  # the hash of the session the browser brought along


class IdentityStore:
    """Times are UTC milliseconds."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.keys_changed = store.changes_to(api_keys, memberships, workspaces)  # what _KEY reads
        self._sessions = Remembered[str, Row | None](store.changes_to(sessions, users, memberships, workspaces))
        self._owners = Remembered[None, list[Row]](store.changes_to(memberships, users, workspaces))
        self.keys_used = LastTimes(store, _KEY_USED)
        self.sessions_seen = LastTimes(store, _SESSION_SEEN)

    async def flush(self) -> None:
        """Write the last-use times that are still waiting; before the store closes."""
        await self.keys_used.flush()
        await self.sessions_seen.flush()

    async def api_key(self, lookup: str) -> Row | None:
        return await self._read(lambda transaction: transaction.first(_KEY, lookup=lookup))

    async def session(self, id_hash: str) -> Row | None:
        return await self._sessions.get(
            id_hash, lambda: self._read(lambda transaction: transaction.first(_SESSION, id_hash=id_hash))
        )

    async def revoke_session(self, id_hash: str, now: int) -> None:
        await self._write(lambda transaction: _revoke(transaction, id_hash, now))

    async def first_owner(self) -> list[Row]:
        """The memberships of whoever owned anything here first; one row a workspace."""
        return await self._owners.get(None, lambda: self._read(lambda transaction: transaction.all(_OF_FIRST_OWNER)))

    async def members(self) -> list[Row]:
        """Every membership, oldest first."""
        return await self._read(lambda transaction: transaction.all(_MEMBER))

    async def member(self, workspace_id: str, user_id: str) -> Row | None:
        ours = (memberships.c.workspace_id == workspace_id, memberships.c.user_id == user_id)
        return await self._read(lambda transaction: transaction.first(_MEMBER.where(*ours)))

    async def workspaces(self) -> list[Row]:
        statement = select(workspaces.c.id, workspaces.c.name).order_by(workspaces.c.created_at, workspaces.c.id)
        return await self._read(lambda transaction: transaction.all(statement))

    async def user(self, email: str) -> Row | None:
        statement = select(users.c.id, users.c.name).where(users.c.email == email)
        return await self._read(lambda transaction: transaction.first(statement))

    async def add_link(self, **row: Any) -> None:
        async def work(transaction: Transaction) -> None:
            await transaction.run(delete(login_links).where(login_links.c.expires_at < row["created_at"]))
            await transaction.run(insert(login_links).values(**row))

        await self._write(work)

    async def open_session(self, link_hash: str, session: NewSession) -> Row | None:
        """Use up the link and open the session, both or neither; None when the link opens nothing (any more)."""

        async def work(transaction: Transaction) -> Row | None:
            link = await transaction.first(_CLAIM_LINK, hash_=link_hash, now=session.created_at)
            if link is None or not await transaction.all(
                select(memberships.c.role).where(
                    memberships.c.workspace_id == link.workspace_id, memberships.c.user_id == link.user_id
                )
            ):
                return None
            await transaction.run(delete(sessions).where(sessions.c.expires_at < session.created_at))
            if session.replaces:
                await _revoke(transaction, session.replaces, session.created_at)
            await transaction.run(
                insert(sessions).values(
                    id_hash=session.id_hash,
                    user_id=link.user_id,
                    workspace_id=link.workspace_id,
                    created_at=session.created_at,
                    expires_at=session.expires_at,
                    last_seen_at=session.created_at,
                )
            )
            return link

        return await self._write(work)

    async def api_keys(self, key_id: str | None = None) -> list[Row]:
        """Keys of every workspace, newest first, without what opens them; or only the one of that id."""
        shown = [column for column in api_keys.c if column.name not in {"key_hash", "lookup"}]
        statement = select(*shown).order_by(api_keys.c.created_at.desc(), api_keys.c.id)
        if key_id is not None:
            statement = statement.where(api_keys.c.id == key_id)
        return await self._read(lambda transaction: transaction.all(statement))

    async def _read(self, work: Work[T]) -> T:
        try:
            return await self._store.read(work)
        except StoreUnavailable as error:
            raise _down() from error

    async def _write(self, work: Work[T]) -> T:
        try:
            return await self._store.write(work)
        except StoreUnavailable as error:
            raise _down() from error


def _down() -> Unavailable:
    return Unavailable("The database is out of reach.", fix="Try again in a few seconds.", retry_after=5)


# What operators write, as statements: they are committed together with their audit row.
def workspace_added(**row: Any) -> Statement:
    return insert(workspaces).values(**row)


def user_added(**row: Any) -> Statement:
    return insert(users).values(**row)


def member_added(**row: Any) -> Statement:
    return insert(memberships).values(**row)


def key_added(key: ApiKey, **row: Any) -> Statement:
    return insert(api_keys).values(lookup=key.lookup, prefix=key.prefix, key_hash=key.hash, **row)


def key_revoked(key_id: str, now: int) -> Statement:
    """A second revocation keeps the time of the first."""
    return update(api_keys).where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None)).values(revoked_at=now)


async def _revoke(transaction: Transaction, id_hash: str, now: int) -> None:
    await transaction.run(
        update(sessions).where(sessions.c.id_hash == id_hash, sessions.c.revoked_at.is_(None)).values(revoked_at=now)
    )


class LastTimes:
    """Last-use times, collected for a second and written together: no request waits for one or fails with one."""

    def __init__(self, store: Store, statement: Update) -> None:
        self._store = store
        self._statement = Prepared(statement)
        self._waiting: dict[str, int] = {}
        self._timer: asyncio.TimerHandle | None = None

    def note(self, key: str, now: int) -> None:
        self._waiting[key] = now
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(1, self._submit)

    async def flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            if written := self._submit():
                await asyncio.wait([written])

    def _submit(self) -> asyncio.Future[None] | None:
        self._timer = None
        waiting, self._waiting = self._waiting, {}

        async def work(transaction: Transaction) -> None:
            for key, at in waiting.items():
                await transaction.run(self._statement, id_=key, at=at)

        try:
            written = self._store.submit(work)
        except StoreUnavailable as error:
            logger.warning("last-use times were not written: %s", error)
            return None
        written.add_done_callback(_tell)
        return written


def _tell(written: asyncio.Future[None]) -> None:
    if not written.cancelled() and (error := written.exception()):
        logger.warning("last-use times were not written: %s", error)
