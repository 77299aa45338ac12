"""What stands around every page, and the pages of campaigns, websites and usage, without scripts."""

import re
from html import unescape

import httpx2
import pytest

from server.web.rendering import Renderer
from server.web.shell import Shell
from tests.server.web.site import Site, text_of
from tests.world import AGENT, OWNER, principal
from tools.authority import Via

PAGES = ["/campaigns", "/websites", "/chat", "/approvals", "/integrations", "/usage"]


async def look(site: Site, path: str, user: str = "usr_owner", workspace: str = "wsp_north") -> httpx2.Response:
    async with site.browser(await site.cookie(user, workspace)) as browser:
        return await browser.get(path)


# Around


@pytest.mark.parametrize("path", [*PAGES, "/chat/cnv_1", "/approvals/apr_1", "/approvals/apr_1/card"])
async def test_whoever_is_not_signed_in_is_sent_to_sign_in_and_back(site: Site, path: str) -> None:
    async with site.browser() as browser:
        answer = await browser.get(path)

    assert answer.status_code == 303
    assert answer.headers["location"] == f"/sign-in?why=needed&next={path.replace('/', '%2F')}"


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_says_where_one_is_and_who_one_is(site: Site, path: str) -> None:
    page = await look(site, path)

    assert page.status_code == 200
    assert re.findall(r'<a href="([^"]+)" aria-current="page">', page.text) == [path]
    assert page.text.count("<h1>") == 1
    assert 'class="name">usr_owner<' in page.text
    assert 'action="/sign-out"' in page.text
    assert f'<body class="shell" data-page="{path}">' in page.text


@pytest.mark.parametrize("path", [*PAGES, "/approvals/{id}"])
async def test_a_stranger_sees_nothing_of_ours_on_any_page(site: Site, path: str) -> None:
    approval = await site.proposal(name="Our own secret name")

    page = await look(site, path.format(id=approval["id"]), "usr_south_owner", "wsp_south")

    assert "Our own secret name" not in page.text
    assert "Northwind US" not in page.text
    assert approval["id"] not in page.text


async def test_what_waits_is_counted_beside_its_page_and_in_the_title(site: Site) -> None:
    none = await look(site, "/integrations")
    for budget in (140, 145):
        await site.proposal(daily_budget=budget)
    two = await look(site, "/integrations")

    assert "<title>Integrations · Adwright</title>" in none.text
    assert '<span class="count" data-waiting hidden>' in none.text
    assert "<title>(2) Integrations · Adwright</title>" in two.text
    assert "<span data-count>2</span>" in two.text


async def test_the_panel_is_told_where_the_person_is_and_who_answers(site: Site) -> None:
    def panel(path: str, model: str) -> str:
        shell = Shell(path=path, waiting=0, model=model)
        page = Renderer(site.world.clock).page("chat.html", person=OWNER, shell=shell, title="x")
        return " ".join(re.findall("<chat-panel[^>]*>", bytes(page.body).decode()))

    simulated = panel("/chat/cnv_7", "Scripted demo model")
    nobody = panel("/websites", "")

    for said in ('mode="page"', 'page="/chat/cnv_7"', 'surface="ads"', 'model="Scripted demo model"', " scripted ",
                 'conversation="cnv_7"'):  # fmt: skip
        assert said in simulated
    assert 'model=""' in nobody
    assert 'surface="analytics"' in nobody
    assert "scripted" not in nobody
    assert "conversation" not in nobody


async def test_a_conversation_that_is_not_ones_own_does_not_exist(site: Site) -> None:
    assert (await look(site, "/chat/cnv_nobody")).status_code == 404


# Campaigns


async def test_campaigns_of_both_platforms_stand_with_what_they_spend_and_bring(site: Site) -> None:
    await site.world.connect_google()
    campaign = await site.world.campaign(status="ACTIVE", daily_budget=150)
    told = await site.world.call(OWNER, "get_insights", breakdown="campaign", campaign_id=campaign["campaign_id"])

    page = await look(site, "/campaigns")
    row = next(row for row in page.text.split('<tr role="row">') if campaign["name"] in unescape(row))

    assert f"${told['rows'][0]['spend']:,.2f}" in row
    assert f"{told['rows'][0]['roas']:.2f}" in row
    assert "$150.00" in row
    assert f"campaign {campaign['campaign_id']}" in row  # the question names it without doubt
    assert {"Meta", "Google Ads"} <= set(re.findall(r'<td role="cell">([^<]+)</td>', page.text))


async def test_campaigns_say_when_they_were_read(site: Site) -> None:
    fresh = await look(site, "/campaigns")
    site.world.clock.pass_by(seconds=150)
    older = await look(site, "/campaigns")

    assert "read just now" in text_of(fresh)
    assert "read 2 min ago" in text_of(older)


async def test_what_a_campaign_is_called_is_text_and_never_markup(site: Site) -> None:
    page = await look(site, "/campaigns")

    assert "<img src=x" not in page.text
    assert "<img src=x" in unescape(page.text)  # the sandbox has such a campaign


