"""A request's changes before they are kept: later operations see earlier ones, the world does not."""

import re
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import TypeVar, cast

from server.sandbox.google import errors, schema
from server.sandbox.google.world import Account, Budget, Campaign, Fields, World

Resource = TypeVar("Resource", Campaign, Budget)
_NAME = re.compile(r"customers/(\d+)/(\w+)/(-?\d+)")


class Draft:
    def __init__(self, world: World, account: Account, *, shows_resource: bool) -> None:
        self.world = world
        self.customer = account.customer
        self.account = Account(account.customer, dict(account.campaigns), dict(account.budgets))
        self._shows_resource = shows_resource
        self._changed: dict[str, Campaign | Budget] = {}
        self._mutated: set[str] = set()
        self._created = 0
        self._temporary: dict[str, str | None] = {}
        """Resource names that the request chose, and those given for them; None where that operation failed."""

    def reserve(self, fields: schema.Fields, collection: str) -> str:
        """Remember the temporary name a create carries, until `put` says what became of it."""
        wanted = str(fields.get("resourceName", ""))
        if not wanted:
            return ""
        number = self._parts(wanted, collection, "create")[3]
        if int(number) >= 0:
            raise errors.failure(
                "newResourceCreationError.CANNOT_SET_ID_FOR_CREATE", "Do not set the id field while creating new "
                "resources.", "create", "resource_name", trigger=wanted,
            )  # fmt: skip
        if number in {name.rpartition("/")[2] for name in self._temporary}:
            raise errors.failure(
                "newResourceCreationError.DUPLICATE_TEMP_IDS", "Creating more than one resource with the same temp ID "
                "is not allowed.", "create", "resource_name", trigger=wanted,
            )  # fmt: skip
        self._temporary[wanted] = None
        return wanted

    def resolve(self, name: str, collection: str, *place: str) -> str:
        """The real name behind one that may be temporary; malformed and failed ones are refused."""
        self._parts(name, collection, *place)
        if name not in self._temporary:
            return name
        found = self._temporary[name]
        if found is None:
            raise errors.failure(
                "newResourceCreationError.TEMP_ID_RESOURCE_HAD_ERRORS", "Parent resource with specified temp ID "
                "failed validation, so no deep validation will be done for this child resource.", *place, trigger=name,
            )  # fmt: skip
        return found

    @staticmethod
    def check_settable(given: schema.Fields, output_only: Collection[str]) -> None:
        """Whether a create leaves to the platform what the platform decides."""
        if "id" in given:
            raise errors.failure(
                "newResourceCreationError.CANNOT_SET_ID_FOR_CREATE", "Do not set the id field while creating new "
                "resources.", "create", "id",
            )  # fmt: skip
        for name in output_only:
            if name in given:
                raise errors.failure(
                    "fieldError.VALUE_MUST_BE_UNSET", "Value must be unset.", "create", schema.snake(name)
                )

    def next_id(self) -> str:
        self._created += 1
        return self.world.new_id(self.customer, self._created)

    def editable(self, resource: Resource) -> Resource:
        """A copy to change and `put`; no resource may be changed twice in one request."""
        if resource.resource_name in self._mutated:
            raise errors.failure(
                "mutateError.ID_EXISTS_IN_MULTIPLE_MUTATES", "Cannot mutate the same resource twice in one request.",
                trigger=resource.resource_name,
            )  # fmt: skip
        return replace(resource, fields=dict(resource.fields), changes=list(resource.changes))

    def put(self, resource: Campaign | Budget, temporary: str = "") -> None:
        if isinstance(resource, Campaign):
            self.account.campaigns[resource.resource_name] = resource
        else:
            self.account.budgets[resource.resource_name] = resource
        self._changed[resource.resource_name] = resource
        self._mutated.add(resource.resource_name)
        if temporary:
            self._temporary[temporary] = resource.resource_name

    def follow(self, budget: Budget, fields: Fields) -> None:
        """Let a budget follow its campaign, which does not count as an operation on the budget."""
        if fields.items() - budget.fields.items():
            synced = replace(budget, fields=budget.fields | fields, changes=list(budget.changes))
            self.account.budgets[budget.resource_name] = self._changed[budget.resource_name] = synced

    @staticmethod
    def mask(message: schema.Message, mask: str, fixed: Collection[str]) -> list[str]:
        """The paths an update names, none of them fixed."""
        if not mask:
            raise errors.failure(
                "fieldMaskError.FIELD_MASK_MISSING", "The field mask must be provided for update operations.",
                "update_mask",
            )  # fmt: skip
        paths = mask.split(",")
        for path in paths:
            schema.check_mask(message, path)
            if path in fixed:
                raise errors.failure(
                    "fieldError.IMMUTABLE_FIELD", "The field is immutable.", "update", schema.snake(path)
                )
        return paths

    def result(self, resource: Campaign | Budget, mutable: Iterable[str]) -> dict[str, object]:
        """What a mutate says about one resource."""
        shown: dict[str, object] = {"resourceName": resource.resource_name}
        if not self._shows_resource:
            return shown
        held = schema.shown({name: resource.fields[name] for name in mutable if name in resource.fields})
        body = shown | cast("Fields", held)
        return shown | {"campaign" if isinstance(resource, Campaign) else "campaignBudget": body}

    def keep(self) -> None:
        self.world.keep(list(self._changed.values()), self._created)

    def _parts(self, name: str, collection: str, *place: str) -> re.Match[str]:
        found = _NAME.fullmatch(name)
        if found is None or found[2] != collection:
            raise errors.failure(
                "requestError.RESOURCE_NAME_MALFORMED", f"Resource name '{name}' is malformed: expected "
                f"'customers/{{customer_id}}/{collection}/{{id}}'.", *place, trigger=name,
            )  # fmt: skip
        if found[1] != self.customer.id:
            raise errors.not_found(name, *place)
        return found
