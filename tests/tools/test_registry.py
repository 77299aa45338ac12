"""The registry is ordered, and refuses doubles."""

from dataclasses import replace

import pytest

from tools.catalog import catalog
from tools.registry import Registry


def test_the_order_is_the_one_declared_and_every_name_is_found() -> None:
    listed = list(catalog)

    assert len(catalog) == len(listed)
    assert [catalog[capability.name] for capability in listed] == listed
    assert listed[0].name == "whoami"


def test_an_unknown_name_is_not_there() -> None:
    assert "nothing_here" not in catalog
    assert catalog.get("nothing_here") is None
    with pytest.raises(KeyError):
        catalog["nothing_here"]


def test_a_name_is_declared_once() -> None:
    with pytest.raises(TypeError, match="declared twice"):
        Registry([catalog["whoami"]], [catalog["whoami"]])


def test_a_route_belongs_to_one_capability() -> None:
    with pytest.raises(TypeError, match="share a route"):
        Registry([catalog["whoami"], replace(catalog["whoami"], name="who_else")])
