"""The official conformance suite, every scenario each revision requires, against our transport."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from server.mcp_endpoint.transport import Transport
from tests.conformance.fixtures import build
from tests.server.mcp_endpoint.kit import principal
from tests.server.mcp_endpoint.serving import served
from tools.authority import Principal

INSTALLED = Path(os.environ.get("ADWRIGHT_TEST_CONFORMANCE") or Path(__file__).parents[2] / ".dev" / "node")
NODE = INSTALLED / "node_modules" / "node" / "bin" / "node"
SUITE = INSTALLED / "node_modules" / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"


async def anyone(scope: Any, *, face: str) -> Principal:  # noqa: ARG001 - the suite sends no credential
    return principal()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")  # logging, sampling: still judged
@pytest.mark.parametrize("revision", ["2026-07-28", "2025-11-25"])
async def test_every_scenario_the_revision_requires_passes(revision: str, tmp_path: Path) -> None:
    if not (NODE.exists() and SUITE.exists()):
        pytest.skip(f"no conformance suite in {INSTALLED}; .ci/run says how it is installed")
    transport = Transport(build(), anyone, public_url="http://127.0.0.1")

    async with transport.run(), served(transport) as url:
        suite = await asyncio.create_subprocess_exec(
            *(NODE, SUITE, "server", "--url", f"{url}/mcp", "--requirements", revision, "--output-dir", tmp_path),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        told, _ = await asyncio.wait_for(suite.communicate(), timeout=240)

    summary = told.decode().rpartition("=== SUMMARY ===")[2]
    assert suite.returncode == 0, summary
    assert "✓ tools-list" in summary, summary
