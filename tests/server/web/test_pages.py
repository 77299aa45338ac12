"""The approval pages without scripts: what they show, to whom, what their forms do, and what holds for all pages."""

import re
from html import unescape
from html.parser import HTMLParser

import httpx2
import pytest

from tests.server.web.site import Site, text_of
from tests.world import AGENT, OWNER, VIEWER

PAGES = [
    "/campaigns", "/websites", "/chat", "/approvals", "/approvals/{id}", "/approvals/{id}/card", "/integrations",
    "/usage", "/nothing/here", "/login?token=used",
]  # fmt: skip


class Elements(HTMLParser):
    """What a browser makes elements of: a name that holds markup is none."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def elements(page: httpx2.Response) -> list[tuple[str, dict[str, str | None]]]:
    parser = Elements()
    parser.feed(page.text)
    return parser.found


# Looking


async def test_a_card_shows_what_a_person_must_see_before_yes(site: Site) -> None:
    approval = await site.proposal(daily_budget=240)

    async with site.browser(await site.cookie()) as browser:
        shown = text_of(await browser.get(f"/approvals/{approval['id']}"))

    for said in (
        approval["plan"]["summary"], "$150.00", "$240.00", "+$90.00", "+$2,736.00", "Northwind US", "reversible",
        "More may be spent a day", "+60 %", f"{AGENT.name} over MCP", "State read", "in 15 min", "240.00 USD",
        "Approve", "Deny", f'"campaign_id": "{approval["arguments"]["campaign_id"]}"',
    ):  # fmt: skip
        assert said in shown


async def test_what_a_stranger_named_is_text_and_never_markup(site: Site) -> None:
    approval = await site.proposal(name='<script>alert(1)</script>"><img src=x>')

    async with site.browser(await site.cookie()) as browser:
        card = await browser.get(f"/approvals/{approval['id']}")
        listed = await browser.get("/approvals")

    assert "<script>alert" not in card.text + listed.text
    assert "<img src=x" not in card.text + listed.text
    assert "<script>alert(1)</script>" in unescape(card.text)


@pytest.mark.parametrize("approval_id", ["apr_none", "not-an-id", "apr_"])
async def test_an_approval_that_does_not_exist_is_a_404_page(site: Site, approval_id: str) -> None:
    async with site.browser(await site.cookie()) as browser:
        answer = await browser.get(f"/approvals/{approval_id}")

    assert answer.status_code == 404
    assert "There is no such page" in text_of(answer)


async def test_another_workspaces_approval_does_not_exist(site: Site) -> None:
    approval = await site.proposal(daily_budget=90)

    async with site.browser(await site.cookie("usr_south_owner", "wsp_south")) as browser:
        card = await browser.get(f"/approvals/{approval['id']}")
        decided = await browser.post(f"/approvals/{approval['id']}/approve", data={"amount": ""})
        listed = await browser.get("/approvals")

    assert (card.status_code, decided.status_code) == (404, 404)
    assert "Nothing waits for you" in text_of(listed)


async def test_a_viewer_sees_the_card_and_who_to_ask_but_no_buttons(site: Site) -> None:
    approval = await site.proposal(daily_budget=90)

    async with site.browser(await site.cookie("usr_viewer")) as browser:
        page = await browser.get(f"/approvals/{approval['id']}")

    assert "$90.00" in text_of(page)
    assert "Deciding this needs ads:write" in text_of(page)
    assert "data-decide" not in page.text


async def test_the_list_tells_what_waits_from_what_was(site: Site) -> None:
    waiting, denied = await site.proposal(daily_budget=140), await site.proposal(daily_budget=130)
    await site.world.call(OWNER, "deny", approval_id=denied["id"])

    async with site.browser(await site.cookie()) as browser:
        before, _, after = (await browser.get("/approvals")).text.partition('id="recent"')

    assert waiting["id"] in before
    assert denied["id"] not in before
    assert denied["id"] in after
    assert waiting["id"] not in after


async def test_the_list_tells_of_money_only_where_more_or_less_may_be_spent(site: Site) -> None:
    await site.world.connect_google()
    campaign = next(each for each in await site.world.campaigns(platform="google") if each["name"] == "Brand | Phrase")
    paused = await site.world.propose(
        AGENT, "update_campaign", campaign_id=campaign["campaign_id"], status="PAUSED"
    )  # its budget is shared: what the others may spend stays
    await site.proposal(daily_budget=140)

    async with site.browser(await site.cookie()) as browser:
        shown = text_of(await browser.get("/approvals"))

    assert paused["plan"]["money"]["daily"] == 0
    assert "−$10.00 a day" in shown
    assert "$0.00" not in shown


async def test_older_approvals_are_one_link_away(site: Site) -> None:
    for budget in range(101, 133):
        approval = await site.proposal(daily_budget=budget)
        await site.world.call(OWNER, "deny", approval_id=approval["id"])
        site.world.clock.pass_by(seconds=2)

    async with site.browser(await site.cookie()) as browser:
        first = await browser.get("/approvals")
        older = await browser.get(unescape(re.search(r'href="(/approvals\?cursor=[^"]+)"', first.text)[1]))  # type: ignore[index]  # no match fails the test too

    assert first.text.count('class="row"') == 30
    assert older.text.count('class="row"') == 2


async def test_more_than_a_list_holds_is_not_hidden_in_silence(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.web.approvals.MOST_WAITING", 2)
    for budget in (101, 102, 103):
        await site.proposal(daily_budget=budget)

    async with site.browser(await site.cookie()) as browser:
        shown = text_of(await browser.get("/approvals"))

    assert "Waiting for you 2+" in shown
    assert "These are the newest" in shown


# Deciding


async def test_approving_by_form_applies_the_change_and_shows_it(site: Site) -> None:
    approval = await site.proposal(daily_budget=140)

    async with site.browser(await site.cookie()) as browser:
        sent = await browser.post(f"/approvals/{approval['id']}/approve", data={"amount": ""})
        page = await browser.get(sent.headers["location"])

    assert (sent.status_code, sent.headers["location"]) == (303, f"/approvals/{approval['id']}")
    assert "The change was applied, once. Approved by usr_owner" in text_of(page)
    assert "data-decide" not in page.text
    assert (await site.world.campaign(campaign_id=approval["arguments"]["campaign_id"]))["daily_budget"] == 140


async def test_denying_by_form_tells_the_reason(site: Site) -> None:
    approval = await site.proposal(daily_budget=140)

    async with site.browser(await site.cookie()) as browser:
        await browser.post(f"/approvals/{approval['id']}/deny", data={"reason": "  Not now. "})
        page = await browser.get(f"/approvals/{approval['id']}")

    assert "Denied by usr_owner" in text_of(page)
    assert "“Not now.”" in text_of(page)


@pytest.mark.parametrize("typed", ["", "24", "240.01"])
async def test_without_the_right_amount_nothing_happens_and_the_page_says_what_to_type(site: Site, typed: str) -> None:
    approval = await site.proposal(daily_budget=240)

    async with site.browser(await site.cookie()) as browser:
        refused = await browser.post(f"/approvals/{approval['id']}/approve", data={"amount": typed})
        agreed = await browser.post(f"/approvals/{approval['id']}/approve", data={"amount": "240.00"})

    assert refused.status_code == 422
    assert "has to be typed: 240" in text_of(refused)
    assert "data-decide" in refused.text
    assert agreed.status_code == 303


@pytest.mark.parametrize("typed", ["abc", "1e3x", "240,00"])
async def test_an_amount_that_is_no_number_is_told(site: Site, typed: str) -> None:
    approval = await site.proposal(daily_budget=240)

    async with site.browser(await site.cookie()) as browser:
        refused = await browser.post(f"/approvals/{approval['id']}/approve", data={"amount": typed})

    assert refused.status_code == 422
    assert "amount" in text_of(refused)


async def test_a_viewers_forged_form_decides_nothing(site: Site) -> None:
    approval = await site.proposal(daily_budget=140)

    async with site.browser(await site.cookie("usr_viewer")) as browser:
        answer = await browser.post(f"/approvals/{approval['id']}/approve", data={"amount": ""})

    assert answer.status_code == 403
    assert (await site.world.call(VIEWER, "get_approval", approval_id=approval["id"]))["status"] == "pending"


@pytest.mark.parametrize("sent", [{"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}])
async def test_another_sites_form_decides_nothing(site: Site, sent: dict[str, str]) -> None:
    approval = await site.proposal(daily_budget=140)

    async with site.browser(await site.cookie(), **sent) as elsewhere:
        answers = [
            await elsewhere.post(f"/approvals/{approval['id']}/{decision}", data={"reason": ""})
            for decision in ("approve", "deny")
        ]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert (await site.world.call(OWNER, "get_approval", approval_id=approval["id"]))["status"] == "pending"


async def test_an_agents_key_decides_nothing_here(site: Site) -> None:
    approval = await site.proposal(daily_budget=140)

    async with site.browser(authorization="Bearer adw_local_" + "t" * 43) as agent:
        answer = await agent.post(f"/approvals/{approval['id']}/approve", data={"amount": ""})

    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?why=needed")
    assert (await site.world.call(OWNER, "get_approval", approval_id=approval["id"]))["status"] == "pending"


async def test_the_second_of_two_people_sees_what_the_first_decided(site: Site) -> None:
    approval = await site.proposal(daily_budget=140)

    async with site.browser(await site.cookie()) as one, site.browser(await site.cookie("usr_admin")) as two:
        await one.post(f"/approvals/{approval['id']}/deny", data={"reason": ""})
        late = await two.post(f"/approvals/{approval['id']}/approve", data={"amount": ""})
        page = await two.get(late.headers["location"])

    assert "Denied by usr_owner" in text_of(page)


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json", b"{}", 415),
        ("application/x-www-form-urlencoded", b"reason=" + b"x" * 9000, 413),
        ("application/x-www-form-urlencoded", b"reason=\xff", 400),
        ("application/x-www-form-urlencoded", b"approval_id=apr_other&surprise=1", 422),
    ],
)
async def test_a_body_that_is_no_form_of_ours_is_refused(
    site: Site, content_type: str, body: bytes, status: int
) -> None:
    approval = await site.proposal(daily_budget=140)

    async with site.browser(await site.cookie()) as browser:
        headers = {"content-type": content_type}
        answer = await browser.post(f"/approvals/{approval['id']}/deny", content=body, headers=headers)

    assert answer.status_code == status
    assert (await site.world.call(OWNER, "get_approval", approval_id=approval["id"]))["status"] == "pending"


# What became of it


async def test_an_expired_approval_says_that_it_must_be_proposed_again(site: Site) -> None:
    approval = await site.proposal(daily_budget=140)
    site.world.clock.pass_by(minutes=15)

    async with site.browser(await site.cookie()) as browser:
        late = await browser.post(f"/approvals/{approval['id']}/approve", data={"amount": ""})
        page = await browser.get(late.headers["location"])

    assert "Nobody decided in time" in text_of(page)
    assert "data-decide" not in page.text


async def test_a_stale_approval_leads_to_the_fresh_one(site: Site) -> None:
    approval = await site.proposal(daily_budget=140)
    other = await site.proposal(daily_budget=145)
    await site.world.call(OWNER, "approve", approval_id=other["id"])
    error = await site.world.refusal(OWNER, "approve", approval_id=approval["id"])
    fresh_id = (await site.world.call(OWNER, "get_approval", approval_id=approval["id"]))["supersededBy"]

    async with site.browser(await site.cookie()) as browser:
        page = await browser.get(f"/approvals/{approval['id']}")
        fresh = await browser.get(f"/approvals/{fresh_id}")

    assert error.code == "stale_plan"
    assert "nothing was applied" in text_of(page)
    assert f'href="/approvals/{fresh_id}"' in page.text
    assert "$145.00" in text_of(fresh)


async def test_a_failed_change_tells_the_platforms_reason(site: Site) -> None:
    approval = await site.proposal(daily_budget=140)
    await site.world.break_next("expired_token", times=9)
    decided = await site.world.call(OWNER, "approve", approval_id=approval["id"])

    async with site.browser(await site.cookie()) as browser:
        page = await browser.get(f"/approvals/{approval['id']}")

    assert decided["status"] == "failed"
    assert decided["error"]["message"] in text_of(page)


# Around every page


@pytest.mark.parametrize("signed_in", [True, False])
@pytest.mark.parametrize("path", PAGES)
async def test_no_page_runs_or_loads_anything_but_our_own_files(site: Site, path: str, signed_in: bool) -> None:
    approval = await site.proposal(daily_budget=140)

    async with site.browser(await site.cookie() if signed_in else "") as browser:
        page = await browser.get(path.format(id=approval["id"]), follow_redirects=True)

    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["referrer-policy"] == "same-origin"
    assert page.headers["cache-control"] == "no-store"
    for tag, attributes in elements(page):
        assert tag != "style"
        assert tag != "script" or "src" in attributes
        assert not [name for name in attributes if name in {"style", "autofocus"} or name.startswith("on")]
        for name in {"src", "href", "action"} & attributes.keys():
            assert not re.match("(?:https?:)?//", attributes[name] or "")


@pytest.mark.parametrize("path", PAGES)
async def test_every_local_link_of_a_page_leads_somewhere(site: Site, path: str) -> None:
    approval = await site.proposal(daily_budget=140)

    async with site.browser(await site.cookie()) as browser:
        page = await browser.get(path.format(id=approval["id"]))
        for href in set(re.findall(r'(?:href|src)="(/[^"#]*)', page.text)):
            assert (await browser.get(unescape(href))).status_code in {200, 303}, href
