"""What stands around every page of someone signed in: where they are, what waits for them, who answers in the panel."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

_ANALYTICS = frozenset({"/websites"})


Answers = Callable[[], Awaitable[str | None]]
"""The name of the model that answers in new conversations; None where nobody does, for want of a key."""


async def nobody() -> None:
    """Where there is no chat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    path: str
    waiting: int  # approvals that wait for a person
    model: str = ""  # empty: nobody answers
    once: bool = False  # the answer to a form, which a look at its address would not show again

    @property
    def scripted(self) -> bool:
        return "scripted" in self.model.lower()

    @property
    def section(self) -> str:
        return "/" + self.path.split("/")[1]

    @property
    def page(self) -> str:
        """As the chat is told where a person looks: no deeper than a page and what it shows."""
        return "/".join(self.path.split("/")[:3])

    @property
    def surface(self) -> str:
        return "analytics" if self.section in _ANALYTICS else "ads"

    @property
    def conversation(self) -> str:
        return self.path.removeprefix("/chat/") if self.path.startswith("/chat/") else ""
