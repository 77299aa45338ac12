"""Every field that a query may name exists in v26, with the type and the words it has there."""

from typing import Any

import pytest
from google.ads.googleads.v26.services.types import google_ads_service
from google.protobuf.descriptor import FieldDescriptor

from server.sandbox.google.fields import FIELDS, GOES_WITH, Field, Type
from tests.server.sandbox.ads_client import JP, MANAGER, US, AdsClient

PROTO_TYPES = {
    Type.STRING: FieldDescriptor.TYPE_STRING,
    Type.RESOURCE_NAME: FieldDescriptor.TYPE_STRING,
    Type.DATE: FieldDescriptor.TYPE_STRING,
    Type.INT64: FieldDescriptor.TYPE_INT64,
    Type.INT32: FieldDescriptor.TYPE_INT32,
    Type.DOUBLE: FieldDescriptor.TYPE_DOUBLE,
    Type.BOOLEAN: FieldDescriptor.TYPE_BOOL,
    Type.ENUM: FieldDescriptor.TYPE_ENUM,
}


def descriptor(field: Field) -> Any:
    """The proto's field at the same path, or None; paths are compared as JSON has them."""
    message: Any = google_ads_service.GoogleAdsRow.pb().DESCRIPTOR
    found = None
    for part in field.json_path:
        found = next((each for each in message.fields if each.json_name == part), None) if message else None
        message = found.message_type if found is not None else None
    return found


@pytest.mark.parametrize("field", FIELDS.values(), ids=FIELDS)
def test_a_field_is_one_of_the_platforms(field: Field) -> None:
    found = descriptor(field)

    assert found is not None
    assert found.type == PROTO_TYPES[field.type]
    words = [each.name for each in found.enum_type.values][2:] if found.enum_type else []
    assert list(field.words) == words


@pytest.mark.parametrize("name", ["campaign.start_date", "metrics.cost", "campaigns.id", "segments.date.day"])
def test_a_field_that_the_platform_lacks_is_noticed(name: str) -> None:
    assert descriptor(Field(name, Type.STRING, lambda _: None)) is None


@pytest.mark.parametrize("resource", GOES_WITH)
def test_every_field_can_be_asked_for_and_its_answer_parses(ads: AdsClient, resource: str) -> None:
    names = [name for name, field in FIELDS.items() if field.resource in GOES_WITH[resource]]
    customer = MANAGER if resource == "customer_client" else JP
    dated = " WHERE segments.date DURING LAST_7_DAYS" if "segments" in GOES_WITH[resource] else ""

    rows = ads.rows(customer, f"SELECT {', '.join(names)} FROM {resource}{dated}")  # noqa: S608  # GAQL, of our own words

    assert rows


def test_values_are_written_by_their_types_and_defaults_left_out(ads: AdsClient) -> None:
    query = (
        "SELECT campaign.id, campaign.end_date_time, campaign_budget.explicitly_shared, campaign_budget.amount_micros, "
        "customer.manager, metrics.clicks, metrics.ctr, segments.year FROM campaign "
        "WHERE campaign.name = 'Generic | Hiking boots' AND segments.date DURING LAST_7_DAYS"
    )
    (row,) = ads.rows(US, query)

    assert row["campaign"].keys() == {"resourceName", "id"}
    assert row["campaignBudget"].keys() == {"resourceName", "amountMicros"}
    assert row["customer"].keys() == {"resourceName"}
    assert isinstance(row["campaignBudget"]["amountMicros"], str)
    assert isinstance(row["metrics"]["clicks"], str)
    assert 0 < row["metrics"]["ctr"] < 1
    assert row["segments"] == {"year": 2026}
