"""What a request says about itself, read without trust."""

import pytest

from server.identity.requests import cookie, from_this_machine, header, local_path
from tests.server.identity.directory import request


@pytest.mark.parametrize("text", ["/", "/approvals", "/approvals/apr_1?from=cli#top", "/a//b", "/%2f%2fevil.example"])
def test_a_path_of_this_site_may_be_followed(text: str) -> None:
    assert local_path(text) == text


@pytest.mark.parametrize(
    "text",
    [
        None, "", "approvals", "//evil.example", "///evil.example", "/\\evil.example", "\\/evil.example",
        "https://evil.example/approvals", "javascript:alert(1)", "/\t/evil.example", "/\r\nset-cookie: x=y", "/a b",
        "/\u2028", "/" + "a" * 500,
    ],
)  # fmt: skip
def test_everything_a_browser_could_take_for_another_site_is_not(text: str | None) -> None:
    assert local_path(text) is None


@pytest.mark.parametrize(
    ("peer", "here"),
    [
        ("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("::ffff:127.0.0.1", True), ("192.0.2.7", False),
        ("::ffff:192.0.2.7", False), ("localhost", False), ("", False),
    ],
)  # fmt: skip
def test_only_a_loopback_address_is_this_machine(peer: str, here: bool) -> None:
    assert from_this_machine(request(peer=peer)) is here


@pytest.mark.parametrize("name", ["forwarded", "x_forwarded_for", "x_real_ip"])
def test_a_proxy_on_this_machine_speaks_for_someone_else(name: str) -> None:
    assert not from_this_machine(request(**{name: "192.0.2.7"}))


def test_a_socket_without_an_address_is_not_this_machine() -> None:
    assert not from_this_machine({"headers": [], "client": None})


def test_a_cookie_is_found_in_any_of_several_headers() -> None:
    scope = {"headers": [(b"cookie", b"a=1; b=2"), (b"cookie", b"c=3=4")]}

    assert [cookie(scope, name) for name in ("a", "b", "c", "d")] == ["1", "2", "3=4", None]


def test_a_header_that_is_not_there_is_none() -> None:
    assert header({"headers": [(b"host", b"x")]}, b"origin") is None
