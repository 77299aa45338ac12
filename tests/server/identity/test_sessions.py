"""Sessions: how they open, what they allow, how they end, and what another site cannot make of them."""

import asyncio
import hashlib
from pathlib import Path

import pytest
from sqlalchemy import update

from tests.promises import promise
from tests.server.identity.directory import Directory, request
from tools.authority import Role, Via
from tools.errors import CrossOrigin, InvalidArguments, MissingAuthorization, SessionExpired
from tools.store.engine import Store
from tools.store.tables import login_links, memberships, sessions, users


def token_of(url: str) -> str:
    return url.partition("token=")[2]


@promise("dev.auth.session.workspace-and-role")
async def test_a_session_is_the_person_with_the_role_it_has_now(directory: Directory) -> None:
    cookie = await directory.sign_in()

    principal = await directory.resolver.resolve(request(cookie=cookie), face="rest")

    assert (principal.id, principal.user, principal.workspace) == ("usr_ada", "usr_ada", "wsp_main")
    assert (principal.role, principal.scopes, principal.via) == (Role.OWNER, Role.OWNER.scopes, Via.SESSION)
    assert principal.human
    assert not principal.gated


async def test_a_link_leads_to_its_page_once(directory: Directory) -> None:
    link = await directory.sessions.mint_link("usr_ada", "wsp_main", "/approvals/apr_1?from=cli")

    first = await directory.sessions.sign_in(request(), token_of(link.url))
    second = await directory.sessions.sign_in(request(), token_of(link.url))

    assert link.url.startswith(f"{directory.public_url}/login?token=")
    assert first is not None
    assert first.next_path == "/approvals/apr_1?from=cli"
    assert second is None


async def test_of_two_browsers_with_one_link_one_gets_in(directory: Directory) -> None:
    link = await directory.sessions.mint_link("usr_ada", "wsp_main")

    opened = await asyncio.gather(*(directory.sessions.sign_in(request(), token_of(link.url)) for _ in range(8)))

    assert sum(sign_in is not None for sign_in in opened) == 1


async def test_a_link_ends_after_fifteen_minutes(directory: Directory) -> None:
    link = await directory.sessions.mint_link("usr_ada", "wsp_main")

    directory.clock.pass_(minutes=15)

    assert await directory.sessions.sign_in(request(), token_of(link.url)) is None


async def test_a_link_for_a_former_member_opens_nothing(directory: Directory) -> None:
    link = await directory.sessions.mint_link("usr_ada", "wsp_main")
    await directory.dismiss("usr_ada")

    assert await directory.sessions.sign_in(request(), token_of(link.url)) is None


@pytest.mark.parametrize("token", ["", "x", "é" * 43])
async def test_what_was_never_a_link_opens_nothing(directory: Directory, token: str) -> None:
    assert await directory.sessions.sign_in(request(), token) is None


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example", "javascript:alert(1)",
        "/\t/evil.example", "/\n/evil.example", " /approvals", "approvals", "", "/" + "a" * 600,
    ],
)  # fmt: skip
async def test_a_link_leads_nowhere_but_to_this_site(directory: Directory, target: str) -> None:
    with pytest.raises(InvalidArguments):
        await directory.sessions.mint_link("usr_ada", "wsp_main", target)


async def test_signing_in_makes_a_new_session_and_ends_the_one_the_browser_had(directory: Directory) -> None:
    before = await directory.sign_in()

    after = await directory.sign_in(cookie=before)

    assert after != before
    assert (await directory.resolver.resolve(request(cookie=after), face="rest")).human
    with pytest.raises(SessionExpired):
        await directory.resolver.resolve(request(cookie=before), face="rest")


async def test_a_session_id_chosen_by_someone_else_is_never_taken_over(directory: Directory) -> None:
    planted = "adwright_session=" + "A" * 43

    issued = await directory.sign_in(cookie=planted)

    assert issued != planted
    with pytest.raises(SessionExpired):
        await directory.resolver.resolve(request(cookie=planted), face="rest")


