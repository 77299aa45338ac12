"""How much a template may do: whoever wrote it, a render ends soon and its SQL has an end."""

from collections.abc import Iterable, Iterator, Sized
from typing import Any

from server.analytics.template.errors import TooMuch

STEPS = 50_000  # iterations and elements made, in one render
TEXT = 1_000_000  # characters of one string, and of the SQL
NUMBER_BITS = 512
NESTING = 50  # blocks in blocks, and brackets in brackets
SOURCE = 200_000  # characters of a template


class Budget:
    __slots__ = ("steps",)

    def __init__(self) -> None:
        self.steps = STEPS

    def spend(self, steps: int) -> None:
        self.steps -= steps
        if self.steps < 0:
            raise TooMuch(f"The template takes more than {STEPS:,} steps.")

    def counted(self, items: Iterable[Any]) -> Iterator[Any]:
        for item in items:
            self.spend(1)
            yield item

    def read(self, value: Any) -> Any:
        """What an operation goes through from end to end."""
        if isinstance(value, str | list | tuple | set | dict):
            self.spend(len(value) >> (7 if isinstance(value, str) else 4))
        return value

    def made(self, value: Any) -> Any:
        """What an operation made: its size is paid for, all the way down, for a list of lists of lists grows fast."""
        if isinstance(value, str):
            check_text(len(value))
            self.spend(len(value) >> 7)
        elif isinstance(value, int):
            if value.bit_length() > NUMBER_BITS:
                raise TooMuch(f"A number of more than {NUMBER_BITS} bits.")
        elif isinstance(value, list | tuple | set | dict):
            self.spend(1)
            for item in value.items() if isinstance(value, dict) else value:
                self.made(item) if isinstance(item, Sized) else self.spend(1)
        return value


def check_text(length: int) -> None:
    if length > TEXT:
        raise TooMuch(f"A text of more than {TEXT:,} characters.")
