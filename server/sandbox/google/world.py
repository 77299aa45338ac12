"""The customers' present: accounts, campaigns, budgets and what was changed, over a history anchored to today."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from server.sandbox.delivery import HISTORY_DAYS, Profile
from server.sandbox.google import seed
from server.sandbox.google.delivery import Facts, Shape, deliver
from server.sandbox.google.seed import Customer, Seed, SharedBudget

Document = dict[str, object]
Fields = dict[str, Any]
"""A resource's own fields as JSON, without what follows from others."""

_NETWORKS = {"targetGoogleSearch": True, "targetSearchNetwork": True}
NOT_POLITICAL = "DOES_NOT_CONTAIN_EU_POLITICAL_ADVERTISING"


@dataclass
class Budget:
    id: str
    customer_id: str
    fields: Fields
    changes: list[tuple[str, int]] = field(default_factory=list)
    """(date, micros a day), in force from that date on."""

    @property
    def resource_name(self) -> str:
        return f"customers/{self.customer_id}/campaignBudgets/{self.id}"

    @property
    def is_shared(self) -> bool:
        return bool(self.fields["explicitlyShared"])

    def in_force(self, day: str) -> int:
        return next((micros for since, micros in reversed(self.changes) if since <= day), 0)


@dataclass
class Campaign:
    id: str
    customer_id: str
    fields: Fields
    changes: list[tuple[str, bool, str]] = field(default_factory=list)
    """(date, delivering, resource name of the budget), in force from that date on."""

    @property
    def resource_name(self) -> str:
        return f"customers/{self.customer_id}/campaigns/{self.id}"

    @property
    def status(self) -> str:
        return str(self.fields["status"])

    def in_force(self, day: str) -> tuple[bool, str]:
        if not self.fields["startDateTime"][:10] <= day <= self.fields.get("endDateTime", "9999")[:10]:
            return False, ""
        return next(((on, budget) for since, on, budget in reversed(self.changes) if since <= day), (False, ""))


@dataclass
class Account:
    """What one customer owns, by resource name, in the order of creation."""

    customer: Customer
    campaigns: dict[str, Campaign] = field(default_factory=dict)
    budgets: dict[str, Budget] = field(default_factory=dict)

    def on_budget(self, budget: str) -> list[Campaign]:
        """The live campaigns that spend from it."""
        return [
            each
            for each in self.campaigns.values()
            if each.fields["campaignBudget"] == budget and each.status != "REMOVED"
        ]


