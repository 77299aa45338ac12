"""Whom the endpoint answers."""

import pytest

from server.mcp_endpoint.hosts import HostGuard
from tools.errors import CrossOrigin

PUBLIC = HostGuard("https://ads.example.com")


@pytest.mark.parametrize("host", ["ads.example.com", "ADS.example.com:443", "127.0.0.1:8123", "localhost", "[::1]:80"])
def test_our_public_name_and_this_machine_are_answered(host: str) -> None:
    PUBLIC.check({b"host": host.encode()})


@pytest.mark.parametrize(
    "host", ["", "evil.example.com", "ads.example.com:444", "localhost.evil.com", "127.0.0.1:80.evil.com", "127.0.0.1:"]
)
def test_another_host_is_refused(host: str) -> None:
    with pytest.raises(CrossOrigin, match="does not answer for"):
        PUBLIC.check({b"host": host.encode()})


@pytest.mark.parametrize("origin", ["https://ads.example.com", "http://localhost:6274", "http://127.0.0.1:3000"])
def test_our_own_pages_and_those_of_this_machine_may_call(origin: str) -> None:
    PUBLIC.check({b"host": b"ads.example.com", b"origin": origin.encode()})


@pytest.mark.parametrize(
    "origin", ["https://evil.example.com", "http://ads.example.com", "null", "http://localhost.evil"]
)
def test_a_foreign_page_is_refused(origin: str) -> None:
    with pytest.raises(CrossOrigin, match="may not call"):
        PUBLIC.check({b"host": b"ads.example.com", b"origin": origin.encode()})


def test_a_port_in_the_public_url_belongs_to_its_name() -> None:
    guard = HostGuard("http://[fd00::1]:9000")

    guard.check({b"host": b"[fd00::1]:9000", b"origin": b"http://[fd00::1]:9000"})
    with pytest.raises(CrossOrigin):
        guard.check({b"host": b"[fd00::1]"})
