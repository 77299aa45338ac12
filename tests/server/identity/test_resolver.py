"""From a request to a Principal, or to the one refusal that fits."""

import logging

import pytest
from sqlalchemy import update

from server.identity.store import key_revoked
from tests.promises import promise
from tests.server.identity.directory import LOCAL_TOKEN, Directory, bearer, request
from tools.authority import Role, Scope, Via
from tools.errors import (
    ApiKeyExpired,
    ApiKeyRevoked,
    Conflict,
    DirectKeyRefused,
    InvalidApiKey,
    InvalidArguments,
    InvalidAuthorizationFormat,
    MissingAuthorization,
    Unavailable,
)
from tools.keys import format as keys
from tools.store.engine import Store, StoreUnavailable
from tools.store.sqlite import SqliteStore
from tools.store.tables import api_keys, login_links, memberships, workspaces


@promise("dev.auth.session.missing-401")
@pytest.mark.parametrize("face", ["rest", "mcp"])
async def test_nobody_is_told_how_to_become_somebody(directory: Directory, face: str) -> None:
    with pytest.raises(MissingAuthorization) as refused:
        await directory.resolver.resolve(request(), face=face)

    assert "Bearer" in refused.value.fix


@pytest.mark.parametrize("header", ["Basic YTpi", "Bearer", "Bearer ", "Bearer two words", "adw_live_x"])
async def test_an_authorization_header_of_another_form_is_refused(directory: Directory, header: str) -> None:
    with pytest.raises(InvalidAuthorizationFormat) as refused:
        await directory.resolver.resolve(request(authorization=header), face="rest")

    assert refused.value.fix


@promise("dev.keys.bearer")
async def test_a_key_acts_as_itself_in_its_workspace_with_what_its_creators_role_leaves(directory: Directory) -> None:
    await directory.user("vera", Role.VIEWER)
    key = await directory.key("usr_vera", ("ads:read", "ads:write"), rate=5, name="report")

    principal = await directory.resolver.resolve(request(authorization=bearer(key.text)), face="rest")

    assert (principal.workspace, principal.user, principal.name) == ("wsp_main", "usr_vera", "report")
    assert principal.id.startswith("key_")
    assert principal.scopes == {Scope.ADS_READ}
    assert (principal.via, principal.rate, principal.gated) == (Via.KEY, 5, True)


async def test_the_scheme_is_case_insensitive(directory: Directory) -> None:
    key = await directory.key()

    principal = await directory.resolver.resolve(request(authorization=f"bearer {key.text}"), face="rest")

    assert principal.user == "usr_ada"


async def test_a_raised_role_does_not_widen_a_key(directory: Directory) -> None:
    key = await directory.key("usr_ada", ("ads:read",))

    principal = await directory.resolver.resolve(request(authorization=bearer(key.text)), face="rest")

    assert (principal.role, principal.scopes) == (Role.OWNER, frozenset({Scope.ADS_READ}))


@promise("dev.keys.workspace-scoped")
async def test_a_key_names_its_workspace_whatever_the_request_says(directory: Directory) -> None:
    await directory.workspace("other")
    await directory.member("ada", Role.OWNER, "wsp_other")
    key = await directory.key()

    scope = request(authorization=bearer(key.text), x_adwright_workspace="wsp_other")

    assert (await directory.resolver.resolve(scope, face="rest")).workspace == "wsp_main"


async def test_a_mistyped_key_is_refused_without_a_look_into_the_database(directory: Directory, store: Store) -> None:
    key = (await directory.key()).text
    await store.close()

    with pytest.raises(InvalidApiKey):
        await directory.resolver.resolve(request(authorization=bearer(key[:-1] + "é")), face="rest")


async def test_a_well_formed_key_that_was_never_stored_is_refused(directory: Directory) -> None:
    with pytest.raises(InvalidApiKey):
        await directory.resolver.resolve(request(authorization=bearer(keys.mint().text)), face="rest")


async def test_another_secret_under_a_known_id_is_refused(directory: Directory) -> None:
    known, other = await directory.key(), keys.mint()
    body = f"{known.prefix}_{other.text.split('_')[3][:32]}"
    forged = body + keys._crc(body)

    assert keys.parse(forged)
    with pytest.raises(InvalidApiKey):
        await directory.resolver.resolve(request(authorization=bearer(forged)), face="rest")


async def test_a_key_ends_at_the_moment_it_expires(directory: Directory) -> None:
    key = await directory.key(expires_at=directory.clock.ms + 1000)
    scope = request(authorization=bearer(key.text))

    await directory.resolver.resolve(scope, face="rest")
    directory.clock.pass_(seconds=1)
    with pytest.raises(ApiKeyExpired):
        await directory.resolver.resolve(scope, face="rest")


