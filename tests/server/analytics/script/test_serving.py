"""How the script is served, and that what is served is what was written."""

import gzip
import os
import subprocess
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from server.analytics.script.serving import SCRIPT, script_routes

INSTALLED = Path(os.environ.get("ADWRIGHT_TEST_CONFORMANCE") or Path(__file__).parents[4] / ".dev" / "node")
TERSER = INSTALLED / "node_modules" / ".bin" / "terser"


def test_the_short_address_is_looked_at_again_and_the_long_one_never_changes() -> None:
    with TestClient(Starlette(routes=script_routes())) as client:
        soon = client.get("/js/p.js")
        known = client.get("/js/p.js", headers={"if-none-match": soon.headers["etag"]})
        tag = soon.headers["etag"].strip('"')
        for_ever = client.get(f"/js/p.{tag}.js")

    assert (soon.status_code, known.status_code, known.content) == (200, 304, b"")
    assert soon.headers["access-control-allow-origin"] == "*"
    assert soon.headers["content-type"].startswith("text/javascript")
    assert "max-age=3600" in soon.headers["cache-control"]
    assert "immutable" in for_ever.headers["cache-control"]
    assert soon.content == for_ever.content == SCRIPT.read_bytes()


def test_it_weighs_no_more_than_two_kilobytes() -> None:
    assert len(gzip.compress(SCRIPT.read_bytes(), 9)) <= 2000


@pytest.mark.skipif(not TERSER.exists(), reason="no terser: ./dev script installs it")
def test_it_is_the_source_minified() -> None:
    source = SCRIPT.with_name("tracker.js")
    made = subprocess.run([TERSER, source, "--compress", "--mangle"], capture_output=True, check=True, timeout=60)
    assert made.stdout.strip() == SCRIPT.read_bytes().strip()
