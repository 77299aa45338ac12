"""The models there are, what each of them takes, and how the API lists them."""

from dataclasses import dataclass

from server.sandbox.anthropic.errors import ApiError, no_such_model

_EFFORTS = ("low", "medium", "high", "xhigh", "max")


@dataclass(frozen=True, slots=True)
class Model:
    id: str
    name: str
    line: str
    released: str
    min_cacheable: int = 1024
    """Shorter prefixes are not cached, and nothing says so."""
    thinking: frozenset[str] = frozenset({"adaptive", "disabled", "between_tools"})
    """The values of `thinking.type` it takes."""
    thinks_unasked: bool = True
    binds_thinking: bool = True
    """A thinking block is good only behind the exact prefix that it was generated behind."""
    shows_thinking: bool = False
    """Whether `display` is `summarized` where it is left out."""
    forced_tools: bool = True
    prefill: bool = False
    sampling: bool = False
    """Whether temperature, top_p and top_k are taken."""
    max_input_tokens: int = 1_000_000
    max_tokens: int = 128_000
    retires_at: str | None = None

    def to_json(self) -> dict[str, object]:
        return {
            "type": "model",
            "id": self.id,
            "display_name": f"Scripted demo model (in place of {self.name})",  # people are shown who answers
            "created_at": self.released,
            "line": self.line,
            "lifecycle": "deprecated" if self.retires_at else "active",
            "deprecated_at": "2026-08-30T00:00:00Z" if self.retires_at else None,
            "retires_at": self.retires_at,
            "max_input_tokens": self.max_input_tokens,
            "max_tokens": self.max_tokens,
            "capabilities": self._capabilities(),
        }

    def _capabilities(self) -> dict[str, object]:
        return {
            "batch": _support(yes=False),
            "citations": _support(),
            "code_execution": _support(yes=False),
            "context_management": _support(yes=False),
            "effort": _support() | {level: _support() for level in _EFFORTS},
            "image_input": _support(),
            "pdf_input": _support(),
            "server_tools": _support(yes=False)
            | {name: _support(yes=False) for name in ("code_execution", "web_search")},
            "structured_outputs": _support(),
            "thinking": _support()
            | {
                "types": {
                    kind: _support(yes=kind in self.thinking)
                    for kind in ("adaptive", "between_tools", "disabled", "enabled")
                }
            },
        }


def _support(*, yes: bool = True) -> dict[str, object]:
    return {"supported": yes}


_ALWAYS_ADAPTIVE = frozenset({"adaptive"})
_CLASSIC = frozenset({"adaptive", "enabled", "disabled"})

MODELS = {
    model.id: model
    for model in (
        Model("claude-haiku-5-5", "Claude Haiku 5.5", "haiku", "2026-10-07T00:00:00Z"),
        Model("claude-sonnet-5-5", "Claude Sonnet 5.5", "sonnet", "2026-09-28T00:00:00Z", 512, forced_tools=False),
        Model(
            "claude-opus-5-5", "Claude Opus 5.5", "opus", "2026-09-22T00:00:00Z", 512, _ALWAYS_ADAPTIVE,
            forced_tools=False,
        ),
        Model("claude-fable-5-1", "Claude Fable 5.1", "fable", "2026-08-20T00:00:00Z", 512, _ALWAYS_ADAPTIVE),
        Model("claude-opus-5", "Claude Opus 5", "opus", "2026-05-20T00:00:00Z", 512, _CLASSIC, binds_thinking=False),
        Model("claude-sonnet-5", "Claude Sonnet 5", "sonnet", "2026-05-06T00:00:00Z", 1024, _CLASSIC,
              binds_thinking=False),
        Model("claude-opus-4-8", "Claude Opus 4.8", "opus", "2026-03-10T00:00:00Z", 1024, _CLASSIC,
              thinks_unasked=False, binds_thinking=False),
        Model("claude-haiku-4-5", "Claude Haiku 4.5", "haiku", "2025-10-15T00:00:00Z", 4096,
              frozenset({"enabled", "disabled"}), thinks_unasked=False, binds_thinking=False, shows_thinking=True,
              prefill=True, sampling=True, max_input_tokens=200_000, max_tokens=64_000),
        Model("claude-sonnet-4-5", "Claude Sonnet 4.5", "sonnet", "2025-09-29T00:00:00Z", 1024,
              frozenset({"enabled", "disabled"}), thinks_unasked=False, binds_thinking=False, shows_thinking=True,
              prefill=True, sampling=True, max_input_tokens=200_000, max_tokens=64_000,
              retires_at="2026-11-30T00:00:00Z"),
    )
}  # fmt: skip
"""Newest first, as the API lists them. Release dates before September 2026 are approximate."""


def find(name: str) -> Model:
    try:
        return MODELS[name]
    except KeyError:
        raise no_such_model(name) from None


def page(after: str | None, before: str | None, limit: int) -> dict[str, object]:
    """A page of the list, `after` and `before` being ids of models."""
    known = list(MODELS.values())
    ids = list(MODELS)
    try:
        start = ids.index(after) + 1 if after else 0
        end = ids.index(before) if before else len(ids)
    except ValueError:
        raise ApiError(400, "invalid_request_error", "after_id or before_id names no model") from None
    rows = known[start:end]
    shown = rows[-limit:] if before else rows[:limit]
    return {
        "data": [model.to_json() for model in shown],
        "has_more": len(shown) < len(rows),
        "first_id": shown[0].id if shown else None,
        "last_id": shown[-1].id if shown else None,
    }
