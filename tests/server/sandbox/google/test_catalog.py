"""The field service tells what may be asked for."""

import pytest

from server.sandbox.google.fields import FIELDS
from tests.server.sandbox.ads_client import AdsClient, Json

PATH = "googleAdsFields:search"


def found(ads: AdsClient, query: str) -> list[Json]:
    results: list[Json] = ads.call(PATH, {"query": query}).get("results", [])
    return results


def test_a_field_is_described(ads: AdsClient) -> None:
    query = "SELECT name, category, data_type, selectable, enum_values, is_repeated WHERE name = 'campaign.status'"

    assert found(ads, query) == [
        {
            "resourceName": "googleAdsFields/campaign.status",
            "name": "campaign.status",
            "category": "ATTRIBUTE",
            "dataType": "ENUM",
            "selectable": True,
            "enumValues": ["ENABLED", "PAUSED", "REMOVED"],
        }
    ]


@pytest.mark.parametrize(
    ("condition", "number"),
    [
        ("name LIKE 'segments.%'", sum(name.startswith("segments.") for name in FIELDS)),
        ("category = 'METRIC'", sum(name.startswith("metrics.") for name in FIELDS)),
        ("name IN ('metrics.clicks', 'metrics.nothing')", 1),
        ("name LIKE 'campaign.%' AND data_type != 'ENUM' LIMIT 3", 3),
        ("name = 'nothing'", 0),
    ],
)
def test_conditions_choose_fields(ads: AdsClient, condition: str, number: int) -> None:
    assert len(found(ads, f"SELECT name WHERE {condition}")) == number


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("SELECT name FROM google_ads_field", "UNEXPECTED_FROM_CLAUSE"),
        ("SELECT words", "UNRECOGNIZED_FIELD"),
        ("SELECT name WHERE name > 'a'", "BAD_OPERATOR"),
    ],
)
def test_a_bad_query_is_refused(ads: AdsClient, query: str, code: str) -> None:
    assert ads.refused(PATH, {"query": query}) == [f"queryError.{code}"]
