"""What cannot be declared: the kernel refuses it while importing, so that no test has to look for it."""

from collections.abc import Hashable
from dataclasses import replace
from typing import Any

import pytest

from tools.authority import Scope
from tools.capability import (
    GET,
    POST,
    AnyCapability,
    Effect,
    Input,
    Nothing,
    Output,
    Rate,
    Rest,
    Toolset,
    human,
    read,
    record,
    write,
)
from tools.catalog import catalog
from tools.context import Context
from tools.plan import Plan
from tools.secret import Secret


class Pasted(Input):
    token: Secret | None = None


class Answer(Output):
    ok: bool


async def reads(context: Context, query: Nothing) -> Answer:
    """Says that all is well.

    In two paragraphs.
    """
    return Answer(ok=bool(context) and bool(query))


async def pastes(context: Context, pasted: Pasted) -> Answer:
    """Takes a secret."""
    return Answer(ok=bool(context) and bool(pasted))


async def plans(context: Context, wish: Nothing) -> Plan[Nothing]:
    raise NotImplementedError(context, wish)


async def writes(context: Context, plan: Plan[Nothing]) -> Answer:
    """Applies a plan."""
    return Answer(ok=bool(context) and bool(plan))


def test_name_title_description_and_schemas_are_derived() -> None:
    made = read(scope=None, rest=GET("/reads"), toolset=Toolset.ADS)(reads)

    assert (made.name, made.title) == ("reads", "Reads")
    assert made.description == "Says that all is well. In two paragraphs."
    assert (made.input, made.output, made.effect) == (Nothing, Answer, Effect.READ)
    assert made.for_models
    assert not made.lists


def test_a_write_takes_the_input_of_its_plan() -> None:
    made = write(
        scope=Scope.ADS_WRITE, effect=Effect.CHANGE, rest=POST("/writes", status=201), toolset=Toolset.ADS,
        rate=Rate.CAMPAIGN_MUTATION, plan=plans,
    )(writes)  # fmt: skip

    assert (made.input, made.output, made.plan) == (Nothing, Answer, plans)
    assert made.rest == Rest("POST", "/writes", 201)


def test_what_only_a_person_does_and_what_only_adds_a_fact_no_model_sees() -> None:
    by_hand = human(scope=Scope.ADS_READ, effect=Effect.CHANGE, rest=POST("/pastes"), toolset=Toolset.ADS)(pastes)
    fact = record(scope=Scope.PIXEL_WRITE, rest=POST("/facts"), toolset=Toolset.ANALYTICS, rate=Rate.INGEST)(reads)

    assert by_hand.takes_secret
    assert not by_hand.for_models
    assert not fact.for_models
    assert fact.plan is None


@pytest.mark.parametrize(
    ("name", "changed", "refusal"),
    [
        ("whoami", {"name": "Who"}, "verb_noun"),
        ("whoami", {"name": "x" * 65}, "verb_noun"),
        ("whoami", {"rest": GET("/me/{name}")}, "not fields"),
        ("whoami", {"effect": Effect.CHANGE}, "needs a plan"),
        ("update_campaign", {"plan": None}, "needs a plan"),
        ("update_campaign", {"effect": Effect.READ}, "needs a plan"),
        ("approve", {"human_only": False}, "needs a plan"),
        ("create_connection", {"human_only": False, "effect": Effect.READ}, "human_only"),
    ],
)
def test_what_contradicts_itself_is_refused(name: str, changed: dict[str, Any], refusal: str) -> None:
    with pytest.raises(TypeError, match=refusal):
        replace(catalog[name], **changed)


@pytest.mark.parametrize("capability", catalog, ids=lambda c: c.name)
def test_what_a_field_left_out_becomes_is_a_constant(capability: AnyCapability) -> None:
    """The door makes the input of a call without arguments once and hands it to all of them."""
    fields = capability.input.model_fields.values()

    assert all(field.default_factory is None for field in fields)
    assert all(isinstance(field.default, Hashable) for field in fields)
