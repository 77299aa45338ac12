"""One call on its way to Graph: what it carries, and what keeps its secrets out of logs and exceptions."""

import hashlib
import hmac
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

import httpx2
import orjson

from server.platforms.meta.errors import Effect
from tools.secret import MASK, Secret

BATCH = ""
"""The path of several calls in one: Graph's root."""

SHORTEST_SECRET = 8
"""What is shorter is a typing error, no credential; masking every 0 of an answer would leave no JSON."""


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

    def clean(self, content: bytes) -> bytes:
        """An answer without this call's secrets: Graph repeats them in the links to further pages and in complaints."""
        for secret in (self.token, *self.secret_params.values()):
            if len(text := secret.reveal()) >= SHORTEST_SECRET:
                for spelt in (text, quote(text, safe="")):
                    content = content.replace(spelt.encode(), MASK.encode())
        return content


class SecretsLast(httpx2.AsyncBaseTransport):
    """Adds the token and secret parameters below the layer that logs URLs and hangs requests on exceptions."""

    def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        call: Call = request.extensions["call"]
        secrets = call.secrets() if call.method == "GET" else {}
        return await self._inner.handle_async_request(
            httpx2.Request(
                request.method,
                request.url.copy_merge_params(secrets) if secrets else request.url,
                headers=[*request.headers.multi_items(), ("Authorization", f"Bearer {call.token.reveal()}")],
                stream=request.stream,
                extensions=request.extensions,
            )
        )

    async def aclose(self) -> None:
        await self._inner.aclose()


def proof(app_secret: Secret, token: Secret) -> Secret:
    """Meta's appsecret_proof: HMAC-SHA256 of the token under the app's secret, in hex."""
    return Secret(hmac.new(app_secret.reveal().encode(), token.reveal().encode(), hashlib.sha256).hexdigest())


def proxy_for(graph_url: str) -> str | None:
    """The environment's proxy for this host, which a client with a transport of its own no longer looks up."""
    url = httpx2.URL(graph_url)
    return None if urllib.request.proxy_bypass(url.host) else urllib.request.getproxies().get(url.scheme)


def json_param(value: object) -> str:
    """Lists and objects travel as JSON inside one parameter."""
    return orjson.dumps(value).decode()