async def test_a_revoked_key_is_refused_at_the_next_call(directory: Directory) -> None:
    key = await directory.key()
    scope = request(authorization=bearer(key.text))
    principal = await directory.resolver.resolve(scope, face="rest")

    await directory.store.write(lambda tx: tx.run(key_revoked(principal.id, directory.clock.ms)))

    with pytest.raises(ApiKeyRevoked):
        await directory.resolver.resolve(scope, face="rest")


async def test_a_key_goes_with_the_membership_of_whoever_made_it(directory: Directory) -> None:
    key = await directory.key()
    await directory.dismiss("usr_ada")

    with pytest.raises(ApiKeyRevoked, match="no longer a member"):
        await directory.resolver.resolve(request(authorization=bearer(key.text)), face="rest")


async def test_what_a_key_may_do_follows_its_creators_role_at_the_next_call(directory: Directory) -> None:
    key = await directory.key()
    scope = request(authorization=bearer(key.text))
    assert Scope.ADS_WRITE in (await directory.resolver.resolve(scope, face="rest")).scopes

    demoted = update(memberships).where(memberships.c.user_id == "usr_ada").values(role=Role.VIEWER)
    await directory.store.write(lambda tx: tx.run(demoted))

    assert (await directory.resolver.resolve(scope, face="rest")).scopes == {Scope.ADS_READ}


async def test_a_key_in_use_goes_with_its_member_at_the_next_call(directory: Directory) -> None:
    key = await directory.key()
    scope = request(authorization=bearer(key.text))
    await directory.resolver.resolve(scope, face="rest")

    await directory.dismiss("usr_ada")

    with pytest.raises(ApiKeyRevoked, match="no longer a member"):
        await directory.resolver.resolve(scope, face="rest")


async def test_a_renamed_workspace_is_told_at_the_next_call(directory: Directory) -> None:
    key = await directory.key()
    scope = request(authorization=bearer(key.text))
    await directory.resolver.resolve(scope, face="rest")

    await directory.store.write(lambda tx: tx.run(update(workspaces).values(name="renamed")))

    assert (await directory.resolver.resolve(scope, face="rest")).workspace_name == "renamed"


@pytest.mark.sqlite
async def test_a_key_in_use_is_known_without_the_database_until_something_about_keys_is_committed(
    directory: Directory, store: Store
) -> None:
    key = await directory.key()
    scope = request(authorization=bearer(key.text))
    principal = await directory.resolver.resolve(scope, face="rest")
    assert isinstance(store, SqliteStore)
    store._reading.close()

    link = update(login_links).values(used_at=1)
    await store.write(lambda tx: tx.run(link))

    assert await directory.resolver.resolve(scope, face="rest") == principal


async def test_a_remembered_key_opens_nothing_for_another_secret_under_its_id(directory: Directory) -> None:
    key, other = await directory.key(), keys.mint()
    await directory.resolver.resolve(request(authorization=bearer(key.text)), face="rest")
    forged = keys.PREFIX + key.lookup + other.text[len(keys.PREFIX) + len(other.lookup) : -6]

    with pytest.raises(InvalidApiKey):
        await directory.resolver.resolve(request(authorization=bearer(forged + keys._crc(forged))), face="rest")


async def test_a_direct_key_acts_over_rest_and_is_refused_over_mcp(directory: Directory) -> None:
    key = await directory.key(policy="direct")
    scope = request(authorization=bearer(key.text))

    assert not (await directory.resolver.resolve(scope, face="rest")).gated
    with pytest.raises(DirectKeyRefused):
        await directory.resolver.resolve(scope, face="mcp")


async def test_a_direct_key_asks_again_once_its_creator_owns_nothing(directory: Directory) -> None:
    key = await directory.key(policy="direct")
    await directory.dismiss("usr_ada")
    await directory.member("ada", Role.ADMIN, "wsp_main")

    assert (await directory.resolver.resolve(request(authorization=bearer(key.text)), face="rest")).gated


async def test_over_mcp_a_key_is_an_agent_and_a_cookie_is_nobody(directory: Directory) -> None:
    key, cookie = await directory.key(), await directory.sign_in()

    principal = await directory.resolver.resolve(request(authorization=bearer(key.text)), face="mcp")

    assert (principal.via, principal.gated) == (Via.MCP, True)
    with pytest.raises(MissingAuthorization):
        await directory.resolver.resolve(request(cookie=cookie), face="mcp")


async def test_a_key_beside_a_cookie_decides(directory: Directory) -> None:
    key, cookie = await directory.key(), await directory.sign_in()

    principal = await directory.resolver.resolve(request(cookie=cookie, authorization=bearer(key.text)), face="rest")

    assert principal.via is Via.KEY


@pytest.mark.parametrize(("face", "via"), [("rest", Via.CLI), ("mcp", Via.MCP)])
async def test_the_local_token_is_the_first_owner_but_never_a_person(directory: Directory, face: str, via: Via) -> None:
    directory.clock.pass_(hours=1)
    await directory.user("bob", Role.OWNER)

    principal = await directory.resolver.resolve(request(authorization=bearer(LOCAL_TOKEN)), face=face)

    assert (principal.user, principal.workspace, principal.via) == ("usr_ada", "wsp_main", via)
    assert principal.gated
    assert not principal.human


