"""Countries of addresses, from the embedded database."""

import lzma
from pathlib import Path

import pytest

from server.analytics.ingest.countries import EMBEDDED, Countries
from tests.server.analytics.ingest.rig import COUNTRIES


@pytest.fixture(autouse=True)
def loaded() -> None:
    COUNTRIES.load()


@pytest.mark.parametrize(
    ("address", "country"),
    [
        ("81.2.69.142", "GB"), ("89.160.20.112", "SE"), ("200.160.2.3", "BR"), ("2a02:2e0::1", "DE"),
        ("::ffff:81.2.69.142", "GB"), ("127.0.0.1", ""), ("10.0.0.1", ""), ("fe80::1", ""), ("", ""),
        ("81.2.69", ""), ("81.2.69.142; DROP TABLE", ""),
    ],
)  # fmt: skip
def test_the_country_of_an_address(address: str, country: str) -> None:
    assert COUNTRIES.of(address) == country


def test_another_database_can_take_its_place(tmp_path: Path) -> None:
    path = tmp_path / "mine.mmdb"
    path.write_bytes(lzma.decompress(EMBEDDED.read_bytes()))
    countries = Countries(path)
    countries.load()

    assert countries.of("81.2.69.142") == "GB"
