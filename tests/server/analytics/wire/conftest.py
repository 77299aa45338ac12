"""A small project of nobody's, deployed in a database of the test's own, behind the wire."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx2
import jwt
import orjson
import pytest

from server.analytics.chdb.engine import ChdbEngine
from server.analytics.datafiles.loading import load
from server.analytics.datafiles.model import Project
from server.analytics.deployment import Deployed
from server.analytics.engine import Limits
from server.analytics.wire.app import create_app
from server.analytics.wire.rates import Rates
from server.analytics.wire.tokens import Identity

IDENTITY = Identity("9a1d7e4e-0000-4000-8000-000000000001", "p.admin-token-of-forty-characters-or-more-0123")
FILES = {
    "datasources/hits.datasource": """
DESCRIPTION Hits of a page
TOKEN "tracker" APPEND
SCHEMA >
    `tenant` String `json:$.tenant`,
    `path` String `json:$.path`,
    `n` Int32 `json:$.n` DEFAULT 1
ENGINE "MergeTree"
ENGINE_SORTING_KEY "tenant"
""",
    "datasources/copied.datasource": """
SCHEMA >
    `n` Int64
ENGINE "MergeTree"
ENGINE_SORTING_KEY "n"
""",
    "pipes/p_hits.pipe": """
DESCRIPTION Hits by page
TOKEN "dashboard" READ
NODE all_of_them
SQL >
    %
    SELECT path, sum(n) AS n FROM hits
    WHERE tenant = {{String(tenant, description='whose', required=True)}} GROUP BY path
NODE answer
SQL >
    %
    SELECT * FROM all_of_them
    WHERE {{ 'path' }} != '' {% if defined(path) %} AND path = {{String(path)}} {% end %}
    ORDER BY path LIMIT {{Int32(limit, 100)}}
TYPE endpoint
""",
    "pipes/p_in.pipe": """
NODE answer
SQL >
    %
    SELECT sum(n) AS n FROM hits WHERE tenant = {{String(tenant)}} AND path IN {{Array(paths, 'String')}}
TYPE endpoint
""",
    "pipes/p_refuses.pipe": """
NODE answer
SQL >
    % SELECT
    {% if defined(hard) %} {{ custom_error({'error': 'never', 'code': 7}, 418) }}
    {% else %} {{ error('not so') }} {% end %}
TYPE endpoint
""",
    "pipes/p_prometheus.pipe": """
NODE answer
SQL >
    SELECT 'hits' AS name, toFloat64(sum(n)) AS value, 'Hits' AS help, 'counter' AS type FROM hits
    WHERE tenant != 'elsewhere'
TYPE endpoint
""",
    "pipes/p_endless.pipe": """
NODE answer
SQL >
    SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1
TYPE endpoint
""",
    "pipes/lib.pipe": """
NODE answer
SQL >
    SELECT 1 AS one
""",
    "pipes/c_hits.pipe": """
NODE answer
SQL >
    SELECT toInt64(sum(n)) AS n FROM hits
TYPE copy
TARGET_DATASOURCE copied
COPY_MODE replace
""",
}
ROWS = [{"tenant": "ours", "path": "/a", "n": 2}, {"tenant": "ours", "path": "/b"}, {"tenant": "theirs", "path": "/x"}]


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Project:
    directory = tmp_path_factory.mktemp("small")
    for name, text in FILES.items():
        (directory / name).parent.mkdir(exist_ok=True)
        (directory / name).write_text(text, encoding="utf-8")
    return load(directory)


@pytest.fixture
async def store(small: Project, engine: ChdbEngine, database: str) -> Deployed:
    return await Deployed.open(small, engine, database=database)


@pytest.fixture(scope="session")
def shared(small: Project, engine: ChdbEngine) -> Deployed:
    """With ROWS in it, for tests that change nothing of them."""

    async def opened() -> Deployed:
        deployed = await Deployed.open(small, engine, database="shared")
        await deployed.append("hits", b"\n".join(map(orjson.dumps, ROWS)))
        return deployed

    return asyncio.run(opened())


@contextlib.asynccontextmanager
async def wire_of(deployed: Deployed) -> AsyncIterator[httpx2.AsyncClient]:
    """For whoever is anonymous. No second ever ends."""
    app = create_app(deployed, IDENTITY, rates=Rates(lambda: 1.0), limits=Limits(seconds=0.5))
    transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://store") as client:
        yield client


@pytest.fixture
async def wire(store: Deployed) -> AsyncIterator[httpx2.AsyncClient]:
    """Of a store that is the test's own, and empty."""
    async with wire_of(store) as client:
        yield client


@pytest.fixture
async def filled(shared: Deployed) -> AsyncIterator[httpx2.AsyncClient]:
    async with wire_of(shared) as client:
        yield client


@pytest.fixture
def admin() -> dict[str, str]:
    return {"authorization": f"Bearer {IDENTITY.admin_token}"}


def signed(
    resource: str = "p_hits",
    fixed: Mapping[str, Any] | None = None,
    *,
    kind: str = "PIPES:READ",
    key: str = IDENTITY.admin_token,
    lasts: int = 60,
    **claims: Any,
) -> str:
    """A token as a product's backend would sign it."""
    scope = {"type": kind, "resource": resource, "fixed_params": dict(fixed or {})}
    told = {"workspace_id": IDENTITY.workspace_id, "name": "n", "exp": int(time.time()) + lasts, "scopes": [scope]}
    return jwt.encode(told | claims, key, algorithm="HS256")
