"""/v0/datasources: which there are, and of what columns."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from server.analytics.datafiles.model import Datasource, Project
from server.analytics.wire.answers import json_answer
from server.analytics.wire.received import token_of
from server.analytics.wire.refusals import missing
from server.analytics.wire.tokens import ScopeType, Token, Tokens, id_of


class Datasources:
    def __init__(self, project: Project, tokens: Tokens) -> None:
        self._project, self._tokens = project, tokens

    async def listed(self, request: Request) -> Response:
        """All for the admin, else those that the token reads or appends to."""
        token = self._tokens.authenticate(token_of(request))
        seen = [each for each in self._project.datasources.values() if _sees(token, each.name)]
        return json_answer({"datasources": [_shown(each) for each in seen]})

    async def one(self, request: Request) -> Response:
        token, name = self._tokens.authenticate(token_of(request)), str(request.path_params["name"])
        if not _sees(token, name):
            token.fixed_for(ScopeType.DATASOURCES_READ, name)
        if name not in self._project.datasources:
            raise missing("Data Source", name)
        return json_answer(_shown(self._project.datasources[name]))


def _sees(token: Token, name: str) -> bool:
    kinds = (ScopeType.DATASOURCES_READ, ScopeType.DATASOURCES_APPEND)
    return token.admin or any(token.scope(kind, name) for kind in kinds)


def _shown(source: Datasource) -> dict[str, Any]:
    columns = [
        {
            "name": column.name,
            "type": column.type,
            "jsonpath": column.path,
            "default_value": column.default,
            "codec": column.codec,
            "nullable": column.type.startswith("Nullable("),
        }
        for column in source.columns
    ]
    engine = {"engine": source.engine.name} | {f"engine_{name}": text for name, text in source.engine.options.items()}
    return {
        "id": id_of(source.name),
        "name": source.name,
        "description": source.description,
        "columns": columns,
        "engine": engine,
        "type": "ndjson",
    }
