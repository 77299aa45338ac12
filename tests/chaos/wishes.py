"""What is proposed: changes whose values are used once, so that each accepted write is known by what it set."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

OBJECTIVES = ("sales", "leads", "traffic", "awareness", "engagement")


@dataclass(frozen=True)
class Wish:
    capability: str
    arguments: Mapping[str, Any]

    def request(self) -> tuple[str, str, dict[str, Any] | None]:
        """Method, path and body over REST."""
        body = dict(self.arguments)
        match self.capability:
            case "create_campaign":
                return "POST", "/ads/campaigns", body
            case "update_campaign":
                return "PATCH", f"/ads/campaigns/{body.pop('campaign_id')}", body
            case "delete_campaign":
                return "DELETE", f"/ads/campaigns/{body['campaign_id']}?mode={body['mode']}", None
            case "undo_change":
                return "POST", f"/changes/{body['change_id']}/undo", None
        raise ValueError(f"{self.capability} is nothing to wish for")

    def __str__(self) -> str:
        return f"{self.capability} {dict(self.arguments)}"


@dataclass
class Wishes:
    accounts: Mapping[str, str]
    """Currency by account."""
    _used: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def name(self) -> str:
        return f"Chaos {next(self._used)}"

    def budget(self, random: Random, account: str) -> int | float:
        """Some steep enough to be typed."""
        step = next(self._used) % 10_000
        times = random.choice((1, 1, 1, 2))
        return times * (10_000 + step) if self.accounts[account] == "JPY" else round(times * (100 + step / 100), 2)

    def minor(self, account: str, amount: float) -> str:
        return str(round(amount * (1 if self.accounts[account] == "JPY" else 100)))

    def draw(self, random: Random, campaigns: Sequence[Mapping[str, Any]], undoable: Sequence[str]) -> Wish:
        kind = random.choices(("update", "create", "delete", "undo"), (60, 15, 10, 15))[0]
        if kind == "create":
            return self._new(random)
        if kind == "undo" and undoable:
            return Wish("undo_change", {"change_id": random.choice(undoable)})
        campaign = random.choice(campaigns)
        if kind == "delete":
            mode = random.choice(("pause", "pause", "archive"))
            return Wish("delete_campaign", {"campaign_id": campaign["id"], "mode": mode})
        return Wish("update_campaign", {"campaign_id": campaign["id"], **self.change(random, campaign)})

    def change(self, random: Random, campaign: Mapping[str, Any], *, least: int = 1) -> dict[str, Any]:
        """So many of the three fields, or more, of a campaign that exists."""
        account = f"act_{campaign['account_id']}"
        possible = ["name", "status", *(["daily_budget"] if campaign.get("daily_budget") else [])]
        fields: dict[str, Any] = {}
        for each in random.sample(possible, random.randint(min(least, len(possible)), len(possible))):
            if each == "name":
                fields["name"] = self.name()
            elif each == "status":
                fields["status"] = "PAUSED" if campaign["status"] == "ACTIVE" else "ACTIVE"
            else:
                fields["daily_budget"] = self.budget(random, account)
        return fields

    def _new(self, random: Random) -> Wish:
        account = random.choice(sorted(self.accounts))
        wanted = {
            "account_id": account,
            "name": self.name(),
            "objective": random.choice(OBJECTIVES),
            "daily_budget": self.budget(random, account),
            "status": random.choice(("PAUSED", "PAUSED", "ACTIVE")),
        }
        return Wish("create_campaign", wanted)
