"""What a body may hold is what the messages of v26 hold, and the rest is refused in the words of the API's front."""

from typing import Any

import pytest
from google.ads.googleads.v26.resources.types import campaign, campaign_budget
from google.ads.googleads.v26.services.types import (
    campaign_budget_service,
    campaign_service,
    google_ads_service,
)
from google.protobuf.descriptor import FieldDescriptor

from server.sandbox.google import schema
from server.sandbox.google.mutate import METHODS
from tests.server.sandbox.ads_client import US, AdsClient, new_budget

PROTO_TYPES: dict[Any, int] = {
    schema.string: FieldDescriptor.TYPE_STRING,
    schema.boolean: FieldDescriptor.TYPE_BOOL,
    schema.double: FieldDescriptor.TYPE_DOUBLE,
    schema.int32: FieldDescriptor.TYPE_INT32,
    schema.int64: FieldDescriptor.TYPE_INT64,
    schema.field_mask: FieldDescriptor.TYPE_MESSAGE,
}


def differences(message: schema.Message, descriptor: Any, place: str = "") -> list[str]:
    """Where a message of the sandbox is not part of the platform's."""
    known = {field.json_name: field for field in descriptor.fields}
    found = []
    for name, reader in message.fields.items():
        field, path = known.get(name), f"{place}.{name}"
        if isinstance(reader, schema.Repeated):
            reader = reader.item
        if field is None:
            found.append(f"{path} does not exist")
        elif isinstance(reader, schema.Message):
            found += differences(reader, field.message_type, path)
        elif isinstance(reader, schema.Enum):
            words = [each.name for each in field.enum_type.values if each.name not in {"UNSPECIFIED", "UNKNOWN"}]
            if list(reader.words) != words:
                found.append(f"{path} has other words")
        elif field.type != PROTO_TYPES[reader]:
            found.append(f"{path} has another type")
    return found


@pytest.mark.parametrize(
    ("message", "proto"),
    [
        (schema.CAMPAIGN, campaign.Campaign),
        (schema.BUDGET, campaign_budget.CampaignBudget),
        (schema.SEARCH_REQUEST, google_ads_service.SearchGoogleAdsRequest),
        (schema.STREAM_REQUEST, google_ads_service.SearchGoogleAdsStreamRequest),
        (METHODS["googleAds"].message, google_ads_service.MutateGoogleAdsRequest),
        (METHODS["campaigns"].message, campaign_service.MutateCampaignsRequest),
        (METHODS["campaignBudgets"].message, campaign_budget_service.MutateCampaignBudgetsRequest),
    ],
)
def test_a_message_is_part_of_the_platforms(message: schema.Message, proto: Any) -> None:
    assert differences(message, proto.pb().DESCRIPTOR) == []


def test_a_message_that_is_not_is_noticed() -> None:
    wrong = schema.Message({"startDate": schema.string, "id": schema.string, "status": schema.Enum("S", ["ARCHIVED"])})

    assert differences(wrong, campaign.Campaign.pb().DESCRIPTOR) == [
        ".startDate does not exist", ".id has another type", ".status has other words",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"startDate": "2026-12-01"}, "Unknown name \"startDate\" at 'operations[0].create': Cannot find field."),
        ({"status": "ARCHIVED"}, "Invalid value at 'operations[0].create.status'"),
        ({"status": {}}, "Invalid value at 'operations[0].create.status'"),
        ({"status": ["PAUSED"]}, "Invalid value at 'operations[0].create.status'"),
        ({"name": 7}, "Invalid value at 'operations[0].create.name' (TYPE_STRING), 7"),
        (
            {"networkSettings": {"targetGoogleSearch": "yes"}},
            "create.network_settings.target_google_search' (TYPE_BOOL)",
        ),
        ({"manualCpc": {}, "targetSpend": {}}, "oneof field 'campaign_bidding_strategy' is already set."),
        ({"id": "1.5"}, "Invalid value at 'operations[0].create.id' (TYPE_INT64)"),
        ({"id": 2**63}, "(TYPE_INT64)"),
        ({"manualCpc": []}, "Invalid value at 'operations[0].create.manual_cpc'"),
    ],
)
def test_a_body_that_does_not_fit_is_invalid_json_payload(
    ads: AdsClient, fields: dict[str, Any], complaint: str
) -> None:
    answer = ads.send(f"customers/{US}/campaigns:mutate", {"operations": [{"create": fields}]})

    error = answer.json()["error"]
    assert (answer.status_code, error["status"]) == (400, "INVALID_ARGUMENT")
    assert complaint in error["message"]
    assert error["details"][0]["fieldViolations"][0]["description"] == error["message"]


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ({"operationz": []}, 'Unknown name "operationz": Cannot find field.'),
        ({"operations": {}}, "Invalid value at 'operations'"),
        ({"operations": [7]}, "Invalid value at 'operations[0]'"),
        ({"partialFailure": 1}, "Invalid value at 'partial_failure' (TYPE_BOOL), 1"),
        ({"operations": [{"updateMask": "amount_micros", "update": {}}]}, "google.protobuf.FieldMask"),
        ({"operations": [{"updateMask": ["name"], "update": {}}]}, "google.protobuf.FieldMask"),
        ({"operations": [{"create": {}, "remove": "x"}]}, "oneof field 'operation' is already set."),
    ],
)
def test_a_request_that_does_not_fit_is_refused_at_its_place(
    ads: AdsClient, body: dict[str, Any], complaint: str
) -> None:
    answer = ads.send(f"customers/{US}/campaigns:mutate", body)

    assert answer.status_code == 400
    assert complaint in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("content", "kind"), [(b"{", "application/json"), (b"[]", "application/json"), (b"{}", "text/plain")]
)
def test_a_body_that_is_no_json_object_is_refused(ads: AdsClient, content: bytes, kind: str) -> None:
    ads.sign_in()
    headers = {"authorization": f"Bearer {ads.token}", "content-type": kind}

    answer = ads.http.post(f"/google/v26/customers/{US}/campaigns:mutate", content=content, headers=headers)

    assert answer.status_code == 400
    assert answer.json()["error"]["details"][0]["@type"] == "type.googleapis.com/google.rpc.BadRequest"


def test_null_is_absent_and_protos_own_names_are_taken_too(ads: AdsClient) -> None:
    budget = {"amount_micros": "50000000", "explicitly_shared": False, "delivery_method": None}

    made = ads.mutate(US, "campaignBudgets", {"create": budget}, responseContentType="MUTABLE_RESOURCE")

    assert made["results"][0]["campaignBudget"]["amountMicros"] == "50000000"


def test_an_int64_may_come_as_a_number(ads: AdsClient) -> None:
    ads.mutate(US, "campaignBudgets", {"create": new_budget(amountMicros=50_000_000)})

    (write,) = ads.writes()
    assert write["params"]["operations"][0]["create"]["amountMicros"] == 50_000_000


def test_an_enum_that_is_unspecified_is_absent_and_an_unknown_one_is_refused(ads: AdsClient) -> None:
    created = ads.create(status="UNSPECIFIED")

    assert ads.read(created, "campaign.status")["campaign"]["status"] == "ENABLED"
    assert ads.mutate_refused(US, "campaigns", {"create": {"status": "UNKNOWN"}}) == ["requestError.INVALID_ENUM_VALUE"]
