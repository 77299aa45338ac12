"""What the Messages API makes of a request: checked as the API checks it, accounted for, and answered."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from server.sandbox.anthropic import prefix as prefixes
from server.sandbox.anthropic import rules, shape, thinking, transcript
from server.sandbox.anthropic.cache import Accounting, Cache
from server.sandbox.anthropic.diagnosis import Diagnosis
from server.sandbox.anthropic.disturbed import IN_CALLS, IN_TURNS, disturb
from server.sandbox.anthropic.errors import too_long
from server.sandbox.anthropic.limits import Limits
from server.sandbox.anthropic.models import Model, find
from server.sandbox.anthropic.planner.planner import plan
from server.sandbox.anthropic.prefix import Prefix
from server.sandbox.anthropic.reply import Reply, compose
from server.sandbox.anthropic.script import Script
from server.sandbox.anthropic.turn import Turn
from server.sandbox.faults import Faults

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request that the API accepts, and who asked."""

    body: Body
    key: str
    model: Model
    prefix: Prefix
    binding: thinking.Binding
    accounting: Accounting


class Messages:
    def __init__(self, faults: Faults, script: Script, now: Callable[[], datetime]) -> None:
        self.script = script
        self.gullible = False
        self.limits = Limits(now)
        self._faults = faults
        self._cache = Cache(now)
        self._diagnosis = Diagnosis()
        self._now = now

    def count(self, body: Body) -> int:
        shape.check(body, counting=True)
        self._checked(body)
        return prefixes.read(body).tokens

    def prepare(self, body: Body, key: str) -> Prepared:
        """Raise what the API would answer instead."""
        shape.check(body, counting=False)
        model, binding = self._checked(body)
        prefix = prefixes.read(body)
        if prefix.tokens > model.max_input_tokens:
            raise too_long(prefix.tokens, model.max_input_tokens)
        accounting = self._cache.account(key, model, prefix, body.get("cache_control"))
        return Prepared(body, key, model, prefix, binding, accounting)

    def turn(self, prepared: Prepared, tags: set[str]) -> Turn:
        """What the model says: as scripted or as planned, and then as faults make it."""
        body = prepared.body
        if body["max_tokens"] == 0:  # only warms the cache
            return Turn((), "max_tokens")
        turn = self.script.take(body) or plan(body, self._now().date(), gullible=self.gullible)
        kinds = IN_TURNS | (IN_CALLS if turn.calls else frozenset())
        fault = turn.fault or self._faults.take("anthropic", tags, kinds)
        return disturb(turn, fault.kind, body.get("tools") or []) if fault is not None else turn

    def reply(self, prepared: Prepared, turn: Turn) -> Reply:
        body, prefix = prepared.body, prepared.prefix
        extra: dict[str, Any] = {}
        if body.get("diagnostics") is not None:
            previous = body["diagnostics"].get("previous_message_id")
            extra["diagnostics"] = self._diagnosis.compare(prepared.key, previous, prefix)
        return compose(prepared.model, body, turn, prepared.binding, prepared.accounting.usage(), extra)

    def begun(self, prepared: Prepared, reply: Reply) -> None:
        """From now on others can read what this request has cached."""
        self._cache.keep(prepared.key, prepared.accounting)
        self._diagnosis.keep(prepared.key, reply.id, prepared.prefix)
        self.limits.charge(prepared.key, prepared.accounting.uncached, reply.final_usage["output_tokens"])

    def _checked(self, body: Body) -> tuple[Model, thinking.Binding]:
        model = find(body["model"])
        rules.check(model, body)
        transcript.check(model, body)
        return model, thinking.verify(model, body)


def tags(method: str, path: str, body: object) -> set[str]:
    """How a fault may name this request."""
    found = {method, *path.split("/")}
    if isinstance(body, Mapping):
        found |= set(str(body.get("model", "")).split("-"))
        if body.get("tools"):
            found.add("tools")
    return found
