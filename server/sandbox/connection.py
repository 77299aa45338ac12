"""What can happen to a connection beneath any API: it stalls, breaks, or a proxy answers in its own words."""

from starlette.responses import HTMLResponse
from starlette.types import Send

BAD_GATEWAY = HTMLResponse(
    "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head>"
    "<body><h1>502 Bad Gateway</h1><p>The upstream server did not answer.</p></body></html>",
    502,
)


async def cut(send: Send) -> None:
    """Promise more bytes than are sent: the server can then only close, and the client sees a broken connection.

    Raising instead would make servers answer a tidy 500.
    """
    headers = [(b"content-type", b"application/json"), (b"content-length", b"64")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"{", "more_body": True})
