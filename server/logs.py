"""Logs and error reports: JSON on stderr, one line an event, and nothing in them that looks like a credential."""

import logging
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import sentry_sdk
import structlog
from sentry_sdk.scrubber import EventScrubber
from sentry_sdk.types import Event, Hint

from server.settings import Settings
from server.version import VERSION
from tools.secret import MASK, redact

QUIETED = ("httpx2", "httpcore", "mcp", "asyncio")
_OURS = ("status", "ms", "request_id")


def configure(settings: Settings) -> None:
    """Once a process, before the application is made."""
    told: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(allow=_OURS),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # A structlog logger of a library goes the same way: by itself it would print to stdout, unredacted.
    structlog.configure(
        processors=[*told, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    render = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=told,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _redacted_last,
            structlog.processors.JSONRenderer(),
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(render)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for chatty in QUIETED:
        logging.getLogger(chatty).setLevel(logging.WARNING)
    if settings.sentry_dsn is not None:
        report_to(settings.sentry_dsn)


def report_to(dsn: str) -> None:
    """No personal data (the SDK's default), request bodies or variables of stack frames; what is left is redacted."""
    sentry_sdk.init(
        dsn=dsn,
        release=f"adwright@{VERSION}",
        include_local_variables=False,
        max_request_body_size="never",
        event_scrubber=EventScrubber(recursive=True),
        before_send=_scrubbed,
        before_send_transaction=_scrubbed,
        before_breadcrumb=lambda crumb, _hint: masked(crumb),
    )


def _redacted_last(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    clean: Mapping[str, Any] = masked(event)
    return clean


def _scrubbed(event: Event, _hint: Hint) -> Event:
    clean: Event = masked(event)
    return clean


def masked(value: Any) -> Any:
    """The same structure with every text in it redacted; what is no JSON becomes text first."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {redact(str(name)): masked(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [masked(each) for each in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return MASK if isinstance(value, bytes) else redact(str(value))
