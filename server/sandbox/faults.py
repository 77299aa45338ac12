"""Failures on demand: what really goes wrong upstream, queued per target, so that clients can prove they survive it."""

import re
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum

PLATFORMS = frozenset({"google", "meta", "anthropic"})
TAGS = frozenset({
    "GET", "POST", "DELETE", "read", "write", "batch",
    "me", "adaccounts", "campaigns", "insights", "debug_token", "oauth",
    "token", "customers", "listAccessibleCustomers", "googleAds", "googleAdsFields", "campaignBudgets", "search",
    "searchStream", "mutate",
    "messages", "count_tokens", "models", "haiku", "sonnet", "opus", "tools",
})  # fmt: skip
"""A target is a platform, narrowed by tags that must all fit: `meta`, `meta:POST`, `meta:act_1:insights`, `meta:write`.

A tag is a method, a word of the path, an account, the id of an object, `batch`, or whether the call writes (validating
does not); of a model also its line, and `tools` where the request has some. `google` alone
leaves its token endpoint in peace, which `google:token` disturbs. Within a batch, faults that the platform
words itself hit the calls one by one, the others the whole.
"""

_OBJECT = re.compile(r"(act_)?\d+")
_GOOGLE_WORD, _OAUTH_WORD = re.compile(r"[a-z][A-Za-z]*Error\.[A-Z_]+"), re.compile(r"[a-z_]+")
_DEFAULT_SECONDS = 35.0
"""Longer than the 30 seconds a patient client waits."""


class Kind(StrEnum):
    EXPIRED_TOKEN = "expired_token"  # noqa: S105  # the name of a fault
    THROTTLED = "throttled"
    SERVER_ERROR = "server_error"
    ERROR = "error"
    HTML = "html"
    SLOW = "slow"
    CUT = "cut"
    LOST_ANSWER = "lost_answer"
    """Fires on the next accepted write only: the change is made, and the connection then breaks."""
    OVERLOADED = "overloaded"
    OVERLOADED_MID = "overloaded_mid"
    """An error event in mid-sentence, behind a status of 200."""
    TRUNCATED = "truncated"
    """The stream ends tidily, but before it says how the answer ends."""
    REFUSAL = "refusal"
    MAX_TOKENS = "max_tokens"
    """Tokens run out within the next tool call, or in mid-sentence where there is none."""
    PAUSE_TURN = "pause_turn"
    CONTEXT_WINDOW = "context_window"
    """The answer has no room left within the model's window, and ends in mid-sentence."""
    TOO_LONG = "too_long"
    """The prompt alone does not fit."""
    SILENT = "silent"
    """The stream stops in mid-sentence, and stays open for so many seconds."""
    INVALID_ARGUMENTS = "invalid_arguments"
    UNKNOWN_TOOL = "unknown_tool"
    PARALLEL = "parallel"
    """The next tool call comes with others beside it; the two before this one wait for a tool call likewise."""


OF_A_MODEL = frozenset({
    Kind.OVERLOADED, Kind.OVERLOADED_MID, Kind.TRUNCATED, Kind.REFUSAL, Kind.MAX_TOKENS, Kind.PAUSE_TURN,
    Kind.CONTEXT_WINDOW, Kind.TOO_LONG, Kind.SILENT, Kind.INVALID_ARGUMENTS, Kind.UNKNOWN_TOOL, Kind.PARALLEL,
})  # fmt: skip
"""Faults that only `anthropic` knows."""
_NEVER_OF_A_MODEL = frozenset({Kind.ERROR, Kind.LOST_ANSWER})

ANSWERED = frozenset({Kind.EXPIRED_TOKEN, Kind.THROTTLED, Kind.SERVER_ERROR, Kind.ERROR})
"""Faults the platform words itself; the rest happen to the connection."""


class FaultRefused(ValueError):
    """The fault cannot be queued as written; the message says what to send instead."""


@dataclass
class Fault:
    target: str
    kind: Kind
    times: int = 1
    seconds: float = _DEFAULT_SECONDS
    code: int | str = 1
    """A number on Meta; on Google such as `quotaError.RESOURCE_EXHAUSTED`, at its token endpoint `invalid_grant`."""
    subcode: int | None = None
    status: int | None = None
    message: str | None = None
    retry_after: int = 1
    """Seconds that a throttled or overloaded model says."""

    def matches(self, platform: str, tags: Collection[str]) -> bool:
        first, *rest = self.target.split(":")
        return first == platform and all(tag in tags for tag in rest)

    def to_json(self) -> dict[str, object]:
        shown = {"target", "kind", "times"}
        if self.kind in {Kind.SLOW, Kind.SILENT}:
            shown |= {"seconds"}
        if self.kind is Kind.ERROR:
            shown |= {"code", "subcode", "status", "message"}
        return {name: value for name, value in asdict(self).items() if name in shown and value is not None}


