"""JSON answers of the wire, never to be kept by anyone between."""

from typing import Any

import orjson
from starlette.responses import Response


def json_answer(body: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(body), status, {"cache-control": "no-store"}, media_type="application/json")