async def test_neither_session_nor_link_lies_in_the_database_in_clear(directory: Directory, tmp_path: Path) -> None:
    link = await directory.sessions.mint_link("usr_ada", "wsp_main")
    cookie = await directory.sign_in()
    session = cookie.partition("=")[2]
    stored = b"".join(file.read_bytes() for file in tmp_path.iterdir())  # noqa: ASYNC240  a test may block its loop

    assert session.encode() not in stored
    assert token_of(link.url).encode() not in stored
    assert hashlib.sha256(session.encode()).hexdigest() in {row.id_hash for row in await directory.rows(sessions)}
    assert hashlib.sha256(token_of(link.url).encode()).hexdigest() in {
        row.token_hash for row in await directory.rows(login_links)
    }
    assert token_of(link.url) not in repr(link)


@promise("dev.auth.session.lifetime")
async def test_a_session_in_daily_use_ends_when_its_days_are_over(directory: Directory) -> None:
    cookie = await directory.sign_in()

    for _ in range(29):
        directory.clock.pass_(days=1)
        await directory.resolver.resolve(request(cookie=cookie), face="rest")
        await directory.identity.flush()

    directory.clock.pass_(days=1)
    with pytest.raises(SessionExpired):
        await directory.resolver.resolve(request(cookie=cookie), face="rest")


async def test_a_session_nobody_used_for_two_weeks_has_ended(directory: Directory) -> None:
    cookie = await directory.sign_in()
    directory.clock.pass_(days=14)

    with pytest.raises(SessionExpired):
        await directory.resolver.resolve(request(cookie=cookie), face="rest")


@promise("dev.auth.session.table")
async def test_a_session_deleted_from_its_table_is_refused_at_the_next_call(directory: Directory, store: Store) -> None:
    cookie = await directory.sign_in()
    await directory.resolver.resolve(request(cookie=cookie), face="rest")
    await store.write(lambda tx: tx.run(sessions.delete()))

    with pytest.raises(SessionExpired):
        await directory.resolver.resolve(request(cookie=cookie), face="rest")


async def test_a_session_in_use_has_the_role_and_the_name_of_now(directory: Directory, store: Store) -> None:
    cookie = await directory.sign_in()
    assert (await directory.resolver.resolve(request(cookie=cookie), face="rest")).role is Role.OWNER

    await store.write(lambda tx: tx.run(update(memberships).values(role=Role.VIEWER)))
    await store.write(lambda tx: tx.run(update(users).values(name="Ada L.")))

    principal = await directory.resolver.resolve(request(cookie=cookie), face="rest")
    assert (principal.role, principal.name) == (Role.VIEWER, "Ada L.")


async def test_a_session_goes_with_the_membership(directory: Directory) -> None:
    cookie = await directory.sign_in()
    await directory.resolver.resolve(request(cookie=cookie), face="rest")
    await directory.dismiss("usr_ada")

    with pytest.raises(SessionExpired, match="no longer a member"):
        await directory.resolver.resolve(request(cookie=cookie), face="rest")


async def test_signing_out_ends_the_session_and_clears_the_cookie(directory: Directory) -> None:
    cookie = await directory.sign_in()

    cleared = await directory.sessions.sign_out(request("POST", cookie=cookie, sec_fetch_site="same-origin"))

    assert cleared.startswith("adwright_session=; Max-Age=0")
    with pytest.raises(SessionExpired):
        await directory.resolver.resolve(request(cookie=cookie), face="rest")


async def test_another_site_cannot_sign_a_person_out(directory: Directory) -> None:
    cookie = await directory.sign_in()

    with pytest.raises(CrossOrigin):
        await directory.sessions.sign_out(request("POST", cookie=cookie, sec_fetch_site="cross-site"))

    assert (await directory.resolver.resolve(request(cookie=cookie), face="rest")).human


async def test_last_seen_is_written_at_most_every_five_minutes(directory: Directory) -> None:
    cookie = await directory.sign_in()
    opened = directory.clock.ms

    async def seen_after(**span: float) -> int:
        directory.clock.pass_(**span)
        await directory.resolver.resolve(request(cookie=cookie), face="rest")
        await directory.identity.flush()
        stored: int = (await directory.rows(sessions))[0].last_seen_at
        return stored

    assert await seen_after(minutes=4, seconds=59) == opened
    assert await seen_after(seconds=1) == directory.clock.ms


