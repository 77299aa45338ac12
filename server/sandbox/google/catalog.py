"""What may be asked: the fields themselves, as the field service describes them."""

from collections.abc import Callable, Mapping

from server.sandbox.google import gaql, search
from server.sandbox.google.fields import FIELDS, GOES_WITH, Field
from server.sandbox.google.gaql import Condition, refusal
from server.sandbox.google.schema import Fields, camel
from server.sandbox.google.wire import Answer

Entry = dict[str, object]

_READERS: Mapping[str, Callable[[Field], object]] = {
    "name": lambda field: field.name,
    "category": lambda field: {"metrics": "METRIC", "segments": "SEGMENT"}.get(field.resource, "ATTRIBUTE"),
    "data_type": lambda field: str(field.type),
    "selectable": lambda _: True,
    "filterable": lambda _: True,
    "sortable": lambda _: True,
    "is_repeated": lambda _: False,
    "enum_values": lambda field: list(field.words),
    "selectable_with": lambda field: [resource for resource, others in GOES_WITH.items() if field.resource in others],
}


def search_fields(request: Fields) -> Answer:
    search.refuse_page_size(request)
    query = gaql.parse(str(request.get("query", "")), has_from=False)
    for name in [*query.select, *(condition.field for condition in query.where)]:
        if name not in _READERS:
            raise refusal("UNRECOGNIZED_FIELD", f"Unrecognized field in the query: '{name}'.", name)
    found = [field for field in FIELDS.values() if all(_fits(field, each) for each in query.where)]
    shown = [_entry(field, query.select) for field in sorted(found, key=lambda field: field.name)]
    page = shown[: query.limit]
    return Answer({"results": page, "totalResultsCount": str(len(page))} if page else {})


def _fits(field: Field, condition: Condition) -> bool:
    value, wanted = str(_READERS[condition.field](field)), [token.text for token in condition.values]
    match condition.operator:
        case "=" | "IN":
            return value.lower() in {each.lower() for each in wanted}
        case "!=" | "NOT IN":
            return value.lower() not in {each.lower() for each in wanted}
        case "LIKE":
            start, _, end = wanted[0].partition("%")
            return value.startswith(start) and value.endswith(end)
    raise refusal(
        "BAD_OPERATOR", f"Operator '{condition.operator}' is not supported by this service.", condition.operator
    )


def _entry(field: Field, select: tuple[str, ...]) -> Entry:
    entry: Entry = {"resourceName": f"googleAdsFields/{field.name}"}
    for name in select:
        value = _READERS[name](field)
        if value:
            entry[camel(name)] = value
    return entry
