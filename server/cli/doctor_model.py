"""Whether the chat has its models, whether they can do what it asks of them, and whether their prices are known."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from agent.model import API_VERSION
from agent.prices import MOST_DAYS, Prices, shipped
from server.cli.doctor_probe import Problem, Warned, asked_of
from server.process.client import running
from server.process.environment import variables
from server.settings import Settings

LEAST_WINDOW = 100_000
"""Tokens: system, tools and a dozen large results."""


@dataclass(frozen=True, slots=True)
class Chat:
    """What is set for it, read without the settings that a first start has yet to write."""

    key: str
    base: str
    model: str
    effort: str
    title_model: str
    prices: str
    simulated: bool  # by the sandbox that comes with the owner

    @classmethod
    def of(cls, directory: Path) -> Self:
        known = variables(directory)

        def value(name: str) -> str:
            return known.get(name.upper(), str(Settings.model_fields[name].default or ""))

        base = value("anthropic_base_url").rstrip("/")
        return cls(
            value("anthropic_api_key"),
            base,
            value("anthropic_model"),
            value("anthropic_effort"),
            "" if (titling := value("anthropic_title_model")) == "off" else titling,
            value("anthropic_prices"),
            base == f"{known.get('ADWRIGHT_SANDBOX')}/anthropic",
        )


def model(directory: Path) -> str:
    """The key opens the Messages API, and the model is there and can think, take an effort, and hold a conversation."""
    chat = Chat.of(directory)
    if (why_not := _silent(chat, directory)) is not None:
        return why_not
    info = _info(chat, chat.model, "ANTHROPIC_MODEL")
    _require_able(chat, info)
    window = info.get("max_input_tokens")
    held = f"; it holds {window:,} tokens" if window else ""
    return f"{info.get('display_name', chat.model)} answers as {chat.model}{held}"


def titles(directory: Path) -> str:
    chat = Chat.of(directory)
    if not chat.title_model:
        return "off: conversations keep their first words"
    if (why_not := _silent(chat, directory)) is not None:
        return why_not
    info = _info(chat, chat.title_model, "ANTHROPIC_TITLE_MODEL")
    return f"{info.get('display_name', chat.title_model)} gives them"


def prices(directory: Path) -> str:
    """What the chat costs is told, and its limits hold, by the table."""
    chat = Chat.of(directory)
    table = Prices.read(Path(chat.prices)) if chat.prices else shipped()
    where = chat.prices or "the table that comes along"
    unknown = [each for each in (chat.model, chat.title_model) if each and not table.bands(each)]
    if unknown:
        raise Warned(
            f"{where} has no price of {' and '.join(unknown)}: costs are not shown, and limits count the dearest",
            "Set ANTHROPIC_PRICES to a table that has it, written like agent/prices.toml.",
        )
    if (days := table.days_old(dt.datetime.now(dt.UTC).date())) > MOST_DAYS:
        raise Warned(
            f"{where} is {days} days old",
            "Compare it with the price page; upgrade, or set ANTHROPIC_PRICES to a table of your own.",
        )
    return f"as of {table.as_of:%Y-%m-%d}, {chat.model} among them"


def _silent(chat: Chat, directory: Path) -> str | None:
    """Why there is nobody to ask."""
    if not chat.key:
        return "no key, so no chat: set ANTHROPIC_API_KEY to have one"
    if chat.simulated and running(directory) is None:
        return "a scripted demo model; it comes with the owner"
    return None


def _info(chat: Chat, name: str, setting: str) -> dict[str, Any]:
    headers = {"x-api-key": chat.key, "anthropic-version": API_VERSION}
    path = f"/v1/models/{name}"
    status, info = asked_of(chat.base, path, headers, "Check the network and ANTHROPIC_BASE_URL.")
    if status in (401, 403):
        raise Problem(f"{chat.base} refuses the key", "Set ANTHROPIC_API_KEY to a key that is valid there.")
    if status == 404:
        raise Problem(f"there is no {name} for this key", f"Set {setting} to a model that the key may use.")
    if status != 200:
        raise Problem(f"{chat.base} answers {status}", "Try again later, or check ANTHROPIC_BASE_URL.")
    if info.get("lifecycle") == "retired":
        raise Problem(f"{name} is retired", f"Set {setting} to a model that is still served.")
    if info.get("lifecycle") == "deprecated":
        until = f" on {str(info['retires_at'])[:10]}" if info.get("retires_at") else ""
        raise Warned(f"{name} will be retired{until}", f"Set {setting} to a model that stays.")
    return info


def _require_able(chat: Chat, info: Mapping[str, Any]) -> None:
    """What the API does not tell is taken for granted, as that a model calls tools: all that are listed do."""
    other = "Set ANTHROPIC_MODEL to a model that can."
    can = info.get("capabilities") or {}
    if not _supported(can, "thinking", "types", "adaptive"):
        raise Warned(f"{chat.model} does not think adaptively, and answers without thinking", other)
    if not _supported(can, "effort"):
        raise Warned(f"{chat.model} takes no effort; ANTHROPIC_EFFORT is without effect", other)
    if not _supported(can, "effort", chat.effort):
        raise Problem(f"{chat.model} takes no effort {chat.effort}", "Set ANTHROPIC_EFFORT to low, medium or high.")
    window = info.get("max_input_tokens")
    if window and window < LEAST_WINDOW:
        raise Warned(f"{chat.model} holds {window:,} tokens, which a conversation soon fills", other)


def _supported(can: Mapping[str, Any], *path: str) -> bool:
    for name in path:
        found = can.get(name)
        if not isinstance(found, Mapping):
            return True
        can = found
    return can.get("supported") is not False
