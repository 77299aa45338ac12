"""Signed-in people: opened by a single-use link, held in one HttpOnly cookie, decided by the session table alone."""

import datetime as dt
import hashlib
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlencode

from server.identity.requests import Scope, cookie, local_path, refuse_cross_origin
from server.identity.store import IdentityStore, NewSession
from tools.authority import Principal, Role, Via
from tools.errors import InvalidArguments, MissingAuthorization, SessionExpired

LINK_LIFETIME = dt.timedelta(minutes=15)
IDLE = dt.timedelta(days=14)
SEEN_EVERY_MS = 5 * 60 * 1000
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")  # 256 bits, base64url


@dataclass(frozen=True, slots=True)
class LoginLink:
    url: str = field(repr=False)  # opens a session: shown to its owner, never logged
    expires_at: dt.datetime


@dataclass(frozen=True, slots=True)
class SignIn:
    """`cookie` is the value of a Set-Cookie header."""

    cookie: str = field(repr=False)
    next_path: str | None


class Sessions:
    def __init__(
        self, store: IdentityStore, *, public_url: str, max_age_days: int, clock: Callable[[], dt.datetime]
    ) -> None:
        self._store, self._clock = store, clock
        self._public_url = public_url
        self._max_age = dt.timedelta(days=max_age_days)
        # Browsers accept the prefix from a secure site only, and then no subdomain can plant the cookie.
        self.secure = public_url.startswith("https:")
        self.cookie_name = "__Host-adwright_session" if self.secure else "adwright_session"

    async def principal(self, scope: Scope) -> Principal:
        """The person whose session the request carries; refuses what another site made the browser send."""
        token = cookie(scope, self.cookie_name)
        if token is None:
            raise MissingAuthorization(
                "This needs a session or an API key.",
                fix="Send `Authorization: Bearer <API key>`, or sign in at /sign-in.",
            )
        refuse_cross_origin(scope, self._public_url)
        now = self._now()
        row = await self._store.session(_hash(token)) if _TOKEN.fullmatch(token) else None
        if row is None or row.revoked_at is not None or now >= min(row.expires_at, row.last_seen_at + _ms(IDLE)):
            raise SessionExpired("The session has ended.", fix="Sign in again at /sign-in.")
        if row.role is None:
            raise SessionExpired(
                "You are no longer a member of this workspace.", fix="Ask an owner to add you, then sign in again."
            )
        if now - row.last_seen_at >= SEEN_EVERY_MS:
            self._store.sessions_seen.note(_hash(token), now)
        role = Role(row.role)
        return Principal(
            id=row.user_id,
            name=row.name or row.email,
            user=row.user_id,
            workspace=row.workspace_id,
            workspace_name=row.workspace_name,
            plan=row.plan,
            role=role,
            scopes=role.scopes,
            via=Via.SESSION,
        )

    async def mint_link(self, user: str, workspace: str, next_path: str | None = None) -> LoginLink:
        """A link that signs `user` in once, within 15 minutes, and leads to `next_path`."""
        if next_path is not None and local_path(next_path) is None:
            raise InvalidArguments(
                "A sign-in link leads to a page of this site.",
                fix="Send a path such as /approvals.",
                problems=[{"field": "next", "problem": "not a local path"}],
            )
        token, now = secrets.token_urlsafe(32), self._now()
        expires = now + _ms(LINK_LIFETIME)
        await self._store.add_link(
            token_hash=_hash(token),
            user_id=user,
            workspace_id=workspace,
            created_at=now,
            expires_at=expires,
            next_path=next_path,
        )
        url = f"{self._public_url}/login?{urlencode({'token': token})}"
        return LoginLink(url, dt.datetime.fromtimestamp(expires / 1000, dt.UTC))

    async def sign_in(self, scope: Scope, token: str) -> SignIn | None:
        """Use up a link. The session is always a new one, and ends the one the browser had: none can be planted."""
        if not _TOKEN.fullmatch(token):
            return None
        session, now = secrets.token_urlsafe(32), self._now()
        before = cookie(scope, self.cookie_name)
        link = await self._store.open_session(
            _hash(token),
            NewSession(
                id_hash=_hash(session),
                created_at=now,
                expires_at=now + _ms(self._max_age),
                replaces=_hash(before) if before else None,
            ),
        )
        if link is None:
            return None
        return SignIn(self._cookie(session, int(self._max_age.total_seconds())), local_path(link.next_path))

    async def sign_out(self, scope: Scope) -> str:
        """End the session of the request, if any; answers the Set-Cookie value that clears it."""
        refuse_cross_origin(scope, self._public_url)
        if token := cookie(scope, self.cookie_name):
            await self._store.revoke_session(_hash(token), self._now())
        return self._cookie("", 0)

    def _cookie(self, value: str, max_age: int) -> str:
        secure = "; Secure" if self.secure else ""
        return f"{self.cookie_name}={value}; Max-Age={max_age}; Path=/; HttpOnly; SameSite=Lax{secure}"

    def _now(self) -> int:
        return int(self._clock().timestamp() * 1000)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _ms(span: dt.timedelta) -> int:
    return int(span.total_seconds() * 1000)
