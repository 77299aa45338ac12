"""One call of the API and its answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Call:
    method: str
    path: tuple[str, ...]
    """Segments below the mount, the version first; an action stays with its segment: `googleAds:search`."""
    headers: Mapping[str, str]
    body: bytes
    request_id: str


@dataclass(frozen=True)
class Answer:
    body: object
    """A string is HTML, as the platform's front answers for paths it does not know."""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    wrote: bool = False
    """Whether the platform's state changed; a validateOnly call does not count."""
