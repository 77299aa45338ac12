"""The advertisers' present: accounts, campaigns and what has been changed, over a history anchored to today."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from hmac import new as hmac
from typing import Any, cast
from zoneinfo import ZoneInfo

from server.sandbox.delivery import HISTORY_DAYS, Profile
from server.sandbox.meta import seed
from server.sandbox.meta.delivery import Facts, Shape, deliver
from server.sandbox.meta.seed import Account

Document = dict[str, object]


def _constant(name: str) -> str:
    return sha256(f"adwright sandbox {name}".encode()).hexdigest()


BUSINESS = {"id": "590211340087714", "name": "Northwind Outfitters"}
USER = {"id": "10160000000000001", "name": "Robin Northwind"}
APP_ID = "1729000000000042"
APP_NAME = "Adwright sandbox"
APP_SECRET = _constant("app secret")[:32]
ACCESS_TOKEN = "EAAY" + _constant("access token")


def long_lived(token: str) -> str:
    """What a short-lived token is exchanged for; derived, so that the exchange needs no memory."""
    return "EAAL" + hmac(APP_SECRET.encode(), token.encode(), sha256).hexdigest()


VALID_TOKENS = frozenset({ACCESS_TOKEN, long_lived(ACCESS_TOKEN), long_lived(long_lived(ACCESS_TOKEN))})


@dataclass
class Campaign:
    id: str
    account_id: str
    name: str
    objective: str
    status: str
    created_time: str
    updated_time: str
    start_time: str
    stop_time: str | None = None
    daily_budget: int | None = None
    lifetime_budget: int | None = None
    adset_budget: int | None = None
    """What its ad sets spend a day where the campaign itself has no budget."""
    bid_strategy: str | None = None
    spend_cap: int | None = None
    special_ad_categories: list[str] = field(default_factory=list)
    attributes: dict[str, object] = field(default_factory=dict)
    """Fields that are kept and given back but change nothing here."""
    changes: list[tuple[str, bool, int]] = field(default_factory=list)
    """(date, delivering, daily budget), in force from that date on."""
    budget_edits: list[float] = field(default_factory=list)

    def in_force(self, day: date) -> tuple[bool, int]:
        for since, delivering, budget in reversed(self.changes):
            if since <= day.isoformat():
                return delivering, budget
        return False, 0


class World:
    def __init__(self, now: Callable[[], datetime], saved: Document | None = None) -> None:
        self._now = now
        self.accounts = {account.id: account for account in seed.CAMPAIGNS}
        self.campaigns: dict[str, Campaign] = {}
        self._profiles: dict[str, Profile] = {}
        self._created = 0
        self._touched: set[str] = set()
        for account, seeds in seed.CAMPAIGNS.items():
            for index, each in enumerate(seeds):
                self._plant(account, index, each)
        if saved:
            self._restore(saved)

    def now(self, account: Account) -> datetime:
        return self._now().astimezone(ZoneInfo(account.timezone_name))

    def today(self, account: Account) -> date:
        return self.now(account).date()

    def timestamp(self) -> float:
        return self._now().timestamp()

    def first_day(self, account: Account) -> date:
        return self.today(account) - timedelta(days=HISTORY_DAYS)

    def of_account(self, account: Account) -> list[Campaign]:
        """Newest first, as the platform lists them."""
        own = (campaign for campaign in self.campaigns.values() if campaign.account_id == account.id)
        return sorted(own, key=lambda campaign: int(campaign.id), reverse=True)

    def new_campaign(self, account: Account, **fields: Any) -> Campaign:
        self._created += 1
        moment = stamp(self.now(account))
        fields.setdefault("start_time", moment)
        campaign = Campaign(
            id=_campaign_id(account, 1000 + self._created), account_id=account.id,
            created_time=moment, updated_time=moment, **fields,
        )  # fmt: skip
        self.campaigns[campaign.id] = campaign
        self.changed(campaign)
        return campaign

    def changed(self, campaign: Campaign) -> None:
        """A change counts from tomorrow on, so that today's figures stay what they were."""
        account = self.accounts[campaign.account_id]
        tomorrow = (self.today(account) + timedelta(days=1)).isoformat()
        campaign.updated_time = stamp(self.now(account))
        campaign.changes = [change for change in campaign.changes if change[0] != tomorrow]
        campaign.changes.append((tomorrow, campaign.status == "ACTIVE", _daily(campaign)))
        self._touched.add(campaign.id)

    def delivered(self, campaign: Campaign, day: date) -> dict[str, Facts]:
        """Facts by publisher platform; empty for a day without delivery."""
        account = self.accounts[campaign.account_id]
        today = self.today(account)
        delivering, budget = campaign.in_force(day)
        if not delivering or not budget or not self.first_day(account) <= day <= today:
            return {}
        if campaign.stop_time is not None and day.isoformat() > campaign.stop_time[:10]:
            return {}
        profile = self._profiles.get(campaign.id, seed.DEFAULT_PROFILES[campaign.objective])
        return deliver(Shape(campaign.id, profile, account.price_level, account.offset), budget, day, today)

    def spent(self, campaign: Campaign) -> int:
        account = self.accounts[campaign.account_id]
        first, last = self.first_day(account), self.today(account)
        days = (first + timedelta(days=offset) for offset in range((last - first).days + 1))
        return sum(facts.spend for day in days for facts in self.delivered(campaign, day).values())

    def dump(self) -> Document:
        touched = [asdict(self.campaigns[each]) for each in sorted(self._touched)]
        return {"created": self._created, "campaigns": touched}

    def _restore(self, saved: Document) -> None:
        self._created = cast("int", saved["created"])
        for fields in cast("list[dict[str, Any]]", saved["campaigns"]):
            campaign = Campaign(**fields | {"changes": [tuple(change) for change in fields["changes"]]})
            self.campaigns[campaign.id] = campaign
            self._touched.add(campaign.id)

    def _plant(self, account: Account, index: int, each: seed.Seed) -> None:
        now = self.now(account)
        start = now.replace(hour=9, minute=0, second=0, microsecond=0) - timedelta(days=each.started)
        ended = now - timedelta(days=each.ended)
        campaign = Campaign(
            id=_campaign_id(account, index + 1),
            account_id=account.id,
            name=each.name,
            objective=each.objective,
            status=each.status,
            created_time=stamp(start),
            updated_time=stamp(ended if each.ended else start),
            start_time=stamp(start),
            stop_time=stamp(start + each.flight) if each.flight else None,
            daily_budget=None if each.flight or each.adset_budget else each.budget,
            lifetime_budget=each.budget if each.flight else None,
            adset_budget=each.budget if each.adset_budget else None,
            bid_strategy=None if each.adset_budget else "LOWEST_COST_WITHOUT_CAP",
        )
        campaign.changes.append((start.date().isoformat(), True, _daily(campaign)))
        if each.status != "ACTIVE":
            campaign.changes.append((ended.date().isoformat(), False, _daily(campaign)))
        self.campaigns[campaign.id] = campaign
        self._profiles[campaign.id] = each.profile


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S%z")


def utc_now() -> datetime:
    return datetime.now(UTC)


def _campaign_id(account: Account, number: int) -> str:
    return f"1202{account.id[-6:]}{number:07}"


def _daily(campaign: Campaign) -> int:
    if campaign.lifetime_budget is not None and campaign.stop_time is not None:
        flight = date.fromisoformat(campaign.stop_time[:10]) - date.fromisoformat(campaign.start_time[:10])
        return campaign.lifetime_budget // max(1, flight.days)
    return campaign.daily_budget or campaign.adset_budget or 0
