"""The Messages API of a sandbox whose clock stands still."""

import pytest
from starlette.testclient import TestClient

from server.sandbox.app import create_app
from tests.server.sandbox.anthropic.api import Api
from tests.server.sandbox.conftest import Clock


@pytest.fixture
def api(clock: Clock) -> Api:
    return Api(TestClient(create_app(now=clock)))
