"""Websites by their public id."""

import pytest

from server.analytics.ingest.sites import KEPT_SECONDS, Site, Sites
from tests.server.analytics.ingest.rig import SHOP, Rig
from tools.store.tables import websites


class Now:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


async def test_a_change_of_a_website_counts_soon(rig: Rig) -> None:
    now = Now()
    sites = Sites(rig.database, now)
    assert await sites.find(SHOP) == Site(SHOP, "wsp_shop", "shop.example", allow_localhost=False)

    change = websites.update().where(websites.c.id == SHOP).values(domain="new.example")
    await rig.database.write(lambda tx: tx.run(change))
    now.seconds += KEPT_SECONDS

    found = await sites.find(SHOP)
    assert found is not None
    assert found.domain == "new.example"


async def test_a_website_that_comes_later_is_found_soon(rig: Rig) -> None:
    now = Now()
    sites = Sites(rig.database, now)
    assert await sites.find("admx_new") is None

    row = {"id": "admx_new", "workspace_id": "wsp_shop", "domain": "new.example", "name": "New", "settings": {}}
    new = websites.insert().values(**row, time_zone="UTC", currency="EUR", created_at=2)
    await rig.database.write(lambda tx: tx.run(new))
    now.seconds += KEPT_SECONDS

    assert await sites.find("admx_new") is not None


@pytest.mark.parametrize("made_up", ["", "admx", "ADMX_SHOP", "admx_" + "x" * 1000, "admx_ü", "wsp_shop"])
async def test_what_cannot_be_an_id_is_none(rig: Rig, made_up: str) -> None:
    assert await Sites(rig.database).find(made_up) is None
