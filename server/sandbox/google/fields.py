"""Every field that a query may name: its type, what it goes with, and how to read it."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from server.sandbox.google import enums
from server.sandbox.google.delivery import Facts
from server.sandbox.google.schema import camel
from server.sandbox.google.seed import Customer
from server.sandbox.google.world import Account, Budget, Campaign


class Type(StrEnum):
    STRING = "STRING"
    RESOURCE_NAME = "RESOURCE_NAME"
    INT64 = "INT64"
    INT32 = "INT32"
    DOUBLE = "DOUBLE"
    BOOLEAN = "BOOLEAN"
    DATE = "DATE"
    ENUM = "ENUM"


@dataclass(slots=True)
class Source:
    """What one row is read from."""

    account: Account
    today: str
    references: Mapping[str, int]
    """How many live campaigns spend from each budget."""
    campaign: Campaign | None = None
    budget: Budget | None = None
    client: Customer | None = None
    level: int = 0
    facts: Facts | None = None
    segments: Mapping[str, str | int] | None = None

    @property
    def the_campaign(self) -> Campaign:
        assert self.campaign is not None  # noqa: S101  # a query is checked against its resource before it runs
        return self.campaign

    @property
    def the_budget(self) -> Budget:
        assert self.budget is not None  # noqa: S101  # as above
        return self.budget

    @property
    def the_client(self) -> Customer:
        assert self.client is not None  # noqa: S101  # as above
        return self.client

    @property
    def the_facts(self) -> Facts:
        assert self.facts is not None  # noqa: S101  # as above
        return self.facts


Value = str | int | float | bool | None
Getter = Callable[[Source], Value]


@dataclass(frozen=True)
class Field:
    name: str
    type: Type
    get: Getter
    words: Collection[str] = ()

    @property
    def resource(self) -> str:
        return self.name.partition(".")[0]

    @property
    def json_path(self) -> tuple[str, ...]:
        return tuple(camel(part) for part in self.name.split("."))


CORE_DATES = ("segments.date", "segments.week", "segments.month", "segments.quarter", "segments.year")
GOES_WITH: Mapping[str, tuple[str, ...]] = {
    "campaign": ("campaign", "campaign_budget", "customer", "metrics", "segments"),
    "campaign_budget": ("campaign_budget", "customer", "metrics", "segments"),
    "customer": ("customer", "metrics", "segments"),
    "customer_client": ("customer_client",),
}
"""Each resource that may stand in FROM, and the others whose fields it brings along."""


def _stored(kind: str, *path: str) -> Getter:
    def get(source: Source) -> Value:
        value: object = (source.the_campaign if kind == "campaign" else source.the_budget).fields
        for part in path:
            value = value.get(part) if isinstance(value, dict) else None
        return value if isinstance(value, str | int | float | bool) else None

    return get


def _number(kind: str, *path: str) -> Getter:
    stored = _stored(kind, *path)

    def get(source: Source) -> Value:
        value = stored(source)
        return None if value is None else int(value)

    return get


def serving_status(campaign: Campaign, today: str) -> str:
    if campaign.fields.get("endDateTime", "9999")[:10] < today:
        return "ENDED"
    if campaign.status != "ENABLED":
        return "NONE" if campaign.status == "REMOVED" else "SUSPENDED"
    return "PENDING" if campaign.fields["startDateTime"][:10] > today else "SERVING"


def _primary_status(campaign: Campaign, today: str) -> str:
    if campaign.status != "ENABLED":
        return campaign.status
    return {"ENDED": "ENDED", "PENDING": "PENDING"}.get(serving_status(campaign, today), "ELIGIBLE")


_BIDDING_TYPES = {
    "manualCpc": "MANUAL_CPC",
    "manualCpm": "MANUAL_CPM",
    "maximizeConversions": "MAXIMIZE_CONVERSIONS",
    "maximizeConversionValue": "MAXIMIZE_CONVERSION_VALUE",
    "targetCpa": "TARGET_CPA",
    "targetRoas": "TARGET_ROAS",
    "targetSpend": "TARGET_SPEND",
    "targetImpressionShare": "TARGET_IMPRESSION_SHARE",
}


def _bidding(campaign: Campaign) -> str:
    return next(word for name, word in _BIDDING_TYPES.items() if name in campaign.fields)


def _ratio(numerator: Callable[[Facts], float], denominator: Callable[[Facts], float]) -> Getter:
    def get(source: Source) -> Value:
        below = denominator(source.the_facts)
        return numerator(source.the_facts) / below if below else None

    return get


def _segment(name: str) -> Getter:
    return lambda source: (source.segments or {}).get(name)


_CAMPAIGN = (
    Field("campaign.resource_name", Type.RESOURCE_NAME, lambda source: source.the_campaign.resource_name),
    Field("campaign.id", Type.INT64, lambda source: int(source.the_campaign.id)),
    Field("campaign.name", Type.STRING, lambda source: str(source.the_campaign.fields["name"])),
    Field("campaign.status", Type.ENUM, lambda source: source.the_campaign.status, enums.CAMPAIGN_STATUS),
    Field(
        "campaign.serving_status", Type.ENUM,
        lambda source: serving_status(source.the_campaign, source.today), enums.SERVING_STATUS,
    ),
    Field(
        "campaign.primary_status", Type.ENUM,
        lambda source: _primary_status(source.the_campaign, source.today), enums.PRIMARY_STATUS,
    ),
    Field(
        "campaign.advertising_channel_type", Type.ENUM, _stored("campaign", "advertisingChannelType"),
        enums.CHANNEL_TYPE,
    ),
    Field(
        "campaign.advertising_channel_sub_type", Type.ENUM, _stored("campaign", "advertisingChannelSubType"),
        enums.CHANNEL_SUB_TYPE,
    ),
    Field(
        "campaign.bidding_strategy_type", Type.ENUM, lambda source: _bidding(source.the_campaign),
        enums.BIDDING_STRATEGY_TYPE,
    ),
    Field("campaign.experiment_type", Type.ENUM, lambda _: "BASE", enums.EXPERIMENT_TYPE),
    Field("campaign.base_campaign", Type.RESOURCE_NAME, lambda source: source.the_campaign.resource_name),
    Field("campaign.campaign_budget", Type.RESOURCE_NAME, _stored("campaign", "campaignBudget")),
    Field("campaign.start_date_time", Type.DATE, _stored("campaign", "startDateTime")),
    Field("campaign.end_date_time", Type.DATE, _stored("campaign", "endDateTime")),
    Field("campaign.tracking_url_template", Type.STRING, _stored("campaign", "trackingUrlTemplate")),
    Field("campaign.final_url_suffix", Type.STRING, _stored("campaign", "finalUrlSuffix")),
    Field(
        "campaign.contains_eu_political_advertising", Type.ENUM,
        _stored("campaign", "containsEuPoliticalAdvertising"), enums.EU_POLITICAL,
    ),
    Field(
        "campaign.ad_serving_optimization_status", Type.ENUM,
        lambda source: str(source.the_campaign.fields.get("adServingOptimizationStatus", "OPTIMIZE")), enums.AD_SERVING,
    ),
    Field("campaign.payment_mode", Type.ENUM, lambda _: "CLICKS", enums.PAYMENT_MODE),
    Field("campaign.brand_guidelines_enabled", Type.BOOLEAN, _stored("campaign", "brandGuidelinesEnabled")),
    *(
        Field(f"campaign.network_settings.{name}", Type.BOOLEAN, _stored("campaign", "networkSettings", camel(name)))
        for name in (
            "target_google_search", "target_search_network", "target_content_network",
            "target_partner_search_network", "target_youtube", "target_google_tv_network",
        )
    ),
    Field(
        "campaign.geo_target_type_setting.positive_geo_target_type", Type.ENUM,
        _stored("campaign", "geoTargetTypeSetting", "positiveGeoTargetType"), enums.POSITIVE_GEO,
    ),
    Field(
        "campaign.geo_target_type_setting.negative_geo_target_type", Type.ENUM,
        _stored("campaign", "geoTargetTypeSetting", "negativeGeoTargetType"), enums.NEGATIVE_GEO,
    ),
    Field(
        "campaign.maximize_conversions.target_cpa_micros", Type.INT64,
        _number("campaign", "maximizeConversions", "targetCpaMicros"),
    ),
    Field(
        "campaign.maximize_conversion_value.target_roas", Type.DOUBLE,
        _stored("campaign", "maximizeConversionValue", "targetRoas"),
    ),
    Field(
        "campaign.manual_cpc.enhanced_cpc_enabled", Type.BOOLEAN,
        _stored("campaign", "manualCpc", "enhancedCpcEnabled"),
    ),
    Field("campaign.target_cpa.target_cpa_micros", Type.INT64, _number("campaign", "targetCpa", "targetCpaMicros")),
    Field("campaign.target_roas.target_roas", Type.DOUBLE, _stored("campaign", "targetRoas", "targetRoas")),
)  # fmt: skip

_BUDGET = (
    Field("campaign_budget.resource_name", Type.RESOURCE_NAME, lambda source: source.the_budget.resource_name),
    Field("campaign_budget.id", Type.INT64, lambda source: int(source.the_budget.id)),
    Field("campaign_budget.name", Type.STRING, _stored("budget", "name")),
    Field("campaign_budget.amount_micros", Type.INT64, _number("budget", "amountMicros")),
    Field("campaign_budget.status", Type.ENUM, _stored("budget", "status"), enums.BUDGET_STATUS),
    Field("campaign_budget.delivery_method", Type.ENUM, _stored("budget", "deliveryMethod"), enums.DELIVERY_METHOD),
    Field("campaign_budget.explicitly_shared", Type.BOOLEAN, lambda source: source.the_budget.is_shared),
    Field(
        "campaign_budget.reference_count", Type.INT64,
        lambda source: source.references.get(source.the_budget.resource_name, 0),
    ),
    Field("campaign_budget.period", Type.ENUM, _stored("budget", "period"), enums.BUDGET_PERIOD),
    Field("campaign_budget.type", Type.ENUM, _stored("budget", "type"), enums.BUDGET_TYPE),
)  # fmt: skip

_CUSTOMER = (
    Field("customer.resource_name", Type.RESOURCE_NAME, lambda source: f"customers/{source.account.customer.id}"),
    Field("customer.id", Type.INT64, lambda source: int(source.account.customer.id)),
    Field("customer.descriptive_name", Type.STRING, lambda source: source.account.customer.name),
    Field("customer.currency_code", Type.STRING, lambda source: source.account.customer.currency),
    Field("customer.time_zone", Type.STRING, lambda source: source.account.customer.time_zone),
    Field("customer.manager", Type.BOOLEAN, lambda source: source.account.customer.is_manager),
    Field("customer.test_account", Type.BOOLEAN, lambda _: True),
    Field("customer.auto_tagging_enabled", Type.BOOLEAN, lambda source: not source.account.customer.is_manager),
    Field("customer.status", Type.ENUM, lambda _: "ENABLED", enums.CUSTOMER_STATUS),
)

_CLIENT = (
    Field(
        "customer_client.resource_name", Type.RESOURCE_NAME,
        lambda source: f"customers/{source.account.customer.id}/customerClients/{source.the_client.id}",
    ),
    Field("customer_client.client_customer", Type.RESOURCE_NAME, lambda source: f"customers/{source.the_client.id}"),
    Field("customer_client.id", Type.INT64, lambda source: int(source.the_client.id)),
    Field("customer_client.level", Type.INT64, lambda source: source.level),
    Field("customer_client.hidden", Type.BOOLEAN, lambda _: False),
    Field("customer_client.manager", Type.BOOLEAN, lambda source: source.the_client.is_manager),
    Field("customer_client.test_account", Type.BOOLEAN, lambda _: True),
    Field("customer_client.descriptive_name", Type.STRING, lambda source: source.the_client.name),
    Field("customer_client.currency_code", Type.STRING, lambda source: source.the_client.currency),
    Field("customer_client.time_zone", Type.STRING, lambda source: source.the_client.time_zone),
    Field("customer_client.status", Type.ENUM, lambda _: "ENABLED", enums.CUSTOMER_STATUS),
)  # fmt: skip

_METRICS = (
    Field("metrics.cost_micros", Type.INT64, lambda source: source.the_facts.cost_micros),
    Field("metrics.impressions", Type.INT64, lambda source: source.the_facts.impressions),
    Field("metrics.clicks", Type.INT64, lambda source: source.the_facts.clicks),
    Field("metrics.interactions", Type.INT64, lambda source: source.the_facts.clicks),
    Field("metrics.conversions", Type.DOUBLE, lambda source: round(source.the_facts.conversions, 6)),
    Field("metrics.conversions_value", Type.DOUBLE, lambda source: round(source.the_facts.value, 6)),
    Field("metrics.all_conversions", Type.DOUBLE, lambda source: round(source.the_facts.all_conversions, 6)),
    Field("metrics.all_conversions_value", Type.DOUBLE, lambda source: round(source.the_facts.all_value, 6)),
    Field("metrics.view_through_conversions", Type.INT64, lambda source: source.the_facts.view_through),
    Field("metrics.ctr", Type.DOUBLE, _ratio(lambda facts: facts.clicks, lambda facts: facts.impressions)),
    Field("metrics.interaction_rate", Type.DOUBLE, _ratio(lambda facts: facts.clicks, lambda facts: facts.impressions)),
    Field("metrics.average_cpc", Type.DOUBLE, _ratio(lambda facts: facts.cost_micros, lambda facts: facts.clicks)),
    Field("metrics.average_cost", Type.DOUBLE, _ratio(lambda facts: facts.cost_micros, lambda facts: facts.clicks)),
    Field(
        "metrics.average_cpm", Type.DOUBLE,
        _ratio(lambda facts: 1000 * facts.cost_micros, lambda facts: facts.impressions),
    ),
    Field(
        "metrics.cost_per_conversion", Type.DOUBLE,
        _ratio(lambda facts: facts.cost_micros, lambda facts: facts.conversions),
    ),
    Field(
        "metrics.cost_per_all_conversions", Type.DOUBLE,
        _ratio(lambda facts: facts.cost_micros, lambda facts: facts.all_conversions),
    ),
    Field(
        "metrics.value_per_conversion", Type.DOUBLE, _ratio(lambda facts: facts.value, lambda facts: facts.conversions)
    ),
    Field(
        "metrics.conversions_from_interactions_rate", Type.DOUBLE,
        _ratio(lambda facts: facts.conversions, lambda facts: facts.clicks),
    ),
)  # fmt: skip

_SEGMENTS = (
    *(Field(name, Type.DATE, _segment(name)) for name in CORE_DATES[:-1]),
    Field("segments.year", Type.INT32, _segment("segments.year")),
    Field("segments.day_of_week", Type.ENUM, _segment("segments.day_of_week"), enums.DAY_OF_WEEK),
    Field("segments.device", Type.ENUM, _segment("segments.device"), enums.DEVICE),
    Field("segments.ad_network_type", Type.ENUM, _segment("segments.ad_network_type"), enums.AD_NETWORK_TYPE),
)

FIELDS = {field.name: field for field in (*_CAMPAIGN, *_BUDGET, *_CUSTOMER, *_CLIENT, *_METRICS, *_SEGMENTS)}
