"""Which store a process speaks to, by its settings and by what the embedded owner announced."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from server.analytics.access import Announced, embedded, pipes_of
from server.settings import Settings
from tools.errors import InvalidRequest, Unavailable
from tools.store.sealing import generate_key

TINYBIRD = {"TINYBIRD_HOST": "https://api.tinybird.co", "TINYBIRD_ADMIN_TOKEN": "p.x", "TINYBIRD_WORKSPACE_ID": "w"}


@pytest.mark.parametrize(
    ("known", "wanted"),
    [
        ({}, True),
        ({"ADWRIGHT_ANALYTICS": "on"}, True),
        ({"ADWRIGHT_ANALYTICS": "off"}, False),
        ({"CLICKHOUSE_URL": "http://ch:8123/ads"}, True),
        ({"CLICKHOUSE_URL": "http://ch:8123/ads", "ADWRIGHT_ANALYTICS": "off"}, False),
        (TINYBIRD, False),
        (TINYBIRD | {"ADWRIGHT_ANALYTICS": "on"}, False),
    ],
)
def test_an_owner_runs_a_store_unless_there_is_another_or_it_shall_not(known: Mapping[str, str], wanted: bool) -> None:
    assert embedded(known) is wanted


def settings(directory: Path, **known: str) -> Settings:
    return Settings.read(directory, {"ENCRYPTION_KEYS": generate_key("k1"), **known})


def test_without_a_store_there_is_no_client(tmp_path: Path) -> None:
    assert pipes_of(settings(tmp_path, ADWRIGHT_ANALYTICS="off")) is None


@pytest.mark.parametrize("missing", ["TINYBIRD_ADMIN_TOKEN", "TINYBIRD_WORKSPACE_ID"])
def test_half_a_tinybird_is_refused(tmp_path: Path, missing: str) -> None:
    with pytest.raises(InvalidRequest, match=missing):
        pipes_of(settings(tmp_path, **{name: value for name, value in TINYBIRD.items() if name != missing}))


async def test_tokens_are_used_where_the_store_is_or_on_our_own_origin(tmp_path: Path) -> None:
    there = pipes_of(settings(tmp_path, **TINYBIRD))
    here = pipes_of(settings(tmp_path, ADWRIGHT_ANALYTICS="on", PUBLIC_URL="https://ads.example.com"))

    assert there is not None
    assert here is not None
    assert (there.url, here.url) == ("https://api.tinybird.co", "https://ads.example.com")
    for client in (there, here):
        await client.aclose()


def test_the_embedded_store_is_found_again_wherever_it_came_back(tmp_path: Path) -> None:
    find, file = Announced(tmp_path), tmp_path / "analytics.json"
    with pytest.raises(Unavailable):
        find()

    def announce(url: str) -> None:
        beside = tmp_path / "new"
        beside.write_text(json.dumps({"url": url, "admin_token": "p.x", "workspace_id": "w"}), encoding="utf-8")
        Path(beside).replace(file)

    announce("http://127.0.0.1:1")
    assert find().url == "http://127.0.0.1:1"
    announce("http://127.0.0.1:2")
    assert (find().url, find().admin_token.reveal(), find().workspace_id) == ("http://127.0.0.1:2", "p.x", "w")
    file.unlink()
    with pytest.raises(Unavailable):
        find()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"url": "http://127.0.0.1:1"}'])
def test_a_file_that_is_cut_short_is_no_store(tmp_path: Path, content: str) -> None:
    (tmp_path / "analytics.json").write_text(content, encoding="utf-8")

    with pytest.raises(Unavailable):
        Announced(tmp_path)()
