"""Mutate requests: their operations in order, all or none unless partialFailure, nothing kept with validateOnly."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from server.sandbox.google import budgets, campaigns, errors, schema
from server.sandbox.google.draft import Draft
from server.sandbox.google.errors import Failure, Location, Problem
from server.sandbox.google.wire import Answer
from server.sandbox.google.world import Account, World

MOST_OPERATIONS = 10_000
Result = dict[str, object]
Apply = Callable[[Draft, schema.Fields], Result]


@dataclass(frozen=True)
class Method:
    operations: str
    answers: str
    message: schema.Message
    apply: Apply


def _service(
    create: Callable[[Draft, schema.Fields], Result],
    update: Callable[[Draft, schema.Fields, str], Result],
    remove: Callable[[Draft, str], Result],
) -> Apply:
    def apply(draft: Draft, operation: schema.Fields) -> Result:
        mask = str(operation.get("updateMask", ""))
        if mask and "update" not in operation:
            raise errors.failure(
                "fieldMaskError.FIELD_MASK_NOT_ALLOWED",
                "The field mask must be empty for create and remove operations.",
                "update_mask",
            )
        if "create" in operation:
            return create(draft, cast("schema.Fields", operation["create"]))
        if "update" in operation:
            return update(draft, cast("schema.Fields", operation["update"]), mask)
        if "remove" in operation:
            return remove(draft, str(operation["remove"]))
        raise errors.failure("requestError.OPERATION_REQUIRED", "The operation is required.")

    return apply


def _one(operations: Mapping[str, Apply]) -> Apply:
    """`googleAds:mutate` names the service in each operation, and in each result."""

    def apply(draft: Draft, operation: schema.Fields) -> Result:
        for name, service in operations.items():
            if name in operation:
                try:
                    done = service(draft, cast("schema.Fields", operation[name]))
                except Failure as failure:
                    place: Location = ((schema.snake(name), None),)
                    raise Failure(*(problem.at(place) for problem in failure.problems)) from failure
                return {f"{name.removesuffix('Operation')}Result": done}
        raise errors.failure("requestError.OPERATION_REQUIRED", "The operation is required.")

    return apply


def _method(operations: str, answers: str, operation: schema.Message, apply: Apply) -> Method:
    return Method(operations, answers, schema.mutate_request(operations, operation), apply)


_CAMPAIGNS = _service(campaigns.create, campaigns.update, campaigns.remove)
_BUDGETS = _service(budgets.create, budgets.update, budgets.remove)
METHODS = {
    "campaigns": _method("operations", "results", schema.CAMPAIGN_OPERATION, _CAMPAIGNS),
    "campaignBudgets": _method("operations", "results", schema.BUDGET_OPERATION, _BUDGETS),
    "googleAds": _method(
        "mutateOperations",
        "mutateOperationResponses",
        schema.ANY_OPERATION,
        _one({"campaignOperation": _CAMPAIGNS, "campaignBudgetOperation": _BUDGETS}),
    ),
}


def count(method: Method, request: schema.Fields) -> int:
    """How many operations a request counts as; one that holds none, or too many, is refused."""
    number = len(cast("list[schema.Fields]", request.get(method.operations, [])))
    if not number:
        raise errors.failure(
            "requestError.REQUIRED_FIELD_MISSING", "Required field is missing.", schema.snake(method.operations)
        )
    if number > MOST_OPERATIONS:
        raise errors.failure(
            "requestError.TOO_MANY_MUTATE_OPERATIONS",
            f"Too many mutate operations per request: at most {MOST_OPERATIONS} are allowed.",
        )
    return number


def mutate(world: World, account: Account, method: Method, request: schema.Fields, request_id: str) -> Answer:
    operations = cast("list[schema.Fields]", request.get(method.operations, []))
    if account.customer.is_manager:
        raise errors.failure(
            "requestError.CANNOT_BE_EXECUTED_BY_MANAGER_ACCOUNT", "Request cannot be executed by a manager account."
        )
    partial, only_validates = request.get("partialFailure", False), request.get("validateOnly", False)
    draft = Draft(world, account, shows_resource=request.get("responseContentType") == "MUTABLE_RESOURCE")
    results: list[Result] = []
    problems: list[Problem] = []
    for index, operation in enumerate(operations):
        try:
            results.append(method.apply(draft, operation))
        except Failure as failure:
            place: Location = ((schema.snake(method.operations), index),)
            problems += [problem.at(place) for problem in failure.problems]
            results.append({})
    if problems and not partial:
        raise Failure(*problems)
    body: dict[str, object] = {}
    if problems:
        body["partialFailureError"] = {
            "code": 3, "message": _summary(problems), "details": Failure(*problems).details(request_id),
        }  # fmt: skip
    if only_validates:
        return Answer(body)
    draft.keep()
    return Answer(body | {method.answers: results}, wrote=any(results))


def _summary(problems: list[Problem]) -> str:
    first = problems[0]
    path = ".".join(name if index is None else f"{name}[{index}]" for name, index in first.location)
    told = f"{first.message}, at '{path}'"
    return told if len(problems) == 1 else f"Multiple errors in 'details'. First error: {told}"
