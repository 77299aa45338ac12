"""What stands around every page of someone signed in: where they are, what waits for them, who answers in the panel."""

from dataclasses import dataclass

_ANALYTICS = frozenset({"/websites"})


@dataclass(frozen=True, slots=True)
class Assistant:
    """Whoever answers in the panel, as people are told."""

    model: str = ""  # empty: nobody, for want of a key

    @property
    def scripted(self) -> bool:
        return "scripted" in self.model.lower()


NOBODY = Assistant()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    path: str
    waiting: int  # approvals that wait for a person
    assistant: Assistant = NOBODY

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
