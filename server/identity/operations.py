"""What an operator can do, each as one function from what was sent to what is answered and stored."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from server.identity import store as statements
from server.identity.members import choose_member
from server.identity.sessions import Sessions
from server.identity.store import IdentityStore
from tools import ids
from tools.approval import moment
from tools.authority import Role, Scope
from tools.capability import Input, Nothing
from tools.errors import Conflict, InvalidArguments, NotFound
from tools.fields import member
from tools.keys import format as keys
from tools.keys import model as key_model
from tools.store import sealing
from tools.store.audit import AuditLog, verify_all
from tools.store.engine import Statement, Store
from tools.store.sealing import KeyRing
from tools.store.statements import Row

DAY_MS = 86_400_000
OUTSIDE = ""  # the audit chain of what belongs to no workspace


class NewUser(Input):
    email: Annotated[str, Field(max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")]
    name: Annotated[str, Field(max_length=100)] | None = None
    role: Annotated[Role, BeforeValidator(member(Role))]
    workspace: str | None = None


class NewKey(Input):
    name: Annotated[str, Field(min_length=1, max_length=100, pattern=r"\S")]
    scopes: Annotated[
        tuple[Annotated[Scope, BeforeValidator(member(Scope))], ...], Field(strict=False, min_length=1, max_length=7)
    ]
    rate: Annotated[int, Field(ge=1, le=100_000)] | None = None
    direct: bool = False
    expires_days: Annotated[int, Field(ge=1, le=3650)] | None = None
    workspace: str | None = None
    user: str | None = None  # id or e-mail; the workspace's first owner if left out


class NewLink(Input):
    email: str | None = None
    workspace: str | None = None
    next: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What to answer, and the statements to commit together with the audit row."""

    data: Any
    workspace: str = OUTSIDE
    statements: Sequence[Statement] = ()
    status: int = 200


