"""The composed application: what its paths answer besides what is written at them."""

from pathlib import Path

import pytest

from tests.app import open_product


@pytest.mark.parametrize(("path", "status"), [("/mcp/", 401), ("/approvals/", 404), ("/mcp/readonly/", 401)])
async def test_nothing_is_redirected_to_the_host_a_request_names(tmp_path: Path, path: str, status: int) -> None:
    async with open_product(tmp_path) as product:
        nobody = product.client()

        answer = await nobody.post(path, json={}) if path.startswith("/mcp") else await nobody.get(path)

    assert (answer.status_code, answer.headers.get("location")) == (status, None)
