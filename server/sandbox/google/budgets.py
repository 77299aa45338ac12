"""Budgets: amounts a currency can bill, names that are unique where shared, and none removed while in use."""

from server.sandbox.google import errors, schema
from server.sandbox.google.draft import Draft
from server.sandbox.google.world import Budget, Fields

MUTABLE = ("name", "amountMicros", "deliveryMethod", "explicitlyShared", "period", "type")
_FIXED = ("id", "resourceName", "referenceCount", "status", "period", "type", "totalAmountMicros")
_OUTPUT_ONLY = ("status", "referenceCount")
_LONGEST_NAME = 255
_MOST_MICROS = 10**15


def create(draft: Draft, given: schema.Fields) -> dict[str, object]:
    temporary = draft.reserve(given, "campaignBudgets")
    fields: Fields = {"deliveryMethod": "STANDARD", "explicitlyShared": True, "period": "DAILY", "type": "STANDARD"}
    fields |= {name: value for name, value in given.items() if name != "resourceName"} | {"status": "ENABLED"}
    errors.together(
        lambda: draft.check_settable(given, _OUTPUT_ONLY),
        lambda: _check_amount(draft, fields, "create"),
        lambda: _check_name(draft, fields, None, "create"),
        lambda: _check_kind(fields, "create"),
    )
    budget = Budget(draft.next_id(), draft.customer.id, fields)
    draft.put(budget, temporary)
    return draft.result(budget, MUTABLE)


def update(draft: Draft, given: schema.Fields, mask: str) -> dict[str, object]:
    old = find(draft, str(given.get("resourceName", "")), "update", "resource_name")
    paths = draft.mask(schema.BUDGET, mask, _FIXED)
    if old.fields["status"] == "REMOVED":
        raise errors.failure("campaignBudgetError.CAMPAIGN_BUDGET_REMOVED", "The budget is removed.", "update")
    for path in paths:
        if path not in given:
            raise errors.failure(
                "fieldError.FIELD_CANNOT_BE_CLEARED", "The field cannot be cleared.", "update", schema.snake(path)
            )
    budget = draft.editable(old)
    budget.fields |= {path: given[path] for path in paths}
    errors.together(
        lambda: _check_amount(draft, budget.fields, "update"),
        lambda: _check_sharing(old, budget.fields, paths),
        lambda: _check_name(draft, budget.fields, old, "update"),
        lambda: _check_kind(budget.fields, "update"),
    )
    draft.put(budget)
    return draft.result(budget, MUTABLE)


def remove(draft: Draft, name: str) -> dict[str, object]:
    budget = draft.editable(find(draft, name, "remove"))
    if budget.fields["status"] == "REMOVED":
        raise errors.failure("campaignBudgetError.CAMPAIGN_BUDGET_REMOVED", "The budget is removed.", "remove")
    if draft.account.on_budget(budget.resource_name):
        raise errors.failure(
            "campaignBudgetError.CAMPAIGN_BUDGET_IN_USE", "The budget is in use by a campaign.", "remove", trigger=name
        )
    budget.fields["status"] = "REMOVED"
    draft.put(budget)
    return {"resourceName": budget.resource_name}


def find(draft: Draft, name: str, *place: str) -> Budget:
    if not name:
        raise errors.required(*place)
    budget = draft.account.budgets.get(draft.resolve(name, "campaignBudgets", *place))
    if budget is None:
        raise errors.not_found(name, *place)
    return budget


def _check_amount(draft: Draft, fields: Fields, operation: str) -> None:
    if "amountMicros" not in fields:
        raise errors.required(operation, "amount_micros")
    micros, customer = int(fields["amountMicros"]), draft.customer
    place = (operation, "amount_micros")
    if micros < 0:
        raise errors.failure(
            "campaignBudgetError.NEGATIVE_MONEY_AMOUNT", "The money amount is negative.", *place, trigger=str(micros)
        )
    if micros % customer.unit:
        raise errors.failure(
            "campaignBudgetError.NON_MULTIPLE_OF_MINIMUM_CURRENCY_UNIT",
            "A money amount was not a multiple of a minimum unit.", *place, trigger=str(micros),
        )  # fmt: skip
    if micros < customer.minimum_budget:
        raise errors.below_minimum(customer.currency, customer.minimum_budget, *place)
    if micros > _MOST_MICROS:
        raise errors.failure(
            "campaignBudgetError.MONEY_AMOUNT_TOO_LARGE", "A money amount is too large.", *place, trigger=str(micros)
        )


def _check_name(draft: Draft, fields: Fields, old: Budget | None, operation: str) -> None:
    name = str(fields.get("name", "")).strip()
    if not fields["explicitlyShared"]:
        return
    if not name:
        raise errors.required(operation, "name")
    if len(name.encode()) > _LONGEST_NAME:
        raise errors.failure("stringLengthError.TOO_LONG", "Too long.", operation, "name", trigger=name)
    for other in draft.account.budgets.values():
        if old is not None and other.id == old.id:
            continue
        if other.is_shared and other.fields["status"] == "ENABLED" and other.fields["name"] == name:
            raise errors.failure(
                "campaignBudgetError.DUPLICATE_NAME", "A campaign budget with this name already exists.", operation,
                "name", trigger=name,
            )  # fmt: skip


def _check_kind(fields: Fields, operation: str) -> None:
    if fields["deliveryMethod"] != "STANDARD":
        raise errors.failure(
            "campaignBudgetError.CANNOT_USE_ACCELERATED_DELIVERY_MODE", "The accelerated delivery mode is not "
            "available.", operation, "delivery_method",
        )  # fmt: skip
    if "totalAmountMicros" in fields:
        raise errors.failure(
            "campaignBudgetError.TOTAL_BUDGET_AMOUNT_MUST_BE_UNSET_FOR_BUDGET_PERIOD_DAILY",
            "Total budget amount must be unset when BudgetPeriod is DAILY.", operation, "total_amount_micros",
        )  # fmt: skip
    if fields["period"] != "DAILY" or fields["type"] != "STANDARD":
        raise errors.failure(
            "campaignBudgetError.CAMPAIGN_BUDGET_PERIOD_NOT_AVAILABLE", "The requested period is not available.",
            operation, "period",
        )  # fmt: skip


def _check_sharing(old: Budget, fields: Fields, paths: list[str]) -> None:
    if old.is_shared and not fields["explicitlyShared"]:
        raise errors.failure(
            "campaignBudgetError.CANNOT_UPDATE_CAMPAIGN_BUDGET_TO_IMPLICITLY_SHARED", "Cannot change a shared budget "
            "to one that is not.", "update", "explicitly_shared",
        )  # fmt: skip
    if not old.is_shared and fields["explicitlyShared"] and "name" not in paths:
        raise errors.failure(
            "campaignBudgetError.CANNOT_UPDATE_CAMPAIGN_BUDGET_TO_EXPLICITLY_SHARED_WITHOUT_NAME",
            "A budget that becomes shared needs a name.", "update", "name",
        )  # fmt: skip
    if not fields["explicitlyShared"] and "name" in paths:
        raise errors.failure(
            "campaignBudgetError.CANNOT_MODIFY_FIELD_OF_IMPLICITLY_SHARED_CAMPAIGN_BUDGET",
            "The name of a budget that is not shared follows its campaign's.", "update", "name",
        )  # fmt: skip