@promise("dev.auth.cookie.http-only-lax")
async def test_the_cookie_is_for_this_site_alone_and_no_script_reads_it(directory: Directory) -> None:
    link = await directory.sessions.mint_link("usr_ada", "wsp_main")
    opened = await directory.sessions.sign_in(request(), token_of(link.url))

    assert opened is not None
    name, *attributes = opened.cookie.split("; ")
    assert name.startswith("adwright_session=")
    assert attributes == ["Max-Age=2592000", "Path=/", "HttpOnly", "SameSite=Lax"]


@promise("dev.auth.cookie.secure-in-production")
async def test_in_production_the_cookie_is_secure_and_tied_to_the_host(store: Store) -> None:
    directory = Directory(store, public_url="https://ads.example.com")
    await directory.workspace("main")
    await directory.user("ada", Role.OWNER)
    link = await directory.sessions.mint_link("usr_ada", "wsp_main")

    opened = await directory.sessions.sign_in(request(), token_of(link.url))

    assert opened is not None
    assert opened.cookie.startswith("__Host-adwright_session=")
    assert opened.cookie.endswith("; Path=/; HttpOnly; SameSite=Lax; Secure")
    plain = opened.cookie.partition(";")[0].removeprefix("__Host-")
    with pytest.raises(MissingAuthorization):
        await directory.resolver.resolve(request(cookie=plain), face="rest")


@promise("dev.auth.cookie.csrf")
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    ("sent", "allowed"),
    [
        ({}, True),
        ({"sec_fetch_site": "same-origin"}, True),
        ({"sec_fetch_site": "same-site"}, False),
        ({"sec_fetch_site": "cross-site"}, False),
        ({"sec_fetch_site": "none"}, False),
        ({"origin": "http://127.0.0.1:8000"}, True),
        ({"origin": "http://localhost:8000", "host": "localhost:8000"}, True),
        ({"origin": "http://evil.example", "host": "127.0.0.1:8000"}, False),
        ({"origin": "null"}, False),
        ({"origin": "http://127.0.0.1:8000.evil.example"}, False),
        ({"sec_fetch_site": "cross-site", "x_requested_with": "adwright"}, False),
        ({"origin": "http://evil.example", "x_requested_with": "adwright"}, False),
        ({"sec_fetch_site": "cross-site", "origin": "http://127.0.0.1:8000"}, False),
    ],
)
async def test_an_unsafe_request_with_a_cookie_must_come_from_our_own_pages(
    directory: Directory, method: str, sent: dict[str, str], allowed: bool
) -> None:
    scope = request(method, cookie=await directory.sign_in(), **sent)

    if allowed:
        assert (await directory.resolver.resolve(scope, face="rest")).human
    else:
        with pytest.raises(CrossOrigin):
            await directory.resolver.resolve(scope, face="rest")


async def test_reading_with_a_cookie_needs_no_origin(directory: Directory) -> None:
    scope = request(cookie=await directory.sign_in(), sec_fetch_site="cross-site")

    assert (await directory.resolver.resolve(scope, face="rest")).human


async def test_in_production_the_origin_must_be_the_public_one(store: Store) -> None:
    directory = Directory(store, public_url="https://ads.example.com")
    await directory.workspace("main")
    await directory.user("ada", Role.OWNER)
    cookie = await directory.sign_in()

    assert (
        await directory.resolver.resolve(request("POST", cookie=cookie, origin="https://ads.example.com"), face="rest")
    ).human
    with pytest.raises(CrossOrigin):
        scope = request("POST", cookie=cookie, origin="http://ads.example.com", host="ads.example.com")
        await directory.resolver.resolve(scope, face="rest")


async def test_the_session_is_found_among_other_cookies(directory: Directory) -> None:
    cookie = await directory.sign_in()

    assert (await directory.resolver.resolve(request(cookie=f"theme=dark; {cookie}; x=1"), face="rest")).human


async def test_old_sessions_and_links_do_not_pile_up(directory: Directory) -> None:
    await directory.sign_in()
    directory.clock.pass_(days=31)

    await directory.sign_in()

    assert len(await directory.rows(sessions)) == 1
    assert len(await directory.rows(login_links)) == 1
