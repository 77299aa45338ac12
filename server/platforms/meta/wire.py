"""One call on its way to Graph: what it carries, and what keeps its secrets out of logs and exceptions."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from server.platforms.exchange import Effect, Hidden, masked
from tools.secret import Secret

BATCH = ""
"""The path of several calls in one: Graph's root."""


@dataclass(frozen=True, slots=True)
class Call:
    method: str
    path: str
    params: Mapping[str, str]
    effect: Effect
    connection_id: str
    token: Secret
    secret_params: Mapping[str, Secret]

    def secrets(self) -> dict[str, str]:
        return {name: value.reveal() for name, value in self.secret_params.items()}

    @property
    def hidden(self) -> Hidden:
        """The secrets of a POST are in its body already."""
        bearer = Secret(f"Bearer {self.token.reveal()}")
        return Hidden({"Authorization": bearer}, self.secret_params if self.method == "GET" else {})

    def clean(self, content: bytes) -> bytes:
        """An answer without this call's secrets: Graph repeats them in the links to further pages and in complaints."""
        return masked(content, (self.token, *self.secret_params.values()))


def proof(app_secret: Secret, token: Secret) -> Secret:
    """Meta's appsecret_proof: HMAC-SHA256 of the token under the app's secret, in hex."""
    return Secret(hmac.new(app_secret.reveal().encode(), token.reveal().encode(), hashlib.sha256).hexdigest())


def json_param(value: object) -> str:
    """Lists and objects travel as JSON inside one parameter."""
    return orjson.dumps(value).decode()