class Operations:
    def __init__(
        self,
        *,
        store: Store,
        identity: IdentityStore,
        sessions: Sessions,
        audit: AuditLog,
        keyring: KeyRing,
        clock: Callable[[], dt.datetime],
        status: Callable[[], Mapping[str, Any]],
    ) -> None:
        self._store, self._identity, self._sessions = store, identity, sessions
        self._audit, self._keyring, self._clock, self._status = audit, keyring, clock, status

    async def create_user(self, new: NewUser) -> Done:
        email, now = new.email.lower(), self._now()
        members, known = await self._identity.members(), await self._identity.user(email)
        user = known.id if known else ids.new("usr")
        added: list[Statement] = []
        if members or new.workspace:
            workspace, name = await self._workspace(new.workspace)
        else:
            workspace, name = ids.new("wsp"), "Default"
            added.append(statements.workspace_added(id=workspace, name=name, created_at=now))
        if new.role is not Role.OWNER and not any(row.workspace_id == workspace for row in members):
            raise Conflict("The first user of a workspace owns it.", fix="Create an owner first: --role owner.")
        if any((row.workspace_id, row.user_id) == (workspace, user) for row in members):
            raise Conflict(f"{email} is a member already.", fix="Mint a sign-in link instead: adwright login-link.")
        if known is None:
            added.append(statements.user_added(id=user, email=email, name=new.name or "", created_at=now))
        added.append(statements.member_added(workspace_id=workspace, user_id=user, role=new.role.value, created_at=now))
        shown_name = known.name if known else new.name or ""
        data = {"id": user, "email": email, "name": shown_name, "role": new.role.value}
        return Done(
            data=data | {"workspace": {"id": workspace, "name": name}},
            workspace=workspace,
            statements=added,
            status=201,
        )

    async def create_key(self, new: NewKey) -> Done:
        owner = await self._person(new.user, new.workspace)
        if beyond := sorted(set(new.scopes) - Role(owner.role).scopes):
            raise InvalidArguments(
                f"A key cannot do more than whoever it belongs to, here a {owner.role}.",
                fix="Leave these scopes out, or name another --user.",
                problems=[{"field": "scopes", "problem": f"not a {owner.role}'s: {scope}"} for scope in beyond],
            )
        if new.direct and owner.role != Role.OWNER:
            raise InvalidArguments(
                "Only an owner's key may act without asking.",
                fix="Leave out direct, or name an owner.",
                problems=[{"field": "direct", "problem": f"{owner.email} is a {owner.role}"}],
            )
        key, now = keys.mint(), self._now()
        row = {
            "id": ids.new("key"),
            "workspace_id": owner.workspace_id,
            "name": new.name,
            "scopes": list(dict.fromkeys(new.scopes)),
            "policy": "direct" if new.direct else "gated",
            "rate": new.rate,
            "created_by": owner.user_id,
            "created_at": now,
            "expires_at": now + new.expires_days * DAY_MS if new.expires_days else None,
        }
        shown = {
            "id": row["id"],
            "name": new.name,
            "prefix": key.prefix,
            "scopes": row["scopes"],
            "policy": row["policy"],
            "rate": new.rate,
            "createdAt": moment(now),
            "expiresAt": moment(now + new.expires_days * DAY_MS) if new.expires_days else None,
            "workspace": owner.workspace_id,
            "key": key.text,
        }
        return Done(
            data={name: value for name, value in shown.items() if value is not None},
            workspace=owner.workspace_id,
            statements=[statements.key_added(key, **row)],
            status=201,
        )

    async def list_keys(self, _: Nothing) -> Done:
        rows = await self._identity.api_keys()
        return Done(data=[key_model.shown(row).wire() | {"workspace": row.workspace_id} for row in rows])

    async def revoke_key(self, key_id: str) -> Done:
        found = await self._identity.api_keys(key_id)
        if not found:
            raise NotFound(f"There is no key {key_id}.", fix="Take an id from adwright keys list.")
        now = self._now()
        data = key_model.shown(found[0]).wire()
        return Done(
            data={"revokedAt": moment(now)} | data,
            workspace=found[0].workspace_id,
            statements=[statements.key_revoked(key_id, now)],
        )

    async def create_link(self, new: NewLink) -> Done:
        person = await self._person(new.email, new.workspace)
        link = await self._sessions.mint_link(person.user_id, person.workspace_id, new.next)
        data = {"url": link.url, "expiresAt": moment(int(link.expires_at.timestamp() * 1000))}
        return Done(data=data, workspace=person.workspace_id, status=201)

    async def rotate_secrets(self, _: Nothing) -> Done:
        return Done(data=asdict(await sealing.rotate(self._store, self._keyring)))

    async def verify_audit(self, _: Nothing) -> Done:
        await self._audit.flush()
        found = await verify_all(self._store)
        verified = [{"workspace": workspace} | asdict(each) for workspace, each in found.items()]
        return Done(data={"ok": all(each["ok"] for each in verified), "chains": verified})

    async def show_status(self, _: Nothing) -> Done:
        workspaces = [{"id": row.id, "name": row.name} for row in await self._identity.workspaces()]
        return Done(data={"workspaces": workspaces, "auditHealthy": self._audit.healthy} | dict(self._status()))

    async def _workspace(self, named: str | None) -> tuple[str, str]:
        rows = await self._identity.workspaces()
        found = [row for row in rows if named in {None, row.id, row.name}]
        if len(found) == 1:
            return found[0].id, found[0].name
        raise InvalidArguments(
            "Which workspace?",
            fix="Name one of details.choices.",
            problems=[{"field": "workspace", "problem": "several fit" if found else "none fits"}],
            choices=[{"id": row.id, "name": row.name} for row in rows],
        )

    async def _person(self, user: str | None, workspace: str | None) -> Row:
        """The member of that id or e-mail; without one, the oldest owner."""
        members = await self._identity.members()
        if user is None:
            return choose_member([row for row in members if row.role == Role.OWNER], workspace)
        known = [row for row in members if user.lower() in {row.email, row.user_id.lower()}]
        if not known:
            raise NotFound(f"There is no user {user}.", fix="Create one: adwright users create EMAIL --role ROLE.")
        return choose_member(known, workspace)

    def _now(self) -> int:
        return int(self._clock().timestamp() * 1000)