@pytest.mark.parametrize("peer", ["::1", "127.0.0.2", "::ffff:127.0.0.1"])
async def test_every_loopback_address_is_this_machine(directory: Directory, peer: str) -> None:
    principal = await directory.resolver.resolve(request(peer=peer, authorization=bearer(LOCAL_TOKEN)), face="rest")

    assert principal.user == "usr_ada"


@pytest.mark.parametrize(
    "elsewhere",
    [{"peer": "192.0.2.7"}, {"peer": ""}, {"x_forwarded_for": "192.0.2.7"}, {"forwarded": "for=192.0.2.7"}],
)
async def test_the_local_token_opens_nothing_from_elsewhere(directory: Directory, elsewhere: dict[str, str]) -> None:
    with pytest.raises(InvalidApiKey):
        await directory.resolver.resolve(request(authorization=bearer(LOCAL_TOKEN), **elsewhere), face="rest")


async def test_another_local_token_opens_nothing(directory: Directory) -> None:
    with pytest.raises(InvalidApiKey):
        await directory.resolver.resolve(request(authorization=bearer(LOCAL_TOKEN[:-1] + "u")), face="rest")


async def test_an_owner_of_several_workspaces_chooses_by_id_or_name(directory: Directory) -> None:
    await directory.workspace("other")
    await directory.member("ada", Role.ADMIN, "wsp_other")

    with pytest.raises(InvalidArguments) as refused:
        await directory.resolver.resolve(request(authorization=bearer(LOCAL_TOKEN)), face="rest")
    assert [choice["id"] for choice in refused.value.details["choices"]] == ["wsp_main", "wsp_other"]

    for named in ("wsp_other", "other"):
        scope = request(authorization=bearer(LOCAL_TOKEN), x_adwright_workspace=named)
        principal = await directory.resolver.resolve(scope, face="rest")
        assert (principal.workspace, principal.role) == ("wsp_other", Role.ADMIN)


async def test_a_workspace_the_owner_is_not_in_is_not_chosen(directory: Directory) -> None:
    await directory.workspace("strange")

    with pytest.raises(InvalidArguments):
        scope = request(authorization=bearer(LOCAL_TOKEN), x_adwright_workspace="wsp_strange")
        await directory.resolver.resolve(scope, face="rest")


async def test_the_local_token_follows_who_owns_the_directory(directory: Directory) -> None:
    scope = request(authorization=bearer(LOCAL_TOKEN))
    await directory.user("bob", Role.OWNER)
    assert (await directory.resolver.resolve(scope, face="rest")).user == "usr_ada"

    await directory.dismiss("usr_ada")

    assert (await directory.resolver.resolve(scope, face="rest")).user == "usr_bob"


async def test_a_directory_without_an_owner_says_how_to_get_one(store: Store) -> None:
    with pytest.raises(Conflict, match="Nobody owns") as refused:
        await Directory(store).resolver.resolve(request(authorization=bearer(LOCAL_TOKEN)), face="rest")

    assert "users create" in refused.value.fix


async def test_last_use_is_written_once_a_minute_and_not_by_the_request(directory: Directory) -> None:
    key = await directory.key()
    scope = request(authorization=bearer(key.text))

    async def used_after(**span: float) -> int | None:
        directory.clock.pass_(**span)
        await directory.resolver.resolve(scope, face="rest")
        await directory.identity.flush()
        stored: int | None = (await directory.rows(api_keys))[0].last_used_at
        return stored

    await directory.resolver.resolve(scope, face="rest")
    assert (await directory.rows(api_keys))[0].last_used_at is None
    first = await used_after()
    assert first == directory.clock.ms
    assert await used_after(seconds=59) == first
    assert await used_after(seconds=1) == directory.clock.ms


async def test_refusals_are_counted_by_code_and_401s_logged_without_what_was_sent(
    directory: Directory, caplog: pytest.LogCaptureFixture
) -> None:
    text = keys.mint().text
    with caplog.at_level(logging.WARNING), pytest.raises(InvalidApiKey):
        await directory.resolver.resolve(request(peer="192.0.2.7", authorization=bearer(text)), face="rest")

    assert directory.resolver.refusals == {"invalid_api_key": 1}
    assert "invalid_api_key" in caplog.text
    assert "192.0.2.7" in caplog.text
    assert text not in caplog.text


async def test_a_database_out_of_reach_is_unavailable_not_unauthorized(directory: Directory) -> None:
    class OutOfReach:
        async def read(self, _: object) -> None:
            raise StoreUnavailable("disk I/O error")

    key = await directory.key()
    directory.identity._store = OutOfReach()  # type: ignore[assignment]  # a disk that fails on demand

    with pytest.raises(Unavailable):
        await directory.resolver.resolve(request(authorization=bearer(key.text)), face="rest")