class Faults:
    def __init__(self) -> None:
        self._queue: list[Fault] = []

    def add(self, wanted: object) -> Fault:
        fault = parse(wanted)
        self._queue.append(fault)
        return fault

    def take(
        self, platform: str, tags: Collection[str], kinds: Collection[Kind], *, naming: str | None = None
    ) -> Fault | None:
        """Use up one firing of the oldest queued fault that fits, if any; with `naming` its target has that tag."""
        for fault in self._queue:
            if naming is not None and naming not in fault.target.split(":"):
                continue
            if fault.kind in kinds and fault.matches(platform, tags):
                fault.times -= 1
                if fault.times == 0:
                    self._queue.remove(fault)
                return fault
        return None

    def clear(self) -> None:
        self._queue.clear()

    def to_json(self) -> list[dict[str, object]]:
        return [fault.to_json() for fault in self._queue]


def parse(wanted: object) -> Fault:
    if not isinstance(wanted, Mapping):
        raise FaultRefused('send a JSON object such as {"target": "meta", "kind": "throttled", "times": 1}')
    unknown = set(wanted) - set(Fault.__dataclass_fields__)
    if unknown:
        raise FaultRefused(f"unknown {', '.join(sorted(unknown))}; known: {', '.join(Fault.__dataclass_fields__)}")
    kind = wanted.get("kind")
    if kind not in set(Kind):
        raise FaultRefused(f"kind must be one of {', '.join(Kind)}")
    if kind == Kind.ERROR and "code" not in wanted:
        raise FaultRefused("kind error needs the platform's code, such as 190, and takes subcode, status and message")
    target = _target(wanted.get("target"))
    if (target.startswith("anthropic") and kind in _NEVER_OF_A_MODEL) or (
        not target.startswith("anthropic") and kind in OF_A_MODEL
    ):
        raise FaultRefused(f"{kind} does not happen to {target.split(':')[0]}")
    return Fault(
        target=target,
        kind=Kind(kind),
        times=_integer(wanted, "times", 1, least=1),
        seconds=_seconds(wanted.get("seconds", _DEFAULT_SECONDS)),
        code=_code(wanted, target),
        subcode=_integer(wanted, "subcode", 0, least=0) or None,
        status=_status(wanted, target),
        message=None if wanted.get("message") is None else str(wanted["message"]),
        retry_after=_integer(wanted, "retry_after", 1, least=0, most=3600),
    )


def _target(value: object) -> str:
    platform, *tags = str(value).split(":")
    if platform not in PLATFORMS or any(tag not in TAGS and not _OBJECT.fullmatch(tag) for tag in tags):
        raise FaultRefused(
            f"target is a platform ({', '.join(sorted(PLATFORMS))}), narrowed by any of :act_<id>, :<object id>, "
            + ", ".join(f":{tag}" for tag in sorted(TAGS))
        )
    return ":".join([platform, *tags])


def _code(wanted: Mapping[object, object], target: str) -> int | str:
    platform, *tags = target.split(":")
    if platform != "google" or wanted.get("kind") != Kind.ERROR:
        return _integer(wanted, "code", 1, least=1)
    code, pattern = str(wanted["code"]), _OAUTH_WORD if "token" in tags else _GOOGLE_WORD
    if not pattern.fullmatch(code):
        raise FaultRefused("code must be such as quotaError.RESOURCE_EXHAUSTED, or invalid_grant for google:token")
    return code


def _status(wanted: Mapping[object, object], target: str) -> int | None:
    """Google's follows from the code unless it is given."""
    if target.startswith("google") and wanted.get("status") is None:
        return None
    return _integer(wanted, "status", 400, least=400, most=599)


def _integer(wanted: Mapping[object, object], name: str, default: int, *, least: int, most: int = 10**9) -> int:
    value = wanted.get(name, default)
    if value is None:
        return default
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise FaultRefused(f"{name} must be an integer from {least} to {most}")
    return value


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 600:
        raise FaultRefused("seconds must be a number from 0 to 600")
    return float(value)
