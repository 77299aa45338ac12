"""What a request may contain, field by field: unknown fields and wrong types are refused, as the API does."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, TypeAdapter, ValidationError

from server.sandbox.anthropic.errors import ApiError, invalid


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class CacheControl(_Closed):
    type: Literal["ephemeral"]
    ttl: Literal["5m", "1h"] = "5m"


class _Marked(_Closed):
    cache_control: CacheControl | None = None


class Text(_Marked):
    type: Literal["text"]
    text: str
    citations: list[dict[str, Any]] | None = None


class Image(_Marked):
    type: Literal["image"]
    source: dict[str, Any]
    transformations: dict[str, Any] | None = None


class Citing(_Closed):
    enabled: bool = False


class Document(_Marked):
    type: Literal["document"]
    source: dict[str, Any]
    title: str | None = None
    context: str | None = None
    citations: Citing | None = None


class SearchResult(_Marked):
    type: Literal["search_result"]
    source: str
    title: str
    content: list[Text]
    citations: Citing | None = None


class ToolReference(_Marked):
    type: Literal["tool_reference"]
    tool_name: str


_ResultPart = Annotated[Text | Image | Document | SearchResult | ToolReference, Field(discriminator="type")]


class ToolUse(_Marked):
    type: Literal["tool_use"]
    id: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]+$")]
    name: Annotated[str, Field(min_length=1, max_length=200)]
    input: dict[str, Any]
    caller: dict[str, Any] | None = None
    toolset_name: str | None = None


def _is_text(value: object) -> str:
    return "~text" if isinstance(value, str) else "~blocks"


_Plain = Annotated[str, Tag("~text")]
"""A string may stand for a list of blocks; these tags do not show in the path of an error."""

_Results = Annotated[_Plain | Annotated[list[_ResultPart], Tag("~blocks")], Discriminator(_is_text)]


class ToolResult(_Marked):
    type: Literal["tool_result"]
    tool_use_id: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]+$")]
    content: _Results = ""
    is_error: bool = False
    toolset_name: str | None = None


class Thinking(_Closed):
    type: Literal["thinking"]
    thinking: str
    signature: str


class RedactedThinking(_Closed):
    type: Literal["redacted_thinking"]
    data: str


class ServerToolUse(_Marked):
    type: Literal["server_tool_use"]
    id: Annotated[str, Field(pattern=r"^srvtoolu_[a-zA-Z0-9_]+$")]
    name: str
    input: dict[str, Any]
    caller: dict[str, Any] | None = None


class WebSearchResult(_Marked):
    type: Literal["web_search_tool_result"]
    tool_use_id: str
    content: Any
    caller: dict[str, Any] | None = None


_Block = Annotated[
    Text | Image | Document | SearchResult | ToolUse | ToolResult | Thinking | RedactedThinking | ServerToolUse
    | WebSearchResult,
    Field(discriminator="type"),
]  # fmt: skip


_Content = Annotated[_Plain | Annotated[list[_Block], Tag("~blocks")], Discriminator(_is_text)]
_System = Annotated[_Plain | Annotated[list[Text], Tag("~blocks")], Discriminator(_is_text)]


class Message(_Closed):
    role: Literal["user", "assistant", "system"]
    content: _Content


class Tool(_Marked):
    name: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,128}$")]
    input_schema: dict[str, Any]
    type: Literal["custom"] | None = None
    description: str | None = None
    strict: bool | None = None
    defer_loading: bool | None = None
    eager_input_streaming: bool | None = None
    allowed_callers: list[str] | None = None
    input_examples: list[dict[str, Any]] | None = None


class ToolChoice(_Closed):
    type: Literal["auto", "any", "tool", "none"]
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


class ThinkingConfig(_Closed):
    type: Literal["adaptive", "enabled", "disabled", "between_tools"]
    display: Literal["summarized", "omitted"] | None = None
    budget_tokens: Annotated[int, Field(ge=1024)] | None = None


class Format(_Closed):
    type: Literal["json_schema"]
    schema_: Annotated[dict[str, Any], Field(alias="schema")]


class OutputConfig(_Closed):
    effort: Literal["low", "medium", "high", "xhigh", "max"] | None = None
    format: Format | None = None


class Diagnostics(_Closed):
    previous_message_id: str | None = None


class Metadata(_Closed):
    user_id: Annotated[str, Field(max_length=512)] | None = None


class Prompt(_Closed):
    """What counting takes, and what both share."""

    model: str
    messages: Annotated[list[Message], Field(min_length=1, max_length=100_000)]
    system: _System = ""
    tools: list[Tool] | None = None
    tool_choice: ToolChoice | None = None
    thinking: ThinkingConfig | None = None
    output_config: OutputConfig | None = None
    cache_control: CacheControl | None = None
    speed: Literal["standard", "fast"] | None = None


class Request(Prompt):
    max_tokens: Annotated[int, Field(ge=0)]
    stream: bool = False
    stop_sequences: list[str] | None = None
    temperature: Annotated[float, Field(ge=0, le=1)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    top_k: Annotated[int, Field(ge=0)] | None = None
    metadata: Metadata | None = None
    diagnostics: Diagnostics | None = None
    service_tier: Literal["auto", "standard_only"] = "auto"
    container: str | None = None
    inference_geo: str | None = None


_REQUEST = TypeAdapter(Request)
_PROMPT = TypeAdapter(Prompt)


def check(body: Any, *, counting: bool) -> None:
    """Raise what the API answers to the first thing wrong with the request's shape."""
    if not isinstance(body, dict):
        raise invalid("Input should be a valid dictionary")
    if "thread" in body:
        raise _no_threads()
    try:
        (_PROMPT if counting else _REQUEST).validate_python(body)
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_input=False)[0]
        path = ".".join(str(part) for part in first["loc"] if not str(part).startswith("~"))
        message = first["msg"]
        raise invalid(f"{path}: {message}" if path else message) from None


def _no_threads() -> ApiError:
    return invalid(
        "thread: this organization cannot use message threads. Send the full conversation without `thread`.",
        {"error_code": "thread_unsupported_request"},
    )
