"""The world outlives a restart, and can be built as large as a measurement wants it."""

import json
from pathlib import Path

from starlette.testclient import TestClient

from server.sandbox.app import create_app
from server.sandbox.google import seed
from tests.server.sandbox.ads_client import EU, MANAGER, US, AdsClient
from tests.server.sandbox.google.judge import Judged


def test_a_restart_keeps_campaigns_budgets_and_the_log_of_writes(tmp_path: Path) -> None:
    before = AdsClient(TestClient(Judged(create_app(tmp_path))))
    seeded, created = before.named("Hiking boots"), before.create(EU)
    before.mutate(US, "campaigns", {"remove": seeded})

    after = AdsClient(TestClient(Judged(create_app(tmp_path))))
    after.token = before.token

    assert after.read(seeded, "campaign.status")["campaign"]["status"] == "REMOVED"
    row = after.read(created, "campaign.name", "campaign_budget.amount_micros")
    assert (row["campaign"]["name"], row["campaignBudget"]["amountMicros"]) == ("Spring", "50000000")
    assert after.writes() == before.writes()
    assert after.create(EU, name="Summer") != created


def test_the_state_file_holds_no_secret(tmp_path: Path) -> None:
    ads = AdsClient(TestClient(create_app(tmp_path)))
    ads.create()

    kept = (tmp_path / "sandbox-state.json").read_text(encoding="utf-8")

    assert json.loads(kept)["google"]["campaigns"]
    for secret in (ads.token, ads.index["client_secret"], ads.index["refresh_token"]):
        assert secret not in kept


def test_a_crowd_has_as_many_accounts_and_campaigns_as_wanted() -> None:
    ads = AdsClient(TestClient(Judged(create_app(google_seeds=seed.crowd(accounts=20, campaigns=5)))))

    clients = ads.rows(MANAGER, "SELECT customer_client.id FROM customer_client WHERE customer_client.manager = FALSE")
    found = [ads.rows(row["customerClient"]["id"], "SELECT campaign.id FROM campaign") for row in clients]

    assert [len(rows) for rows in found] == [5] * 20
    assert len({row["campaign"]["id"] for rows in found for row in rows}) == 100
