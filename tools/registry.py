"""An immutable, ordered set of capabilities."""

from collections.abc import Iterable, Iterator

from tools.capability import AnyCapability


class Registry:
    def __init__(self, *groups: Iterable[AnyCapability]) -> None:
        listed = [capability for group in groups for capability in group]
        self._by_name = {capability.name: capability for capability in listed}
        if len(self._by_name) != len(listed):
            raise TypeError("a capability is declared twice")
        routes = {(capability.rest.method, capability.rest.path) for capability in listed}
        if len(routes) != len(listed):
            raise TypeError("two capabilities share a route")

    def __iter__(self) -> Iterator[AnyCapability]:
        return iter(self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def __getitem__(self, name: str) -> AnyCapability:
        return self._by_name[name]

    def get(self, name: str) -> AnyCapability | None:
        return self._by_name.get(name)
