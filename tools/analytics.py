"""First-party analytics as the domain sees it: a store of pipes that speaks Tinybird's protocol, and what arrives."""

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, NoReturn, Protocol

from tools.errors import IngestUnavailable, Unavailable


@dataclass(frozen=True, slots=True)
class PipeColumn:
    name: str
    type: str  # ClickHouse's


@dataclass(frozen=True, slots=True, kw_only=True)
class PipeParameter:
    name: str
    type: str  # as the template spells it: String, Date, Int32, …
    description: str = ""
    required: bool = False
    default: str | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipe:
    name: str
    description: str
    parameters: tuple[PipeParameter, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PipeRows:
    columns: tuple[PipeColumn, ...]
    rows: tuple[Mapping[str, Any], ...]
    elapsed: float  # seconds in the engine
    rows_read: int


class PipeStore(Protocol):
    """Methods raise tools.errors: Unavailable (out of reach), InvalidArguments (a parameter a pipe refuses),
    InvalidPipe, RateLimited(source=upstream), PlatformFailure (any other answer)."""

    url: str  # where tokens are used: {url}/v0/pipes/NAME.json; without a trailing slash

    def mint(self, pipe: str, *, name: str, fixed: Mapping[str, str], expires_at: dt.datetime) -> str:
        """A token that reads one pipe, its `fixed` parameters out of its bearer's hands; limits count by `name`."""
        ...

    async def query(self, pipe: str, parameters: Mapping[str, str]) -> PipeRows: ...

    async def append(self, datasource: str, rows: Sequence[Mapping[str, Any]]) -> int:
        """Durable when it returns, with how many of the rows the store set aside for what they are; nothing is kept
        where it raises, or all, so that the caller sends it again."""
        ...

    async def append_lines(self, datasource: str, lines: Sequence[bytes]) -> int:
        """The same of rows that are JSON already."""
        ...

    async def pipes(self) -> Sequence[Pipe]: ...

    async def ping(self) -> None: ...


class Kind(StrEnum):
    PAGEVIEW = "pageview"
    CUSTOM = "custom"
    PAYMENT = "payment"
    ENGAGEMENT = "engagement"
    IDENTIFY = "identify"


class PaymentKind(StrEnum):
    PAYMENT = "payment"
    REFUND = "refund"
    SUBSCRIPTION = "subscription"


@dataclass(
    slots=True, kw_only=True
)  # nobody changes one that is told; to be frozen would cost it more than being made does
class Event:
    """One thing a visitor did, as it was told; what can be derived is derived when it is accepted."""

    kind: Kind
    workspace_id: str
    website_id: str
    visitor_id: str
    event_id: str  # sent again with the same one, it counts once
    at_ms: int | None = None  # by the sender's clock; None: now
    session_id: str = ""
    url: str = ""
    referrer: str = ""
    title: str = ""
    language: str = ""
    screen_width: int = 0
    ip: str = ""  # the visitor's; never stored
    user_agent: str = ""
    name: str = ""  # of a custom event
    value: Decimal | None = None
    props: Mapping[str, Any] | None = None
    amount: Decimal | None = None  # of a payment, in major units
    currency: str = ""
    payment: PaymentKind = PaymentKind.PAYMENT
    transaction_id: str = ""  # counts once a website and kind of payment
    pageview_id: str = ""  # of an engagement: the event_id of the view it belongs to
    engaged_ms: int = 0
    scroll: int = 0  # deepest, percent of the page
    external_id_sha256: str = ""  # of an identification
    traits: Sequence[str] = ()  # their names; values never come here


def external_id_sha256(external_id: str) -> str:
    """All that the analytics store learns of who a visitor is; how an e-mail address is spelled makes no difference."""
    known = external_id.strip()
    return hashlib.sha256((known.lower() if "@" in known else known).encode()).hexdigest()


class Arrivals(Protocol):
    async def accept(self, events: Sequence[Event]) -> None:
        """Durable when it returns: each is counted once from then on, whatever happens to this process. Raises
        IngestUnavailable where it cannot be."""
        ...


class Absent:
    """In place of a pipe store and of arrivals where there are none: every call says so."""

    url = ""
    _message = "There is no analytics store here."
    _fix = "Install adwright[analytics] for the embedded one, or set TINYBIRD_HOST and TINYBIRD_ADMIN_TOKEN."

    def mint(self, *_: object, **__: object) -> NoReturn:
        raise Unavailable(self._message, fix=self._fix)

    async def query(self, *_: object) -> NoReturn:
        self.mint()

    append = append_lines = pipes = ping = query

    async def accept(self, *_: object) -> NoReturn:
        raise IngestUnavailable(self._message, fix=self._fix)


ABSENT = Absent()
