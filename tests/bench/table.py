"""What a benchmark found, and how it is shown: ours, the peer's, the ratio, and the ratio to stay under."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """Medians of both sides in `unit`; a peer of None stands where a figure has a bound of its own."""

    name: str
    unit: str
    ours: float
    peer: float | None = None
    target: float | None = None

    @property
    def judged(self) -> float:
        """What the target bounds: the ratio, or where there is no peer the figure itself."""
        return self.ours if self.peer is None else self.ours / self.peer

    @property
    def met(self) -> bool | None:
        return None if self.target is None else self.judged <= self.target

    def told(self) -> str:
        beside = "" if self.peer is None else f" beside {self.peer:,.1f}"
        return f"{self.name}: {self.ours:,.1f} {self.unit}{beside}{'  MISSED' if self.met is False else ''}"

    def shown(self) -> dict[str, Any]:
        return asdict(self) | {"ratio": None if self.peer is None else round(self.judged, 3), "met": self.met}


def text(rows: Sequence[Row]) -> str:
    lines = [("", "ours", "peer", "ratio", "target", "")]
    for row in rows:
        peer = "" if row.peer is None else f"{row.peer:,.1f}"
        ratio = "" if row.peer is None else f"{row.judged:.2f}×"
        bound = "" if row.target is None else f"≤ {row.target:g}" + ("×" if row.peer is not None else f" {row.unit}")
        verdict = {None: "", True: "met", False: "MISSED"}[row.met]
        lines.append((row.name, f"{row.ours:,.1f} {row.unit}", peer, ratio, bound, verdict))
    widths = [max(len(line[at]) for line in lines) for at in range(6)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if at == 0 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )
