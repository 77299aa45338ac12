"""Credentials at rest: each sealed under a key of its own, that key wrapped by a ring, both bound to their row.

v1.<kid>.<wrapped data key>.<ciphertext>: rotation rewraps the data key and leaves the ciphertext alone.
AES-256-GCM with random 96-bit nonces; a fresh data key per record keeps every key far below their limit.
"""

import base64
import binascii
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import ColumnElement, Update, func, not_, select, tuple_, update

from tools.secret import Secret
from tools.store.engine import Store, Transaction
from tools.store.statements import Row
from tools.store.tables import connections, visitor_traits

CREDENTIAL: Final = "credential"
"""The `field` a connection is sealed under."""
TRAITS: Final = "traits"
"""The `field` that what is known of a visitor is sealed under."""

_VERSION = "v1"
_KEY_BYTES = 32
_NONCE_BYTES = 12
_KID = re.compile(r"[A-Za-z0-9_-]{1,32}")
_PAGE = 100
_SEALED = connections.c.sealed != ""  # a deleted connection keeps its row, not its credentials


class SealingError(Exception):
    """Nothing was unsealed. The message never holds key or content."""


class UnknownKey(SealingError):
    """Sealed under a key this ring lacks: the operator removed it too early, or the data came from elsewhere."""


class Unreadable(SealingError):
    """Damaged, or not sealed for this workspace, row and field."""


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys by id; `primary` seals, all unseal."""

    primary: str
    _keys: Mapping[str, AESGCM] = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """`k2:<base64>,k1:<base64>`, the first is primary; an entry without an id is `k0`. Keys: base64 or hex."""
        keys: dict[str, AESGCM] = {}
        for entry in filter(None, (part.strip() for part in text.split(","))):
            kid, _, encoded = entry.rpartition(":")
            kid = kid or "k0"
            if not _KID.fullmatch(kid) or kid in keys:
                raise ValueError("encryption keys: each needs an id of its own, of letters, digits, - and _")
            keys[kid] = AESGCM(_key_bytes(kid, encoded))
        if not keys:
            raise ValueError("encryption keys: none given")
        return cls(next(iter(keys)), keys)

    @property
    def kids(self) -> tuple[str, ...]:
        return tuple(self._keys)

    def seal(self, plaintext: str, *, workspace: str, row: str, field: str) -> str:
        bound = _bound(workspace, row, field)
        data_key = AESGCM.generate_key(bit_length=8 * _KEY_BYTES)
        return _join(self.primary, self._wrap(data_key, bound), _encrypt(AESGCM(data_key), plaintext.encode(), bound))

    def unseal(self, sealed: str, *, workspace: str, row: str, field: str) -> Secret:
        bound = _bound(workspace, row, field)
        kid, wrapped, ciphertext = _split(sealed)
        return Secret(_decrypt(AESGCM(self._unwrap(kid, wrapped, bound)), ciphertext, bound).decode())

    def rewrap(self, sealed: str, *, workspace: str, row: str, field: str) -> str:
        """The same ciphertext under the primary key; unchanged when it is there already."""
        kid, wrapped, ciphertext = _split(sealed)
        if kid == self.primary:
            return sealed
        bound = _bound(workspace, row, field)
        return _join(self.primary, self._wrap(self._unwrap(kid, wrapped, bound), bound), ciphertext)

    def _wrap(self, data_key: bytes, bound: bytes) -> bytes:
        return _encrypt(self._keys[self.primary], data_key, b"key" + bound)

    def _unwrap(self, kid: str, wrapped: bytes, bound: bytes) -> bytes:
        if kid not in self._keys:
            raise UnknownKey(f"sealed under key {kid}, which is not among ENCRYPTION_KEYS")
        return _decrypt(self._keys[kid], wrapped, b"key" + bound)


def generate_key(kid: str) -> str:
    """A new entry for ENCRYPTION_KEYS."""
    return f"{kid}:{base64.b64encode(os.urandom(_KEY_BYTES)).decode()}"


def key_id(sealed: str) -> str:
    """The key a value is sealed under: what the row's `key_id` column says."""
    return _split(sealed)[0]


@dataclass(frozen=True, slots=True)
class Rotation:
    """What a rotation did. `rows` counts what is sealed under each key now, keys of the ring without rows included."""

    rewrapped: int
    rows: Mapping[str, int]
    unreadable: tuple[str, ...]  # ids of connections, website/visitor of traits


async def rotate(store: Store, ring: KeyRing) -> Rotation:
    """Rewrap every connection, and all traits of visitors, under the primary key. Stopped anywhere, it is run again."""
    rewrapped, unreadable, after = *await _rotate_traits(store, ring), ""
    while page := await _stale(store, ring, after):
        after = page[-1].id
        fresh = dict(_rewrapped(ring, page))
        unreadable += [row.id for row in page if row.id not in fresh]
        rewrapped += await _swap(store, ring, [(row, fresh[row.id]) for row in page if row.id in fresh])
    return Rotation(rewrapped, await _counts(store, ring), tuple(unreadable))


async def _stale(store: Store, ring: KeyRing, after: str) -> list[Row]:
    wanted = (
        select(connections.c.id, connections.c.workspace_id, connections.c.sealed)
        .where(_SEALED, connections.c.key_id != ring.primary, connections.c.id > after)
        .order_by(connections.c.id)
        .limit(_PAGE)
    )
    return await store.scan(lambda transaction: transaction.all(wanted))


