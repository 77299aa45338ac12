"""Strict reading of JSON into the messages of v26: an unknown name, a wrong type or a second choice is refused.

What is read comes back in canonical JSON: names in camelCase, int64 as strings, nothing that was null or UNSPECIFIED.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from server.sandbox.google import enums, errors

Fields = dict[str, object]
Reader = Callable[[object, str], object]
"""Checks one value found at a place of the body."""

_TYPE = f"type.googleapis.com/google.ads.googleads.{errors.VERSION}"
_INT64 = re.compile(r"-?\d{1,19}")
_MASK = re.compile(r"[a-z][a-zA-Z0-9]*(\.[a-z][a-zA-Z0-9]*)*")


def snake(name: str) -> str:
    return re.sub(r"([A-Z])", lambda found: "_" + found[1].lower(), name)


def camel(name: str) -> str:
    return re.sub(r"_([a-z0-9])", lambda found: found[1].upper(), name)


def string(raw: object, place: str) -> str:
    if not isinstance(raw, str):
        raise errors.invalid_value(place, "TYPE_STRING", raw)
    return raw


def boolean(raw: object, place: str) -> bool:
    if not isinstance(raw, bool):
        raise errors.invalid_value(place, "TYPE_BOOL", raw)
    return raw


def double(raw: object, place: str) -> float:
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        raise errors.invalid_value(place, "TYPE_DOUBLE", raw)
    return float(raw)


def int32(raw: object, place: str) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int) or abs(raw) >= 2**31:
        raise errors.invalid_value(place, "TYPE_INT32", raw)
    return raw


def int64(raw: object, place: str) -> str:
    text = str(raw) if isinstance(raw, int) and not isinstance(raw, bool) else raw
    if not isinstance(text, str) or not _INT64.fullmatch(text) or not -(2**63) <= int(text) < 2**63:
        raise errors.invalid_value(place, "TYPE_INT64", raw)
    return str(int(text))


def field_mask(raw: object, place: str) -> str:
    if not isinstance(raw, str) or not all(_MASK.fullmatch(path) for path in raw.split(",") if raw):
        raise errors.invalid_value(place, "type.googleapis.com/google.protobuf.FieldMask", raw)
    return raw


@dataclass(frozen=True)
class Enum:
    type_name: str
    """Such as `CampaignStatus`; the enum stands inside a message of that name and `Enum`."""
    words: Collection[str]

    def __call__(self, raw: object, place: str) -> str:
        if raw == "UNKNOWN":
            raise errors.failure("requestError.INVALID_ENUM_VALUE", f"Invalid enum value at '{place}'.")
        if not isinstance(raw, str) or raw not in self.words:
            raise errors.invalid_value(place, f"{_TYPE}.enums.{self.type_name}Enum.{self.type_name}", raw)
        return raw


@dataclass(frozen=True)
class Repeated:
    item: Reader

    def __call__(self, raw: object, place: str) -> list[object]:
        if not isinstance(raw, list):
            raise errors.invalid_value(place, "repeated", raw)
        return [self.item(each, f"{place}[{index}]") for index, each in enumerate(raw)]


@dataclass(frozen=True)
class Message:
    fields: Mapping[str, Reader]
    oneof: tuple[str, Collection[str]] = ("", ())
    """The name of a choice, and the fields of which at most one may be given."""

    def __call__(self, raw: object, place: str) -> Fields:
        if not isinstance(raw, dict):
            raise errors.invalid_value(place, "message", raw)
        read: Fields = {}
        for given, value in raw.items():
            name = camel(given)
            if name not in self.fields:
                raise errors.unknown_name(given, place)
            if value is None or (value == "UNSPECIFIED" and isinstance(self.fields[name], Enum)):
                continue
            taken = next((each for each in self.oneof[1] if each in read), None)
            if name in self.oneof[1] and taken is not None:
                message = f"oneof field '{self.oneof[0]}' is already set. Cannot set '{name}'"
                raise errors.NotReadable(f"Invalid value at '{place}' (oneof), {message}", place)
            read[name] = self.fields[name](value, f"{place}.{snake(name)}" if place else snake(name))
        return read


BIDDING: Mapping[str, Message] = {
    "manualCpc": Message({"enhancedCpcEnabled": boolean}),
    "manualCpm": Message({}),
    "maximizeConversions": Message({
        "cpcBidCeilingMicros": int64, "cpcBidFloorMicros": int64, "targetCpaMicros": int64,
    }),
    "maximizeConversionValue": Message({
        "cpcBidCeilingMicros": int64, "cpcBidFloorMicros": int64, "targetRoas": double,
        "targetRoasTolerancePercentMillis": int64,
    }),
    "targetCpa": Message({"targetCpaMicros": int64, "cpcBidCeilingMicros": int64, "cpcBidFloorMicros": int64}),
    "targetRoas": Message({
        "targetRoas": double, "cpcBidCeilingMicros": int64, "cpcBidFloorMicros": int64,
        "targetRoasTolerancePercentMillis": int64,
    }),
    "targetSpend": Message({"targetSpendMicros": int64, "cpcBidCeilingMicros": int64}),
    "targetImpressionShare": Message({
        "location": Enum("TargetImpressionShareLocation", enums.IMPRESSION_SHARE_LOCATION),
        "locationFractionMicros": int64, "cpcBidCeilingMicros": int64,
    }),
}  # fmt: skip

CAMPAIGN = Message(
    {
        "resourceName": string,
        "id": int64,
        "name": string,
        "status": Enum("CampaignStatus", enums.CAMPAIGN_STATUS),
        "primaryStatus": Enum("CampaignPrimaryStatus", enums.PRIMARY_STATUS),
        "servingStatus": Enum("CampaignServingStatus", enums.SERVING_STATUS),
        "advertisingChannelType": Enum("AdvertisingChannelType", enums.CHANNEL_TYPE),
        "advertisingChannelSubType": Enum("AdvertisingChannelSubType", enums.CHANNEL_SUB_TYPE),
        "biddingStrategyType": Enum("BiddingStrategyType", enums.BIDDING_STRATEGY_TYPE),
        "campaignBudget": string,
        "startDateTime": string,
        "endDateTime": string,
        "trackingUrlTemplate": string,
        "finalUrlSuffix": string,
        "containsEuPoliticalAdvertising": Enum("EuPoliticalAdvertisingStatus", enums.EU_POLITICAL),
        "adServingOptimizationStatus": Enum("AdServingOptimizationStatus", enums.AD_SERVING),
        "brandGuidelinesEnabled": boolean,
        "networkSettings": Message(
            dict.fromkeys(
                (
                    "targetGoogleSearch",
                    "targetSearchNetwork",
                    "targetContentNetwork",
                    "targetPartnerSearchNetwork",
                    "targetYoutube",
                    "targetGoogleTvNetwork",
                ),
                boolean,
            )
        ),
        "geoTargetTypeSetting": Message(
            {
                "positiveGeoTargetType": Enum("PositiveGeoTargetType", enums.POSITIVE_GEO),
                "negativeGeoTargetType": Enum("NegativeGeoTargetType", enums.NEGATIVE_GEO),
            }
        ),
        **BIDDING,
    },
    ("campaign_bidding_strategy", tuple(BIDDING)),
)

BUDGET = Message(
    {
        "resourceName": string,
        "id": int64,
        "name": string,
        "amountMicros": int64,
        "totalAmountMicros": int64,
        "status": Enum("BudgetStatus", enums.BUDGET_STATUS),
        "deliveryMethod": Enum("BudgetDeliveryMethod", enums.DELIVERY_METHOD),
        "explicitlyShared": boolean,
        "referenceCount": int64,
        "period": Enum("BudgetPeriod", enums.BUDGET_PERIOD),
        "type": Enum("BudgetType", enums.BUDGET_TYPE),
    }
)


def _operation(resource: Message) -> Message:
    fields: Mapping[str, Reader] = {
        "updateMask": field_mask,
        "create": resource,
        "update": resource,
        "remove": string,
    }
    return Message(fields, ("operation", ("create", "update", "remove")))


CAMPAIGN_OPERATION, BUDGET_OPERATION = _operation(CAMPAIGN), _operation(BUDGET)
ANY_OPERATION = Message(
    {"campaignOperation": CAMPAIGN_OPERATION, "campaignBudgetOperation": BUDGET_OPERATION},
    ("operation", ("campaignOperation", "campaignBudgetOperation")),
)


def mutate_request(operations: str, operation: Message) -> Message:
    """`operations` is what the list of them is called in that request."""
    return Message(
        {
            operations: Repeated(operation),
            "partialFailure": boolean,
            "validateOnly": boolean,
            "responseContentType": Enum("ResponseContentType", enums.RESPONSE_CONTENT_TYPE),
        }
    )


SEARCH_REQUEST = Message(
    {
        "query": string,
        "pageToken": string,
        "pageSize": int32,
        "validateOnly": boolean,
        "searchSettings": Message(
            {"omitResults": boolean, "returnSummaryRow": boolean, "returnTotalResultsCount": boolean}
        ),
    }
)
STREAM_REQUEST = Message({"query": string, "summaryRowSetting": Enum("SummaryRowSetting", enums.SUMMARY_ROW)})
FIELDS_REQUEST = Message({"query": string, "pageToken": string, "pageSize": int32})


def shown(value: object) -> object:
    """JSON as the platform prints it: a default is left out, an empty message is not."""
    if isinstance(value, dict):
        kept = {name: shown(each) for name, each in value.items()}
        return {name: each for name, each in kept.items() if each not in ("", "0", 0, False, None)}
    return value


def check_mask(message: Message, path: str) -> None:
    """Whether an update may name the path."""
    reader: Reader = message
    for part in path.split("."):
        if not isinstance(reader, Message) or part not in reader.fields:
            raise errors.failure(
                "fieldMaskError.FIELD_NOT_FOUND", "The field mask contained an invalid field.", "update_mask",
                trigger=snake(path),
            )  # fmt: skip
        reader = reader.fields[part]
    if isinstance(reader, Message) and reader.fields:
        raise errors.failure(
            "fieldMaskError.FIELD_HAS_SUBFIELDS", "The field mask updated a field with subfields. To fix this, the "
            "field mask should select all the subfields of the invalid field.", "update_mask", trigger=snake(path),
        )  # fmt: skip
