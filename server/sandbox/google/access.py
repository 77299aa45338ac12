"""Who may call for whom: a bearer token, and the manager through which a customer is reached."""

import re

from server.sandbox.google import errors, oauth
from server.sandbox.google.wire import Call
from server.sandbox.google.world import Account, World


def authenticate(call: Call, now: float) -> None:
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    if not scheme:
        raise errors.token_missing()
    if scheme.lower() != "bearer" or not token:
        raise errors.failure("authenticationError.OAUTH_TOKEN_HEADER_INVALID", "HTTP header is malformed.")
    issued = oauth.issued_at(token.strip())
    if issued is None:
        raise errors.token_invalid()
    if now >= issued + oauth.LIFETIME:
        raise errors.token_expired()


def customer(world: World, call: Call, customer_id: str) -> Account:
    """The account a call is about, if its user gets there by itself or through the manager it names."""
    login = call.headers.get("login-customer-id")
    if login is not None and not re.fullmatch(r"\d{10}", login):
        raise errors.failure(
            "headerError.INVALID_LOGIN_CUSTOMER_ID", "The login customer ID could not be validated.", trigger=login
        )
    if not re.fullmatch(r"\d{10}", customer_id):
        raise errors.failure("requestError.INVALID_CUSTOMER_ID", f"Invalid customer ID '{customer_id}'.")
    account = world.account(customer_id)
    if account is None:
        raise errors.failure(
            "authenticationError.CUSTOMER_NOT_FOUND", "No customer found for the provided customer id."
        )
    path = [account.customer, *world.managers_of(account.customer)]
    wanted = login or customer_id
    if not any(each.id == wanted and each.granted for each in path):
        raise errors.permission_denied()
    return account
