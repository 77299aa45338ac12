"""Four tools in front of what a surface has no room to list: find, describe, and call what only reads or what changes.

They are no capabilities. Finding and describing answer from the registry, as listing does; a call becomes the call of
its target before the door, which then charges, gates and records that and nothing else.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import Field, JsonValue, ValidationError

from tools.authority import Scope
from tools.capability import AnyCapability, Effect, Input, Output
from tools.errors import InvalidArguments, NotFound
from tools.schema import input_schema, output_schema
from tools.surfaces import Offer

FIND, DESCRIBE, CALL_READ, CALL_WRITE = "find_capability", "describe_capability", "call_read", "call_write"

In = TypeVar("In", bound=Input)

CapabilityName = Annotated[str, Field(max_length=64, description="Name of a capability, from find_capability.")]


class Search(Input):
    query: (
        Annotated[str, Field(max_length=200, description="A few words, such as: funnel. All there are if left out.")]
        | None
    ) = None


class Named(Input):
    name: CapabilityName


class Call(Input):
    name: CapabilityName
    arguments: (
        Annotated[dict[str, JsonValue], Field(description="Exactly what describe_capability says that it takes.")]
        | None
    ) = None


class Hit(Output):
    name: str
    summary: str
    call_with: str


class Hits(Output):
    items: tuple[Hit, ...]


class Description(Output):
    name: str
    description: str
    effect: Effect
    call_with: str
    input_schema: dict[str, JsonValue]
    output_schema: dict[str, JsonValue]


@dataclass(frozen=True, slots=True)
class FindingTool:
    name: str
    description: str
    input: type[Input]
    output: type[Output] | None  # None: whatever the target answers
    reads: bool

    @property
    def title(self) -> str:
        return self.name.replace("_", " ").capitalize()


_FIND = FindingTool(
    FIND,
    "Find what can be done here beyond the tools you see: website settings, goals, funnels, share links, alerts, "
    "reports, visitors and more. Returns the best matches, or everything there is, each with the tool that calls it.",
    Search,
    Hits,
    reads=True,
)
_DESCRIBE = FindingTool(
    DESCRIBE,
    "Describe one capability: what it does, what it takes and what it answers, as JSON Schema. Read this before the "
    "first call of it.",
    Named,
    Description,
    reads=True,
)
_CALL_READ = FindingTool(
    CALL_READ,
    "Call a capability that only reads, by its name. Takes the arguments that describe_capability names and answers "
    "what the capability answers. What would change something is refused.",
    Call,
    None,
    reads=True,
)
_CALL_WRITE = FindingTool(
    CALL_WRITE,
    "Call a capability that changes or deletes something, by its name. A person agrees first, as to every change: the "
    "answer is confirm_required with the exact plan, and nothing is touched until then.",
    Call,
    None,
    reads=False,
)


def finding_tools(offer: Offer) -> tuple[FindingTool, ...]:
    """None where everything is listed, and none that would have nothing to call."""
    if not offer.looked_up:
        return ()
    reading = any(capability.effect is Effect.READ for capability in offer.looked_up)
    writing = any(capability.effect is not Effect.READ for capability in offer.looked_up)
    return (_FIND, _DESCRIBE, *((_CALL_READ,) if reading else ()), *((_CALL_WRITE,) if writing else ()))


def shown(offer: Offer) -> tuple[AnyCapability | FindingTool, ...]:
    """What a surface lists, whichever the face."""
    return (*offer.listed, *finding_tools(offer))


def target(tool: FindingTool, offer: Offer, arguments: object) -> tuple[AnyCapability, dict[str, Any]]:
    """What a call of call_read or call_write is a call of; raises NotFound and InvalidArguments."""
    call = _taken(tool, Call, arguments)
    capability = _named(offer, call.name)
    if (meant := call_with(capability)) != tool.name:
        raise InvalidArguments(
            f"{capability.name} {'only reads' if meant == CALL_READ else 'changes something'}.",
            fix=f"Call it with {meant}.",
            problems=[{"field": "name", "problem": f"is for {meant}"}],
        )
    return capability, call.arguments or {}


def answer(tool: FindingTool, offer: Offer, scopes: Collection[Scope], arguments: object) -> Output:
    """Of find_capability, which names what these scopes allow, and of describe_capability."""
    if tool.name == FIND:
        query = _taken(tool, Search, arguments).query or ""
        allowed = [capability for capability in offer.all if capability.scope is None or capability.scope in scopes]
        return Hits(items=tuple(map(_hit, _best(allowed, query))))
    capability = _named(offer, _taken(tool, Named, arguments).name)
    return Description(
        name=capability.name,
        description=capability.description,
        effect=capability.effect,
        call_with=call_with(capability),
        input_schema=input_schema(capability.input),
        output_schema=output_schema(capability.output),
    )


def call_with(capability: AnyCapability) -> str:
    return CALL_READ if capability.effect is Effect.READ else CALL_WRITE


def _named(offer: Offer, name: str) -> AnyCapability:
    for capability in offer.all:
        if capability.name == name:
            return capability
    raise NotFound(f"There is no capability {name} here.", fix="Take a name from find_capability.")


def _hit(capability: AnyCapability) -> Hit:
    first, _, _ = capability.description.partition(". ")
    return Hit(name=capability.name, summary=first.removesuffix(".") + ".", call_with=call_with(capability))


def _best(capabilities: Sequence[AnyCapability], query: str) -> Sequence[AnyCapability]:
    """Those that match the words best, in the order of the registry; where none does, all. A rare word says more than
    a common one, and one of the name more than one of the description."""
    scores = dict.fromkeys((capability.name for capability in capabilities), 0.0)
    for word in {word.removesuffix("s") for word in re.findall(r"\w{3,}", query.lower())}:
        hits = {c.name: 3 * (word in c.name) + (word in c.description.lower()) for c in capabilities}
        total = sum(hits.values())
        for name, hit in hits.items():
            scores[name] += hit / total if total else 0
    least = max(scores.values(), default=0) / 2
    return [capability for capability in capabilities if scores[capability.name] >= least]


def _taken(tool: FindingTool, model: type[In], arguments: object) -> In:
    try:
        return model.model_validate(arguments)
    except ValidationError as invalid:
        problems = [
            {"field": ".".join(map(str, each["loc"])) or "arguments", "problem": each["msg"]}
            for each in invalid.errors(include_url=False, include_input=False)
        ]
    told = "; ".join(f"{problem['field']}: {problem['problem']}" for problem in problems[:3])
    raise InvalidArguments(
        f"{tool.name} cannot take this: {told}",
        fix=f"Send {' and '.join(model.model_fields)}, and nothing else beside.",
        problems=problems,
    )
