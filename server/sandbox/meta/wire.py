"""One Graph call and its answer, the same whether it came alone or inside a batch."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Call:
    method: str
    path: tuple[str, ...]
    """Segments after the version."""
    params: Mapping[str, str]
    base_url: str
    """Where the versioned API lives for this client, for the `next` links."""

    @property
    def url(self) -> str:
        return "/".join([self.base_url, *self.path])


@dataclass(frozen=True)
class Answer:
    body: object
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    wrote: bool = False
    """Whether the platform's state changed; a validate_only call and a report run do not count."""
