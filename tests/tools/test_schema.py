"""Schemas as models like them, which real values fit."""

from typing import Annotated, Any, Literal

import jsonschema
import pytest
from pydantic import BaseModel, Field, ValidationError

from tools.capability import Input, Output
from tools.fields import Amount, CampaignId, Pairs, Platform, PlatformField, Ratio, Since
from tools.schema import input_schema, output_schema, rest_schema


class Query(Input):
    """Ours, not for the wire."""

    campaign_id: CampaignId
    title: Annotated[str, Field(description="A field may be called title.")] | None = None
    platform: PlatformField | None = None
    since: Since | None = None
    mode: Literal["a", "b"] = "a"
    budget: Annotated[Amount | None, Field(description="How much.")] = None


class Inner(Output):
    platform: Platform
    note: str | None = None


class Answer(Output):
    inner: Inner
    rows: tuple[Inner, ...]
    ratio: Ratio | None
    amount: Amount | None = None
    default: str = "x"


def everything(node: Any) -> list[dict[str, Any]]:
    if isinstance(node, list):
        return [found for item in node for found in everything(item)]
    if not isinstance(node, dict):
        return []
    return [node, *(found for value in node.values() for found in everything(value))]


def test_an_input_is_flat_without_titles_references_or_null_arms() -> None:
    schema = input_schema(Query)

    assert schema["additionalProperties"] is False
    assert schema["required"] == ["campaign_id"]
    assert set(schema["properties"]) == set(Query.model_fields)
    assert schema["properties"]["platform"]["enum"] == ["meta", "google"]
    assert schema["properties"]["platform"]["description"] == "Ad platform."
    assert schema["properties"]["mode"]["default"] == "a"
    for node in everything({name: value for name, value in schema.items() if name != "properties"}):
        assert not {"title", "$ref", "$defs", "anyOf"} & node.keys()
    for field in schema["properties"].values():
        assert not {"title", "$ref", "$defs", "anyOf"} & field.keys()
        assert field.get("default", "") is not None


def test_the_models_own_docstring_is_not_product_text() -> None:
    assert "description" not in input_schema(Query)


def test_an_output_says_null_only_where_it_can_be() -> None:
    schema = output_schema(Answer)

    assert set(schema["required"]) == {"inner", "rows", "ratio"}
    assert {"type": "null"} in schema["properties"]["ratio"]["anyOf"]
    assert schema["properties"]["amount"]["type"] == "number"
    assert schema["properties"]["inner"]["properties"]["platform"]["enum"] == ["meta", "google"]
    assert schema["properties"]["rows"]["items"]["required"] == ["platform"]
    assert "$ref" not in str(schema)


@pytest.mark.parametrize("cents", [35, 41, 47, 57, 69, 3333, 12_345_678_901])
def test_every_amount_of_cents_fits_its_schema(cents: int) -> None:
    answer = Answer.model_validate(
        {
            "inner": Inner(platform=Platform.META),
            "rows": (),
            "ratio": None,
            "amount": cents / 100 if cents < 10**10 else 1,
        }
    )

    jsonschema.validate(answer.wire(), output_schema(Answer))


def test_a_schema_is_made_once() -> None:
    assert input_schema(Query) is input_schema(Query)


def test_a_model_without_fields_is_a_closed_object() -> None:
    class Empty(Input):
        pass

    schema = input_schema(Empty)

    assert (schema["type"], schema["additionalProperties"], schema["properties"]) == ("object", False, {})


def test_descriptions_inside_a_schema_stay() -> None:
    class Outer(BaseModel):
        query: Annotated[int, Field(description="Kept.")]

    assert input_schema(Outer)["properties"]["query"]["description"] == "Kept."


class Traits(Input):
    traits: Annotated[Pairs | None, Field(description="What is known.")] = None


@pytest.mark.parametrize(
    "sent",
    [
        {"plan": "pro", "seats": 3, "trial": False},
        [{"key": "plan", "value": "pro"}, {"key": "seats", "value": "3"}],
        {},
        [],
    ],
)
def test_a_map_is_sent_as_rows_by_tools_and_as_it_is_over_rest(sent: Any) -> None:
    held = Traits.model_validate({"traits": sent}).traits

    assert held == (sent if isinstance(sent, dict) else {row["key"]: row["value"] for row in sent})
    jsonschema.validate({"traits": sent}, rest_schema(Traits))
    assert input_schema(Traits)["properties"]["traits"]["type"] == "array"


@pytest.mark.parametrize(
    "sent",
    [
        "plan", 7, {"plan": None}, {"plan": {"name": "pro"}}, {"plan": ["pro"]}, {"": "pro"}, {"k" * 65: "pro"},
        {"plan": "x" * 501}, {str(n): "x" for n in range(51)}, ["plan"], [{"key": "plan"}],
        [{"key": "plan", "value": 3}], [{"key": "plan", "value": "pro", "more": "x"}],
        [{"key": "plan", "value": "pro"}] * 51,
    ],
)  # fmt: skip
def test_what_is_no_small_map_is_refused_by_the_model_and_by_the_schema(sent: Any) -> None:
    with pytest.raises(ValidationError):
        Traits.model_validate({"traits": sent})
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"traits": sent}, rest_schema(Traits))


def test_a_key_that_is_there_twice_and_what_no_database_holds_are_refused() -> None:
    twice = [{"key": "plan", "value": "pro"}, {"key": "plan", "value": "free"}]
    for sent in (twice, {"plan": "p\0o"}, {"p\0n": "pro"}, [{"key": "plan", "value": "\0"}]):
        with pytest.raises(ValidationError):
            Traits.model_validate({"traits": sent})
