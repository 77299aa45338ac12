"""Who a visitor is by address: the peer, and what trusted proxies say of it."""

import ipaddress

import pytest

from server.analytics.ingest.addresses import Addresses, household

TRUSTED = [ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fd00::/8")]


@pytest.mark.parametrize(
    ("peer", "said", "visitor"),
    [
        ("198.51.100.7", "203.0.113.9", "198.51.100.7"),  # no proxy of ours says so
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "1.1.1.1, 203.0.113.9", "203.0.113.9"),  # what it was told before it is not believed
        ("10.0.0.1", "203.0.113.9, 10.9.9.9", "203.0.113.9"),
        ("10.0.0.1", "203.0.113.9:4711", "203.0.113.9"),
        ("10.0.0.1", '"[2001:db8::1]:4711"', "2001:db8::1"),
        ("fd00::1", "2001:db8::1", "2001:db8::1"),
        ("::ffff:10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "unknown", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.2, 10.0.0.3", "10.0.0.2"),
        ("", "203.0.113.9", ""),
    ],
)
def test_the_nearest_that_is_no_trusted_proxy_is_the_visitor(peer: str, said: str, visitor: str) -> None:
    scope = {"client": (peer, 1) if peer else None}

    assert Addresses(TRUSTED).visitor(scope, {b"x-forwarded-for": said.encode()}) == visitor


def test_with_no_proxy_trusted_nothing_is_believed() -> None:
    assert Addresses().visitor({"client": ("10.0.0.1", 1)}, {b"x-forwarded-for": b"203.0.113.9"}) == "10.0.0.1"


def test_a_connection_of_ipv6_is_one_household() -> None:
    assert household("2001:db8:0:1::1") == household("2001:db8:0:1:ffff::2") != household("2001:db8:0:2::1")
    assert household("203.0.113.9") == "203.0.113.9"
