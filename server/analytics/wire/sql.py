"""/v0/sql: a question of the admin's own, about pipes and datasources by their names."""

import re
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response

from server.analytics.deployment import Deployed
from server.analytics.engine import Format, Limits
from server.analytics.leaving import while_wanted
from server.analytics.wire.pipes import MEDIA
from server.analytics.wire.received import FORM, body_of, token_of
from server.analytics.wire.refusals import Refusal
from server.analytics.wire.tokens import Tokens

MOST_BYTES = 1024 * 1024
_FORMAT = re.compile(r"\sFORMAT\s+(\w+)\s*;?\s*\Z", re.IGNORECASE)
_BY_NAME = {str(each).lower(): each for each in Format}


class Sql:
    def __init__(self, deployed: Deployed, tokens: Tokens, limits: Limits) -> None:
        self._deployed, self._tokens, self._limits = deployed, tokens, limits

    async def answer(self, request: Request) -> Response:
        """Only reads; JSON unless the statement ends in another FORMAT."""
        self._tokens.authenticate(token_of(request)).as_admin()
        statement = (await _statement(request)).strip()
        if not statement:
            raise Refusal(400, "The parameter 'q' is missing: the SQL to run")
        output = Format.JSON
        if (found := _FORMAT.search(statement)) is not None:
            asked = _BY_NAME.get(found[1].lower())
            if asked is None:
                raise Refusal(400, f"There is no format '{found[1]}' here: one of {', '.join(Format)}")
            statement, output = statement[: found.start()], asked
        rows = await while_wanted(request.receive, self._deployed.sql(statement, output=output, limits=self._limits))
        return Response(rows, 200, {"cache-control": "no-store"}, media_type=MEDIA[output])


async def _statement(request: Request) -> str:
    """As `q` in the query or in a form, else the body itself."""
    if (given := request.query_params.get("q")) is not None or request.method == "GET":
        return given or ""
    body = await body_of(request, MOST_BYTES)
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise Refusal(400, "The SQL is not UTF-8") from None
    if request.headers.get("content-type", FORM).partition(";")[0].strip().lower() == FORM:
        return parse_qs(text, keep_blank_values=True).get("q", [text])[-1]
    return text
