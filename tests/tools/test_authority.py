"""Roles, faces, and who counts as a person."""

from itertools import pairwise

import pytest

from tests.world import AGENT, DIRECT_KEY, KEY, OWNER, principal
from tools.authority import Principal, Role, Scope, Via


def test_each_role_can_do_what_the_one_below_it_can() -> None:
    ladder = [role.scopes for role in (Role.VIEWER, Role.MEMBER, Role.ADMIN, Role.OWNER)]

    assert all(below <= above for below, above in pairwise(ladder))
    assert ladder[-1] == frozenset(Scope)


def test_a_viewer_writes_nothing_and_a_member_manages_nothing() -> None:
    assert not {Scope.ADS_WRITE, Scope.PIXEL_WRITE, Scope.CONNECTIONS_WRITE, Scope.WORKSPACE_ADMIN} & Role.VIEWER.scopes
    assert not {Scope.CONNECTIONS_WRITE, Scope.WORKSPACE_ADMIN} & Role.MEMBER.scopes


@pytest.mark.parametrize("via", list(Via))
def test_only_a_session_is_a_person(via: Via) -> None:
    who = principal(via=via)

    assert who.human is (via is Via.SESSION)
    assert who.gated is (via is not Via.SESSION)


@pytest.mark.parametrize("via", [Via.MCP, Via.AGENT, Via.CLI, Via.OPERATOR])
def test_a_direct_key_is_direct_over_rest_only(via: Via) -> None:
    assert not DIRECT_KEY.gated
    assert not DIRECT_KEY.human
    assert DIRECT_KEY.through(via).gated


@pytest.mark.parametrize("who", [OWNER, AGENT, KEY])
def test_another_face_changes_nothing_but_the_face(who: Principal) -> None:
    elsewhere = who.through(Via.AGENT, "claude")

    assert (elsewhere.id, elsewhere.scopes, elsewhere.workspace) == (who.id, who.scopes, who.workspace)
    assert (elsewhere.via, elsewhere.client) == (Via.AGENT, "claude")
