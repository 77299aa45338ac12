"""The stand-in under the eyes of its judge: no answer of any test here escapes the platform's protos."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from server.sandbox.app import create_app
from tests.server.sandbox.ads_client import AdsClient
from tests.server.sandbox.conftest import Clock
from tests.server.sandbox.google.judge import Judged


@pytest.fixture
def ads(clock: Clock) -> Iterator[AdsClient]:
    with TestClient(Judged(create_app(now=clock))) as http:
        yield AdsClient(http)
