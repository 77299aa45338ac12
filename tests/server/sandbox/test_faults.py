"""A fault fires where and as often as it was asked for, and no more."""

import pytest

from server.sandbox.faults import FaultRefused, Faults, Kind


def test_a_fault_fires_as_often_as_asked_and_then_is_gone() -> None:
    faults = Faults()
    faults.add({"target": "meta", "kind": "throttled", "times": 2})

    fired = [faults.take("meta", {"GET"}, {Kind.THROTTLED}) is not None for _ in range(3)]

    assert fired == [True, True, False]
    assert faults.to_json() == []


@pytest.mark.parametrize(
    ("target", "fires"),
    [
        ("meta", True),
        ("meta:POST", True),
        ("meta:act_1:campaigns", True),
        ("meta:write", True),
        ("meta:GET", False),
        ("meta:act_2", False),
        ("meta:POST:insights", False),
    ],
)
def test_a_target_fires_only_where_all_its_parts_fit(target: str, fires: bool) -> None:
    faults = Faults()
    faults.add({"target": target, "kind": "cut"})

    taken = faults.take("meta", {"POST", "act_1", "campaigns", "write"}, {Kind.CUT})

    assert (taken is not None) is fires


@pytest.mark.parametrize(
    ("wanted", "complaint"),
    [
        ([], "send a JSON object"),
        ({"target": "meta", "kind": "explode"}, "kind must be one of"),
        ({"target": "nobody", "kind": "cut"}, "target is a platform"),
        ({"target": "meta:nowhere", "kind": "cut"}, "target is a platform"),
        ({"kind": "cut"}, "target is a platform"),
        ({"target": "meta", "kind": "cut", "times": 0}, "times must be an integer"),
        ({"target": "meta", "kind": "cut", "times": True}, "times must be an integer"),
        ({"target": "meta", "kind": "slow", "seconds": -1}, "seconds must be a number"),
        ({"target": "meta", "kind": "error"}, "needs the platform's code"),
        ({"target": "meta", "kind": "error", "code": 1, "status": 9999}, "status must be an integer"),
        ({"target": "meta", "kind": "cut", "often": 2}, "unknown often"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused_with_what_would(wanted: object, complaint: str) -> None:
    with pytest.raises(FaultRefused, match=complaint):
        Faults().add(wanted)