def _rewrapped(ring: KeyRing, page: list[Row]) -> Iterator[tuple[str, str]]:
    for row in page:
        try:
            yield row.id, ring.rewrap(row.sealed, workspace=row.workspace_id, row=row.id, field=CREDENTIAL)
        except SealingError:  # counted and named by the caller; one bad row does not stop the others
            continue


async def _swap(store: Store, ring: KeyRing, changes: list[tuple[Row, str]]) -> int:
    async def swap(transaction: Transaction) -> int:
        done = 0
        for row, fresh in changes:
            # Only over what was read: a token refreshed meanwhile is newer, and under the primary key already.
            unchanged = (connections.c.id == row.id) & (connections.c.sealed == row.sealed)
            done += await transaction.run(
                update(connections).where(unchanged).values(sealed=fresh, key_id=ring.primary)
            )
        return done

    return await store.write(swap)


async def _counts(store: Store, ring: KeyRing) -> dict[str, int]:
    wanted = select(connections.c.key_id, func.count().label("rows")).where(_SEALED).group_by(connections.c.key_id)
    found = await store.scan(lambda transaction: transaction.all(wanted))
    counts = dict.fromkeys(ring.kids, 0) | {row.key_id: row.rows for row in found}
    for kid in ring.kids:
        counts[kid] += await _traits_held(store, kid)
    return counts


async def _traits_held(store: Store, kid: str) -> int:
    wanted = select(func.count().label("rows")).select_from(visitor_traits).where(_traits_under(kid))
    (held,) = await store.scan(lambda transaction: transaction.all(wanted))
    return int(held.rows)


def trait_row(website_id: str, visitor_id: str) -> str:
    """The `row` of a visitor's traits. An id of ours holds no slash, so no two visitors share one."""
    return f"{website_id}/{visitor_id}"


def _traits_under(kid: str) -> ColumnElement[bool]:
    return visitor_traits.c.sealed_traits.startswith(f"{_VERSION}.{kid}.", autoescape=True)


async def _rotate_traits(store: Store, ring: KeyRing) -> tuple[int, list[str]]:
    """A page at a time, by the key of their table; only over what was read, for traits told meanwhile are newer."""
    rewrapped, unreadable, after = 0, list[str](), ("", "", "")
    while page := await _stale_traits(store, ring, after):
        after = (page[-1].workspace_id, page[-1].website_id, page[-1].visitor_id)
        changes = []
        for row in page:
            name = trait_row(row.website_id, row.visitor_id)
            try:
                fresh = ring.rewrap(row.sealed_traits, workspace=row.workspace_id, row=name, field=TRAITS)
            except SealingError:
                unreadable.append(name)
                continue
            same = [column == row[at] for at, column in enumerate(_TRAITS_KEY)]
            unchanged = visitor_traits.c.sealed_traits == row.sealed_traits
            changes.append(update(visitor_traits).where(*same, unchanged).values(sealed_traits=fresh))

        async def swap(transaction: Transaction, changes: Sequence[Update] = changes) -> int:
            return sum([await transaction.run(change) for change in changes])

        rewrapped += await store.write(swap)
    return rewrapped, unreadable


_TRAITS_KEY = (visitor_traits.c.workspace_id, visitor_traits.c.website_id, visitor_traits.c.visitor_id)


async def _stale_traits(store: Store, ring: KeyRing, after: tuple[str, str, str]) -> list[Row]:
    wanted = (
        select(*_TRAITS_KEY, visitor_traits.c.sealed_traits)
        .where(not_(_traits_under(ring.primary)), tuple_(*_TRAITS_KEY) > after)
        .order_by(*_TRAITS_KEY)
        .limit(_PAGE)
    )
    return await store.scan(lambda transaction: transaction.all(wanted))


def _key_bytes(kid: str, encoded: str) -> bytes:
    try:
        key = bytes.fromhex(encoded) if len(encoded) == 2 * _KEY_BYTES else _from_base64(encoded)
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        raise ValueError(f"encryption key {kid}: not 32 bytes in base64 or hex")
    return key


def _from_base64(text: str) -> bytes:
    alphabet = text.replace("-", "+").replace("_", "/")
    return base64.b64decode(alphabet + "=" * (-len(alphabet) % 4), validate=True)


def _bound(*parts: str) -> bytes:
    """Length-prefixed, so that no two contexts spell the same bytes."""
    encoded = [part.encode() for part in (_VERSION, *parts)]
    return b"".join(len(part).to_bytes(4, "big") + part for part in encoded)


def _encrypt(key: AESGCM, content: bytes, bound: bytes) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + key.encrypt(nonce, content, bound)


def _decrypt(key: AESGCM, content: bytes, bound: bytes) -> bytes:
    try:
        return key.decrypt(content[:_NONCE_BYTES], content[_NONCE_BYTES:], bound)
    except (InvalidTag, ValueError) as error:
        raise Unreadable("the credentials are damaged or belong elsewhere") from error


def _join(kid: str, wrapped: bytes, ciphertext: bytes) -> str:
    encoded = (base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (wrapped, ciphertext))
    return ".".join((_VERSION, kid, *encoded))


def _split(sealed: str) -> tuple[str, bytes, bytes]:
    parts = sealed.split(".")
    if len(parts) != 4 or parts[0] != _VERSION:
        raise Unreadable("not a sealed value")
    try:
        return parts[1], _from_base64(parts[2]), _from_base64(parts[3])
    except (binascii.Error, ValueError) as error:
        raise Unreadable("not a sealed value") from error
