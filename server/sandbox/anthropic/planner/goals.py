"""Setting up a goal: what it is called, what it counts, and of which website."""

import re

from server.sandbox.anthropic.planner.steps import Asked, Said
from server.sandbox.anthropic.planner.tables import plain

_NAME = re.compile(r"[\"“«]([^\"“”«»\n]+)[\"”»]|\b(?:called|named)\s+([\w-]+)", re.IGNORECASE)
_EVENT = re.compile(r"\bevent:?\s+[\"“«]?([\w.-]+)", re.IGNORECASE)
_PATH = re.compile(r"(?<![\w/.:])/[\w-]+[\w/-]*")


def create(asked: Asked) -> str:
    name, event, path = _NAME.search(asked.words), _EVENT.search(asked.words), _PATH.search(asked.words)
    if name is None or (event is None and path is None):
        return "For a goal I need a name (in quotes) and what it counts: an event, or a path such as /thanks. Which?"
    selector = f"event:{event[1].rstrip('.')}" if event else f"path:{path[0]}" if path else ""
    arguments = {"websiteId": _website(asked), "name": name[1] or name[2], "selector": selector}
    result = asked.propose("create_goal", arguments)
    if result.is_error:
        return result.problem()
    return f"The goal **{plain(arguments['name'])}** exists; it counts `{selector}`."


def _website(asked: Asked) -> str:
    """The one that is named, or the only one."""
    held = asked.rows("list_websites")
    if not held:
        raise Said("No website is counted yet, so there is nothing to set a goal for.")
    lower = asked.words.lower()
    named = [row for row in held if str(row.get("domain")).lower() in lower] or held
    if len(named) > 1:
        raise Said(f"Of which website: {', '.join(plain(row.get('domain')) for row in named)}?")
    return str(named[0]["id"])
