"""The ad platforms as the domain sees them; server/platforms implements this once for each."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from tools.errors import CapabilityError
from tools.fields import Objective, Platform, Status
from tools.plan import Operation
from tools.secret import Secret


@dataclass(frozen=True, slots=True)
class Account:
    account_id: str  # as the platform spells it: act_… on Meta, the customer id's digits on Google
    name: str
    currency: str
    time_zone: str  # IANA name; days of insights are this zone's days
    active: bool = True
    login_customer_id: str | None = None  # Google: the manager it is reached through, digits only


@dataclass(frozen=True, slots=True)
class Credential:
    """What opens one connection. `values` holds what the person pasted or a sign-in returned (access_token, …)."""

    connection_id: str
    values: Mapping[str, Secret]
    accounts: tuple[Account, ...] = ()  # the connection's, as its last probe found them; empty before the first


@dataclass(frozen=True, slots=True)
class Probe:
    """What one cheap read said about a credential."""

    accounts: tuple[Account, ...]
    scopes: tuple[str, ...]
    expires_at: dt.datetime | None  # None: does not expire


@dataclass(frozen=True, slots=True)
class CampaignRef:
    campaign_id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignState:
    """One campaign as it is on the platform now. Money is in major units of `currency`."""

    account_id: str
    campaign_id: str
    name: str
    status: Status
    platform_status: str
    objective: Objective | None
    platform_objective: str
    daily_budget: Decimal | None  # None: the budget is for its lifetime, or set below the campaign
    currency: str
    created_at: dt.datetime | None = None
    start_date: dt.date | None = None  # in the account's time zone
    budget_shared: bool = False
    budget_id: str | None = None  # of a shared budget, by which campaigns of a list that share it are known
    shared_with: tuple[CampaignRef, ...] | None = None
    """The other live campaigns that spend from the same budget: filled by campaign(), None in lists."""


@dataclass(frozen=True, slots=True)
class CampaignPage:
    campaigns: tuple[CampaignState, ...]
    next_cursor: str | None  # the platform's own


class Breakdown(StrEnum):
    DAY = "day"
    CAMPAIGN = "campaign"
    PLATFORM = "platform"


@dataclass(frozen=True, slots=True, kw_only=True)
class InsightsQuery:
    since: dt.date
    until: dt.date  # included
    campaign_id: str | None = None
    by_day: bool = False
    by_campaign: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class InsightsRow:
    """Sums over the row's days; days without delivery are absent."""

    spend: Decimal
    impressions: int
    clicks: int
    conversions: Decimal
    conversion_value: Decimal
    day: dt.date | None = None
    campaign_id: str | None = None
    campaign_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InsightsReport:
    rows: tuple[InsightsRow, ...]
    conversion_action: str | None  # the one action type counted; None when nothing converted
    attribution: str  # the windows, in words: "7-day click, 1-day view"
    as_of: dt.datetime


class Observation(StrEnum):
    """What reading back says about a write whose answer was lost."""

    APPLIED = "applied"
    NOT_APPLIED = "not_applied"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Observed:
    observation: Observation
    campaign_id: str | None = None  # of a created campaign that was found


@dataclass(frozen=True, slots=True)
class Applied:
    """One item's receipt; its error's details.outcome says not_sent, refused or unknown."""

    campaign_id: str | None
    error: CapabilityError | None = None


class AdsPlatform(Protocol):
    """Every method raises tools.errors: PlatformFailure (details.outcome not_sent | refused | unknown on writes),
    ReauthRequired, AccountBlocked, VersionSunset, RateLimited(source=upstream), NotFound.
    """

    platform: Platform

    async def probe(self, credential: Credential) -> Probe: ...

    async def campaigns(
        self, credential: Credential, account: Account, *, status: Status | None, cursor: str | None, limit: int
    ) -> CampaignPage:
        """One page, archived ones included when `status` is ARCHIVED or None. Never truncates in silence."""
        ...

    async def campaign(self, credential: Credential, campaign_id: str) -> CampaignState: ...

    async def insights(self, credential: Credential, account: Account, query: InsightsQuery) -> InsightsReport: ...

    async def validate(self, credential: Credential, operation: Operation) -> None:
        """The platform's own dry run; raises what the real call would."""
        ...

    async def apply(self, credential: Credential, operation: Operation) -> str:
        """Send one write, once; answers the campaign id. Never retried after it may have been received."""
        ...

    async def apply_each(self, credential: Credential, operations: Sequence[Operation]) -> tuple[Applied, ...]:
        """Send several updates (50 at most, of one account), in one request where the platform can; a receipt each, in
        their order. Never raises once something may have been sent: every unclear item then says unknown."""
        ...

    async def observe(self, credential: Credential, operation: Operation, sent_at: dt.datetime) -> Observed:
        """Read back whether `operation`, whose answer was lost, took effect."""
        ...