class World:
    def __init__(
        self, now: Callable[[], datetime], saved: Document | None = None, seeds: seed.World = seed.CAMPAIGNS
    ) -> None:
        self._now = now
        self._accounts = {customer.id: Account(customer) for customer in seeds}
        self._profiles: dict[str, Profile] = {}
        self._created = 0
        self._touched: dict[str, Campaign | Budget] = {}
        for customer, planted in seeds.items():
            for index, each in enumerate(planted):
                self._plant(self._accounts[customer.id], index + 1, each)
        if saved:
            self._restore(saved)

    @property
    def customers(self) -> list[Customer]:
        return [account.customer for account in self._accounts.values()]

    def account(self, customer_id: str) -> Account | None:
        return self._accounts.get(customer_id)

    def managers_of(self, customer: Customer) -> list[Customer]:
        """Those above it, the nearest first."""
        above = []
        while customer.under is not None:
            customer = self._accounts[customer.under].customer
            above.append(customer)
        return above

    def timestamp(self) -> float:
        return self._now().timestamp()

    def now(self, customer: Customer) -> datetime:
        return self._now().astimezone(ZoneInfo(customer.time_zone))

    def today(self, customer: Customer) -> date:
        return self.now(customer).date()

    def first_day(self, customer: Customer) -> date:
        return self.today(customer) - timedelta(days=HISTORY_DAYS)

    def new_id(self, customer: Customer, ahead: int) -> str:
        """An id that no resource has; `ahead` counts those drawn before it and not kept yet."""
        return _id(customer, 100_000 + self._created + ahead)

    def keep(self, changed: list[Campaign | Budget], created: int) -> None:
        """Take over what a request made; it counts from tomorrow on, so that today's figures stay what they were."""
        self._created += created
        for each in changed:
            account = self._accounts[each.customer_id]
            tomorrow = (self.today(account.customer) + timedelta(days=1)).isoformat()
            self._touched[each.resource_name] = each
            if isinstance(each, Budget):
                account.budgets[each.resource_name] = each
                each.changes = [change for change in each.changes if change[0] != tomorrow]
                each.changes.append((tomorrow, int(each.fields["amountMicros"])))
            else:
                account.campaigns[each.resource_name] = each
                kept = [change for change in each.changes if change[0] != tomorrow]
                each.changes = [*kept, (tomorrow, each.status == "ENABLED", each.fields["campaignBudget"])]

    def delivered(self, account: Account, campaign: Campaign, day: date, today: date) -> dict[str, Facts]:
        """Facts by device; empty for a day without delivery. `today` is the account's."""
        on = day.isoformat()
        delivering, name = campaign.in_force(on)
        if not delivering or not today - timedelta(days=HISTORY_DAYS) <= day <= today:
            return {}
        budget = account.budgets[name]
        micros = budget.in_force(on)
        if budget.is_shared:
            sharing = sum(1 for each in account.campaigns.values() if each.in_force(on) == (True, name))
            micros //= max(1, sharing)
        profile = self._profiles.get(
            campaign.id, seed.DEFAULT_PROFILES.get(campaign.fields["advertisingChannelType"], Profile())
        )
        customer = account.customer
        return deliver(Shape(campaign.id, profile, customer.price_level, customer.unit), micros, day, today)

    def dump(self) -> Document:
        touched = {"campaigns": Campaign, "budgets": Budget}
        return {"created": self._created} | {
            name: [asdict(each) for each in self._touched.values() if isinstance(each, kind)]
            for name, kind in touched.items()
        }

    def _restore(self, saved: Document) -> None:
        self._created = cast("int", saved["created"])
        for fields in cast("list[Fields]", saved["budgets"]):
            budget = Budget(**fields | {"changes": [tuple(change) for change in fields["changes"]]})
            self._accounts[budget.customer_id].budgets[budget.resource_name] = budget
            self._touched[budget.resource_name] = budget
        for fields in cast("list[Fields]", saved["campaigns"]):
            campaign = Campaign(**fields | {"changes": [tuple(change) for change in fields["changes"]]})
            self._accounts[campaign.customer_id].campaigns[campaign.resource_name] = campaign
            self._touched[campaign.resource_name] = campaign

    def _plant(self, account: Account, number: int, each: Seed) -> None:
        customer = account.customer
        start = self.today(customer) - timedelta(days=each.started)
        budget = self._budget(account, number, each)
        fields: Fields = {
            "name": each.name,
            "status": each.status,
            "advertisingChannelType": each.channel,
            "campaignBudget": budget.resource_name,
            each.bidding: {},
            "startDateTime": f"{start} 00:00:00",
            "containsEuPoliticalAdvertising": NOT_POLITICAL,
        }
        if each.channel == seed.SEARCH:
            fields["networkSettings"] = dict(_NETWORKS)
        campaign = Campaign(_id(customer, number), customer.id, fields)
        campaign.changes.append((start.isoformat(), True, budget.resource_name))
        if each.status != "ENABLED":
            ended = self.today(customer) - timedelta(days=each.ended)
            campaign.changes.append((ended.isoformat(), False, budget.resource_name))
        account.campaigns[campaign.resource_name] = campaign
        self._profiles[campaign.id] = each.profile

    def _budget(self, account: Account, number: int, each: Seed) -> Budget:
        shared = isinstance(each.budget, SharedBudget)
        name, micros = (each.budget.name, each.budget.micros) if isinstance(each.budget, SharedBudget) else (
            each.name, each.budget,
        )  # fmt: skip
        known = [budget for budget in account.budgets.values() if shared and budget.fields["name"] == name]
        if known:
            return known[0]
        fields: Fields = {
            "name": name,
            "amountMicros": str(micros),
            "status": "REMOVED" if each.status == "REMOVED" else "ENABLED",
            "deliveryMethod": "STANDARD",
            "explicitlyShared": shared,
            "period": "DAILY",
            "type": "STANDARD",
        }
        start = self.today(account.customer) - timedelta(days=each.started)
        budget = Budget(_id(account.customer, 50_000 + number), account.customer.id, fields, [(str(start), micros)])
        account.budgets[budget.resource_name] = budget
        return budget


def _id(customer: Customer, number: int) -> str:
    return f"2{customer.id[-5:]}{number:06}"
