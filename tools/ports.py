"""The ad platforms as the domain sees them; server/platforms implements this once for each."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from tools.fields import Objective, Platform, Status
from tools.plan import Operation
from tools.secret import Secret


@dataclass(frozen=True, slots=True)
class Credential:
    """What opens one connection. `values` holds what the person pasted or a sign-in returned (access_token, …)."""

    connection_id: str
    values: Mapping[str, Secret]


@dataclass(frozen=True, slots=True)
class Account:
    account_id: str  # as the platform spells it: act_… on Meta
    name: str
    currency: str
    time_zone: str  # IANA name; days of insights are this zone's days
    active: bool = True


@dataclass(frozen=True, slots=True)
class Probe:
    """What one cheap read said about a credential."""

    accounts: tuple[Account, ...]
    scopes: tuple[str, ...]
    expires_at: dt.datetime | None  # None: does not expire


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

    async def observe(self, credential: Credential, operation: Operation, sent_at: dt.datetime) -> Observed:
        """Read back whether `operation`, whose answer was lost, took effect."""
        ...
