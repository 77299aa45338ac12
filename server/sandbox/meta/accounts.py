"""Who is asking and what they may spend from: tokens, the user and the ad accounts."""

from datetime import UTC, datetime, timedelta

from server.sandbox.meta import errors, params
from server.sandbox.meta import world as world_module
from server.sandbox.meta.paging import page
from server.sandbox.meta.seed import Account
from server.sandbox.meta.wire import Answer, Call
from server.sandbox.meta.world import World

SCOPES = ["ads_management", "ads_read", "business_management", "public_profile"]

FIELDS = frozenset({
    "account_id", "account_status", "age", "amount_spent", "attribution_spec", "balance", "business",
    "business_city", "business_country_code", "business_name", "business_state", "business_street",
    "business_street2", "business_zip", "can_create_brand_lift_study", "capabilities", "created_time", "currency",
    "custom_audience_info", "default_dsa_beneficiary", "default_dsa_payor", "disable_reason", "end_advertiser",
    "end_advertiser_name", "extended_credit_invoice_group", "failed_delivery_checks", "fb_entity",
    "funding_source", "funding_source_details", "has_migrated_permissions", "has_page_authorized_adaccount", "id",
    "io_number", "is_attribution_spec_system_default", "is_direct_deals_enabled",
    "is_in_3ds_authorization_enabled_market", "is_notifications_enabled", "is_personal", "is_prepay_account",
    "is_tax_id_required", "line_numbers", "media_agency", "min_campaign_group_spend_cap", "min_daily_budget",
    "name", "offsite_pixels_tos_accepted", "opportunity_score", "owner", "partner", "rf_spec",
    "show_checkout_experience", "spend_cap", "tax_id", "tax_id_status", "tax_id_type", "timezone_id",
    "timezone_name", "timezone_offset_hours_utc", "tos_accepted", "user_access_expire_time", "user_tasks",
    "user_tos_accepted", "viewable_business",
})  # fmt: skip
_TIMEZONE_IDS = {"America/New_York": 7, "Europe/Berlin": 47, "Asia/Tokyo": 78}
_LIFETIME = timedelta(days=60)


def debug_token(world: World, _node: None, call: Call) -> Answer:
    params.only(call.params, params.COMMON | {"input_token"})
    if params.required(call.params, "input_token") not in world_module.VALID_TOKENS:
        return Answer({"data": invalid_token(190, "Invalid OAuth access token.")})
    issued = datetime.fromtimestamp(world.timestamp(), UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    expires = issued + _LIFETIME
    targets = list(world.accounts)
    data = {
        "app_id": world_module.APP_ID,
        "type": "USER",
        "application": world_module.APP_NAME,
        "data_access_expires_at": int((issued + timedelta(days=90)).timestamp()),
        "expires_at": int(expires.timestamp()),
        "is_valid": True,
        "issued_at": int(issued.timestamp()),
        "scopes": SCOPES,
        "granular_scopes": [{"scope": scope, "target_ids": targets} for scope in ("ads_management", "ads_read")],
        "user_id": world_module.USER["id"],
    }
    return Answer({"data": data})


def invalid_token(code: int, message: str, subcode: int | None = None) -> dict[str, object]:
    error = {"code": code, "message": message} | ({"subcode": subcode} if subcode else {})
    return {"app_id": world_module.APP_ID, "error": error, "is_valid": False, "scopes": []}


def exchange_token(_world: World, _node: None, call: Call) -> Answer:
    params.only(call.params, params.COMMON | {"grant_type", "client_id", "client_secret", "fb_exchange_token"})
    params.one_of("grant_type", params.required(call.params, "grant_type"), ("fb_exchange_token",))
    if params.required(call.params, "client_id") != world_module.APP_ID:
        raise errors.GraphError(101, "Error validating application. Cannot get application info due to a system error.")
    if params.required(call.params, "client_secret") != world_module.APP_SECRET:
        raise errors.GraphError(1, "Error validating client secret.")
    token = params.required(call.params, "fb_exchange_token")
    if token not in world_module.VALID_TOKENS:
        raise errors.malformed_token()
    fresh = world_module.long_lived(world_module.ACCESS_TOKEN)
    return Answer({"access_token": fresh, "token_type": "bearer", "expires_in": int(_LIFETIME.total_seconds())})


def read_user(_world: World, _node: None, call: Call) -> Answer:
    params.only(call.params, params.COMMON)
    asked = params.fields(call.params, {"id", "name", "first_name", "last_name"}, "User", ("name",))
    first, last = world_module.USER["name"].split()
    user = world_module.USER | {"first_name": first, "last_name": last}
    return Answer({name: user[name] for name in asked})


def list_accounts(world: World, _node: None, call: Call) -> Answer:
    params.only(call.params, params.PAGED)
    asked = params.fields(call.params, FIELDS, "AdAccount", ("account_id",))
    accounts = list(world.accounts.values())
    answer = page(call, [_show(world, account, asked) for account in accounts], [account.id for account in accounts])
    if call.params.get("summary"):
        answer["summary"] = {"total_count": len(accounts)}
    return Answer(answer)


def read_account(world: World, account: Account, call: Call) -> Answer:
    params.only(call.params, params.COMMON)
    return Answer(_show(world, account, params.fields(call.params, FIELDS, "AdAccount", ("account_id",))))


def _show(world: World, account: Account, asked: list[str]) -> dict[str, object]:
    now = world.now(account)
    offset = now.utcoffset() or timedelta()
    known: dict[str, object] = {
        "id": f"act_{account.id}",
        "account_id": account.id,
        "account_status": 1,
        "age": 412.0,
        "balance": "0",
        "business": world_module.BUSINESS,
        "business_country_code": account.country,
        "business_name": world_module.BUSINESS["name"],
        "created_time": world_module.stamp(now.replace(hour=9, minute=0, second=0) - timedelta(days=412)),
        "currency": account.currency,
        "disable_reason": 0,
        "fb_entity": 1,
        "is_notifications_enabled": True,
        "is_personal": 0,
        "is_prepay_account": False,
        "min_campaign_group_spend_cap": str(account.min_daily_budget * 100),
        "min_daily_budget": account.min_daily_budget,
        "name": account.name,
        "owner": world_module.BUSINESS["id"],
        "spend_cap": "0",
        "timezone_id": _TIMEZONE_IDS[account.timezone_name],
        "timezone_name": account.timezone_name,
        "timezone_offset_hours_utc": offset.total_seconds() / 3600,
        "user_tasks": ["DRAFT", "ANALYZE", "ADVERTISE", "MANAGE"],
    }
    if "amount_spent" in asked:
        known["amount_spent"] = str(sum(world.spent(campaign) for campaign in world.of_account(account)))
    return {name: known[name] for name in asked if name in known}
