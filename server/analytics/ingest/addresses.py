"""Where a visitor is, as far as it can be believed: the peer, or what trusted proxies say of it."""

import ipaddress
from collections.abc import Iterable, Mapping
from functools import lru_cache

from server.identity.requests import Scope, peer

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Addresses:
    """`trusted`: the proxies whose X-Forwarded-For is believed. Anybody can send one; with none trusted it is not
    looked at."""

    def __init__(self, trusted: Iterable[Network] = ()) -> None:
        self._trusted = tuple(trusted)

    def visitor(self, scope: Scope, headers: Mapping[bytes, bytes]) -> str:
        """The nearest address that is no trusted proxy's; '' where there is none."""
        address = _spelled(peer(scope))
        if not self._trusted or not self._trusts(address):
            return address
        for said in reversed(headers.get(b"x-forwarded-for", b"").decode("latin-1").split(",")):
            if not (spelled := _spelled(said)):
                break
            address = spelled
            if not self._trusts(address):
                break
        return address

    def _trusts(self, address: str) -> bool:
        if not address:
            return False
        parsed = ipaddress.ip_address(address)
        return any(parsed in network for network in self._trusted if network.version == parsed.version)


@lru_cache(4096)
def _spelled(said: str) -> str:
    """In one spelling, without the port that some proxies add; '' for what is no address."""
    said = said.strip().strip('"')
    if said.startswith("["):
        said = said[1:].partition("]")[0]
    elif said.count(":") == 1:
        said = said.partition(":")[0]
    try:
        parsed = ipaddress.ip_address(said)
    except ValueError:
        return ""
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)


@lru_cache(4096)
def household(address: str) -> str:
    """What is limited together: an IPv4 address, or the /64 that one connection has of IPv6."""
    return str(ipaddress.ip_network(f"{address}/64", strict=False)) if ":" in address else address
