"""Graph's error object and what its code and subcode stand for.

Dispatch is never on Meta's wording, with the one exception of a refusal that has no code of its own (`_TOO_MUCH`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Self

import orjson

from tools.secret import redact

_TOO_MUCH = "reduce the amount of data"


class Kind(Enum):
    REAUTH = auto()
    BLOCKED = auto()  # the token is still good
    PERMISSION = auto()
    THROTTLED = auto()
    SUNSET = auto()
    TOO_MUCH = auto()
    TRANSIENT = auto()
    MISSING = auto()
    DUPLICATE = auto()
    INVALID = auto()


_BY_SUBCODE: Mapping[tuple[int, int | None], Kind] = {
    (190, 459): Kind.BLOCKED,
    (100, 33): Kind.MISSING,
    (100, 2446289): Kind.TOO_MUCH,
}
_BY_CODE: Mapping[int, Kind] = {
    190: Kind.REAUTH,
    368: Kind.BLOCKED,
    2635: Kind.SUNSET,
    **dict.fromkeys((10, 102, *range(200, 300)), Kind.PERMISSION),
    **dict.fromkeys((4, 17, 32, 613, *range(80000, 80007), 80008, 80009, 80014), Kind.THROTTLED),
    **dict.fromkeys((506, 2650), Kind.DUPLICATE),
}
_TRANSIENT = frozenset({1, 2, 104, 960})


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphError:
    """Graph's error object."""

    code: int
    subcode: int | None = None
    message: str = ""
    title: str | None = None
    user_message: str | None = None
    transient: bool = False
    trace_id: str | None = None
    field: str | None = None  # the parameter that Meta blames
    http_status: int = 400

    @classmethod
    def of(cls, error: Mapping[str, Any], http_status: int) -> Self:
        """From the wire, without what looks like a credential: Meta quotes the token it could not parse."""

        def text(name: str) -> str | None:
            return redact(str(error[name]))[:500] if error.get(name) else None

        def number(name: str) -> int | None:
            value = error.get(name)
            return value if isinstance(value, int) else None

        return cls(
            code=number("code") or 0,
            subcode=number("error_subcode") or number("subcode"),
            message=text("message") or "",
            title=text("error_user_title"),
            user_message=text("error_user_msg"),
            transient=error.get("is_transient") is True,
            trace_id=text("fbtrace_id"),
            field=_blamed(error.get("error_data")),
            http_status=http_status,
        )

    @property
    def kind(self) -> Kind:
        known = _BY_SUBCODE.get((self.code, self.subcode)) or _BY_CODE.get(self.code)
        if known:
            return known
        if self.code == 1 and _TOO_MUCH in self.message.lower():
            return Kind.TOO_MUCH
        if self.code in _TRANSIENT or self.transient or self.http_status >= 500:
            return Kind.TRANSIENT
        return Kind.INVALID

    @property
    def words(self) -> str:
        """For a person: the words Meta means to be shown, else its technical ones."""
        return (
            ": ".join(part for part in (self.title, self.user_message or self.message) if part) or f"code {self.code}"
        )


def _blamed(data: object) -> str | None:
    """From error_data {"blame_field_specs": [["daily_budget"]]}, which may itself be JSON in a string."""
    try:
        data = orjson.loads(data) if isinstance(data, str) else data
    except orjson.JSONDecodeError:
        return None
    specs = data.get("blame_field_specs") if isinstance(data, dict) else None
    match specs:
        case [[str(name), *_], *_]:
            return name[:100]
    return None
