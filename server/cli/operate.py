"""What only whoever runs the machine may do; each command is one request to /local/…."""

from argparse import Namespace
from typing import Any
from urllib.parse import quote

from server.cli.api import operator
from server.cli.output import ERROR, say, show


def create_user(arguments: Namespace) -> int:
    body = {"email": f"{arguments.role}@adwright.local"} | _given(arguments, "email", "role", "name", "workspace")
    return _post(arguments, "/local/users", body, lambda user: f"{user['email']} is {user['role']} now ({user['id']}).")


def create_key(arguments: Namespace) -> int:
    scopes = [scope for given in arguments.scopes for scope in given.split(",") if scope]
    body = _given(arguments, "name", "rate", "expires_days", "workspace")
    body |= {"scopes": scopes, "direct": arguments.direct}
    with operator(arguments) as api:
        key = api.data("POST", "/local/keys", body)
    if not arguments.json:
        say(f"{key['id']} ({key['policy']}). Keep the key: it is shown this once.")
        if arguments.direct:
            say("Its writes happen without confirmation. Do not give it to an agent.")
    show(key, as_json=arguments.json, text=key["key"])
    return 0


def list_keys(arguments: Namespace) -> int:
    with operator(arguments) as api:
        keys = api.data("GET", "/local/keys")
    show(keys, as_json=arguments.json, text=None if keys else "There are no API keys. Make one: adwright keys create")
    return 0


def revoke_key(arguments: Namespace) -> int:
    return _post(
        arguments, f"/local/keys/{quote(arguments.id, safe='')}/revoke", {}, lambda _: f"{arguments.id} is revoked."
    )


def login_link(arguments: Namespace) -> int:
    return _post(
        arguments, "/local/login-links", _given(arguments, "email", "workspace"), lambda link: str(link["url"])
    )


def rotate_secrets(arguments: Namespace) -> int:
    return _post(arguments, "/local/secrets/rotate", {})


def migrate(arguments: Namespace) -> int:
    """An owner brings the database up to date before it answers, so that reaching one is all there is to do."""
    with operator(arguments) as api:
        status = api.data("GET", "/local/status")
    show(status, as_json=arguments.json, text="The database is up to date.")
    return 0


def verify_audit(arguments: Namespace) -> int:
    with operator(arguments) as api:
        verdict = api.data("POST", "/local/audit/verify", {})
    show(verdict, as_json=arguments.json, text=None if not verdict["ok"] else "Every row is there and unchanged.")
    return 0 if verdict["ok"] else ERROR


def _post(arguments: Namespace, path: str, body: dict[str, Any], text: Any = None) -> int:
    with operator(arguments) as api:
        data = api.data("POST", path, body)
    show(data, as_json=arguments.json, text=text(data) if text else None)
    return 0


def _given(arguments: Namespace, *names: str) -> dict[str, Any]:
    return {name: value for name in names if (value := getattr(arguments, name)) is not None}
