"""Whose accounts a sign-in opens: what it reaches directly, and the leaves under each manager."""

import asyncio
from collections.abc import Iterable

from server.platforms.google.answers import part, text
from server.platforms.google.client import GoogleAdsClient, given_login
from server.platforms.google.gaql import Query, is_false
from server.platforms.google.wire import Customer, Row
from tools.errors import AccountBlocked, CapabilityError, NotFound, PlatformFailure
from tools.ports import Account, Credential

AT_ONCE = 8
"""Customers asked at the same time."""

_ABOUT = ("id", "descriptive_name", "currency_code", "time_zone", "manager", "status")
CUSTOMER = Query(select=tuple(f"customer.{name}" for name in _ABOUT), resource="customer", limit=1)
LEAVES = Query(
    select=tuple(f"customer_client.{name}" for name in _ABOUT),
    resource="customer_client",
    where=(is_false("customer_client.manager"),),
)
"""Of all levels under a manager."""
_SHOWN = {"ENABLED": True, "SUSPENDED": False}
"""Whether an account is active; cancelled and closed ones have no row here, as they can neither be read nor run ads."""


async def reachable(client: GoogleAdsClient, credential: Credential) -> tuple[Account, ...]:
    """Every leaf once, directly reached where it can be. An account that is not enabled, or not this person's after
    all, does not cost the others; what may pass (a quota, an outage) is raised, as half a list would look whole.
    """
    login = given_login(credential)
    roots = [login] if login else await client.accessible(credential)
    room = asyncio.Semaphore(AT_ONCE)

    async def under(root: str) -> list[Account] | CapabilityError:
        async with room:
            try:
                return await _under(client, credential, Customer(root, root if login else None))
            except (NotFound, PlatformFailure) as error:
                if _is_about_the_account(error):
                    return error
                raise

    found = await asyncio.gather(*(under(root) for root in roots))
    denied = [each for each in found if isinstance(each, CapabilityError)]
    if denied and len(denied) == len(found):
        raise denied[0]
    return tuple(_once(account for accounts in found if isinstance(accounts, list) for account in accounts))


async def _under(client: GoogleAdsClient, credential: Credential, root: Customer) -> list[Account]:
    own = [part(row, "customer") for row in await client.search(credential, root, CUSTOMER)]
    if not any(customer.get("manager") for customer in own):
        return [account for customer in own for account in _account(customer, root.login)]
    manager = Customer(root.id, root.id)
    leaves = [part(row, "customerClient") for row in await client.search(credential, manager, LEAVES)]
    return [account for leaf in leaves for account in _account(leaf, root.id)]


def _account(about: Row, login: str | None) -> Iterable[Account]:
    active = _SHOWN.get(str(about.get("status")))
    if active is None:
        return
    number = text(about, "id")
    yield Account(
        account_id=number,
        name=str(about.get("descriptiveName") or number),
        currency=text(about, "currencyCode"),
        time_zone=text(about, "timeZone"),
        active=active,
        login_customer_id=login,
    )


def _once(accounts: Iterable[Account]) -> Iterable[Account]:
    held: dict[str, Account] = {}
    for account in accounts:
        known = held.get(account.account_id)
        if known is None or (known.login_customer_id and not account.login_customer_id):
            held[account.account_id] = account
    return sorted(held.values(), key=lambda account: (account.name.casefold(), account.account_id))


def _is_about_the_account(error: CapabilityError) -> bool:
    denied = str(error.details.get("platformCode", "")).startswith("authorizationError.")
    return denied or isinstance(error, AccountBlocked | NotFound)