async def test_campaigns_are_filtered_by_platform_status_and_name(site: Site) -> None:
    await site.world.connect_google()

    async with site.browser(await site.cookie()) as browser:
        paused = await browser.get("/campaigns", params={"platform": "google", "status": "PAUSED", "q": ""})
        named = await browser.get("/campaigns", params={"q": "bRAND film"})
        none = await browser.get("/campaigns", params={"q": "no such name"})

    assert ">Active</span>" not in paused.text
    assert '<option value="google" selected>' in paused.text
    assert '<td role="cell">Meta</td>' not in paused.text
    assert re.findall('<th scope="row"[^>]*>([^<]+)', named.text) == ["Awareness | Brand film"]
    assert "No campaign is like that." in text_of(none)


async def test_campaigns_stand_on_pages_and_none_twice(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.web.campaigns.ROWS", 7)
    seen: list[str] = []
    path: str | None = "/campaigns?platform=meta"
    while path:
        page = await look(site, path)
        seen += re.findall(r"\(campaign (\w+)\)", page.text)
        found = re.search(r'href="([^"]+cursor=[^"]+)"', page.text)
        path = unescape(found[1]) if found else None

    assert len(seen) == len(set(seen)) == len(await site.world.campaigns(platform="meta"))


async def test_an_account_that_cannot_be_read_is_named_with_what_to_do(site: Site) -> None:
    google = await site.world.connect_google()
    await site.world.break_next("expired_token", target="google", times=99)

    page = await look(site, "/campaigns")

    assert "is missing here." in text_of(page)
    assert f'href="/integrations?connection={google["id"]}"' in page.text
    assert '<td role="cell">Meta</td>' in page.text


async def test_when_nothing_can_be_read_the_page_says_why(site: Site) -> None:
    await site.world.break_next("expired_token", times=99)

    page = await look(site, "/campaigns")

    assert page.status_code == 200
    assert 'role="alert"' in page.text
    assert "Meta no longer accepts" in text_of(page)


async def test_where_no_platform_is_connected_the_page_leads_to_one(site: Site) -> None:
    page = await look(site, "/campaigns", "usr_south_owner", "wsp_south")

    assert "No ad platform is connected yet." in text_of(page)
    assert "read just now" not in text_of(page)
    assert 'href="/integrations">' in page.text


@pytest.mark.parametrize("query", ["platform=fax", "status=GONE", "cursor=x"])
async def test_a_filter_that_does_not_exist_is_no_page(site: Site, query: str) -> None:
    assert (await look(site, f"/campaigns?{query}")).status_code == 404


# Websites


async def test_a_website_stands_with_its_snippet_and_whether_events_arrive(site: Site) -> None:
    created = await site.world.call(OWNER, "create_website", domain="shop.example", name="<b>Shop</b>")

    page = await look(site, "/websites")

    assert f'data-website-id="{created["id"]}"' in unescape(page.text)
    for said in ("<b>Shop</b>", "shop.example", "Waiting for the first event", "UTC, USD"):
        assert said in text_of(page) or said in unescape(page.text)
    assert "<b>Shop" not in page.text


async def test_without_a_website_the_page_says_how_one_is_added_and_by_whom(site: Site) -> None:
    assert "Add a website" in (await look(site, "/websites")).text
    assert "pixel:write , which your role (viewer)" in text_of(await look(site, "/websites", "usr_viewer"))


# Usage


async def test_usage_of_a_month_without_a_turn_is_told_in_figures(site: Site) -> None:
    shown = text_of(await look(site, "/usage"))

    for said in ("Turns 0", "Tokens 0", "From cache –", "Cost $0.00", "since 1 Nov", "0 of 50"):
        assert said in shown


# Approvals


async def test_the_inbox_is_filtered_by_face_and_status(site: Site) -> None:
    campaign = await site.world.campaign(status="ACTIVE", daily_budget=150)
    by_key = await site.world.propose(
        principal(via=Via.KEY), "update_campaign", campaign_id=campaign["campaign_id"], daily_budget=140
    )
    by_mcp = await site.world.propose(AGENT, "update_campaign", campaign_id=campaign["campaign_id"], daily_budget=141)
    await site.world.call(OWNER, "deny", approval_id=by_mcp["id"])

    key, denied = await look(site, "/approvals?via=key&status="), await look(site, "/approvals?status=denied")

    assert by_key["id"] in key.text
    assert by_mcp["id"] not in key.text
    assert by_mcp["id"] in denied.text
    assert by_key["id"] not in denied.text
    assert '<option value="denied" selected>' in denied.text


async def test_the_card_alone_is_the_one_of_the_page(site: Site) -> None:
    approval = await site.proposal(daily_budget=240)

    fragment, page = [await look(site, f"/approvals/{approval['id']}{end}") for end in ("/card", "")]

    assert fragment.text.strip().startswith("<article")
    assert fragment.text.strip() in page.text
    assert set(re.findall(r' id="([^"]+)"', fragment.text)) and all(
        name.startswith(approval["id"]) for name in re.findall(r' id="([^"]+)"', fragment.text)
    )


@pytest.mark.parametrize(("user", "workspace"), [("usr_south_owner", "wsp_south")])
async def test_another_workspaces_card_does_not_exist(site: Site, user: str, workspace: str) -> None:
    approval = await site.proposal(daily_budget=240)

    assert (await look(site, f"/approvals/{approval['id']}/card", user, workspace)).status_code == 404
