"""The OpenAPI document is valid, complete, stable and true to what the routes answer."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from api.chat_document import chat_paths
from api.error_examples import EXAMPLES
from api.openapi import openapi
from tests.api.shop import PUBLIC_URL, REGISTRY, Client
from tests.app import open_product
from tools import errors
from tools.catalog import catalog
from tools.errors import CapabilityError

DOCUMENT = openapi(REGISTRY, PUBLIC_URL, "1.2.3")
DOCUMENTS = {
    "small": DOCUMENT,
    "catalog": openapi(catalog, PUBLIC_URL, "1.2.3"),
    "product": openapi(catalog, PUBLIC_URL, "1.2.3", chat_paths()),
}
OPERATIONS = {
    operation["operationId"]: (path, method, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}


def resolved(node: Any, document: dict[str, Any] = DOCUMENT) -> Any:
    """The node with each reference replaced by what it names."""
    if isinstance(node, list):
        return [resolved(item, document) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        target: Any = document
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        return resolved(target, document)
    return {key: resolved(value, document) for key, value in node.items()}


def media(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if "schema" in node and ("example" in node or "examples" in node):
            yield node
        for value in node.values():
            yield from media(value)
    elif isinstance(node, list):
        for item in node:
            yield from media(item)


def validated(schema: Any, instance: Any) -> None:
    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(instance)


def answered(operation: str, status: int, body: Any, document: dict[str, Any] = DOCUMENT) -> None:
    (told,) = (
        each["responses"]
        for methods in document["paths"].values()
        for each in methods.values()
        if each["operationId"] == operation
    )
    response = resolved(told[str(status)], document)
    validated(response["content"]["application/json"]["schema"], body)


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
def test_the_document_is_valid_openapi(document: dict[str, Any]) -> None:
    validate(orjson.loads(orjson.dumps(document)))


def test_every_capability_is_one_operation_at_its_route() -> None:
    assert OPERATIONS.keys() == {capability.name for capability in REGISTRY}
    for capability in REGISTRY:
        path, method, operation = OPERATIONS[capability.name]
        assert (path, method) == (f"/api/v1{capability.rest.path}", capability.rest.method.lower())
        assert operation["description"].startswith(capability.description)


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
def test_every_example_fits_its_schema(document: dict[str, Any]) -> None:
    shown = list(media(resolved(document, document)))

    assert len(shown) > sum(map(len, document["paths"].values())) * 2
    for content in shown:
        values = [content["example"]] if "example" in content else [e["value"] for e in content["examples"].values()]
        for value in values:
            validated(content["schema"], value)


def test_every_error_has_an_example() -> None:
    family = {
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, CapabilityError) and kind is not CapabilityError
    }

    assert {type(error) for error in EXAMPLES} == family


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: error.code)
def test_an_example_below_500_says_what_to_do(error: CapabilityError) -> None:
    assert error.message.endswith((".", "25"))
    assert error.fix or error.status >= 500


def test_it_is_the_same_every_time() -> None:
    assert orjson.dumps(openapi(REGISTRY, PUBLIC_URL, "1.2.3")) == orjson.dumps(DOCUMENT)


def test_only_planned_writes_offer_a_plan_and_may_answer_202() -> None:
    planned = {capability.name for capability in REGISTRY if capability.plan}
    offering = {
        name
        for name, (_, _, operation) in OPERATIONS.items()
        if {"$ref": "#/components/parameters/plan"} in operation.get("parameters", ())
    }

    assert (
        offering == planned == {name for name, (*_, operation) in OPERATIONS.items() if "202" in operation["responses"]}
    )


def test_what_is_for_people_takes_no_key() -> None:
    assert OPERATIONS["create_password"][2]["security"] == [{"session": []}]
    assert {"apiKey": []} in OPERATIONS["list_things"][2]["security"]


@pytest.mark.parametrize(
    ("url", "cookie"), [("https://ads.example", "__Host-adwright_session"), (PUBLIC_URL, "adwright_session")]
)
def test_the_cookie_is_called_as_the_server_calls_it(url: str, cookie: str) -> None:
    assert openapi(REGISTRY, url, "1")["components"]["securitySchemes"]["session"]["name"] == cookie


def test_published_spellings_are_told() -> None:
    (parameter,) = [p for p in OPERATIONS["list_things"][2]["parameters"] if p["name"] == "campaign_id"]

    assert "`campaignId`" in parameter["description"]


async def test_it_is_served_to_anyone_and_revalidates(call: Client) -> None:
    first = await call("GET", "/openapi.json", who=None)
    again = await call("GET", "/openapi.json", who=None, headers={"if-none-match": first.headers["etag"]})

    assert (first.status, first.json) == (200, orjson.loads(orjson.dumps(DOCUMENT)))
    assert (again.status, again.raw) == (304, b"")
    assert "content-length" not in again.headers


async def test_what_the_routes_answer_is_what_it_says(call: Client) -> None:
    change = {"daily_budget": 130}

    answered("list_things", 200, (await call("GET", "/things?limit=1")).json)
    answered("get_thing", 200, (await call("GET", "/things/1001")).json)
    answered("get_thing", 404, (await call("GET", "/things/9")).json)
    answered("get_thing", 401, (await call("GET", "/things/9", who=None)).json)
    answered("list_things", 422, (await call("GET", "/things?limit=0")).json)
    answered("create_thing", 201, (await call("POST", "/things", {"name": "a", "daily_budget": 1}, who="session")).json)
    answered("create_thing", 200, (await call("POST", "/things?plan=true", {"name": "a", "daily_budget": 1})).json)
    answered("update_thing", 200, (await call("PATCH", "/things/1001?plan=true", change)).json)
    answered("update_thing", 202, (await call("PATCH", "/things/1001", change)).json)
    answered("update_thing", 200, (await call("PATCH", "/things/1001", change, who="session")).json)
    answered("update_thing", 415, (await call("PATCH", "/things/1001", change, headers={"content-type": "a/b"})).json)
    held = {"if-match": f'"{"0" * 64}"'}
    answered("update_thing", 409, (await call("PATCH", "/things/1001", change, who="session", headers=held)).json)
    answered("get_broken", 500, (await call("GET", "/things/broken")).json)


async def test_connecting_and_disconnecting_answer_what_the_catalog_says(tmp_path: Path) -> None:
    async with open_product(tmp_path) as product:
        person = await product.person()
        made = await person("POST", "/connections", {"platform": "meta", "access_token": product.known["access_token"]})
        gone = await person("DELETE", f"/connections/{made.json()['data']['id']}")

    answered("create_connection", 201, made.json(), DOCUMENTS["catalog"])
    answered("delete_connection", 200, gone.json(), DOCUMENTS["catalog"])
    assert (made.status_code, gone.status_code, gone.json()["data"]["status"]) == (201, 200, "deleted")
