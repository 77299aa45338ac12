"""Limits a second, by a clock of the test's own."""

import pytest

from server.analytics.wire.rates import MOST_NAMES, Rates


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_so_many_a_second_are_let_in_and_the_next_is_told_when(clock: Clock) -> None:
    rates = Rates(clock)

    first, second = rates.take("a", 2), rates.take("a", 2)
    clock.now += 0.4
    third = rates.take("a", 2)

    assert [first.allowed, second.allowed, third.allowed] == [True, True, False]
    assert [first.remaining, second.remaining, third.remaining] == [1, 0, 0]
    assert third.reset == pytest.approx(0.6)
    assert third.headers() == {
        "x-ratelimit-limit": "2", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1", "retry-after": "1",
    }  # fmt: skip
    assert "retry-after" not in first.headers()


def test_it_is_a_sliding_second_and_refusals_do_not_count(clock: Clock) -> None:
    rates = Rates(clock)
    assert rates.take("a", 1).allowed
    for _ in range(5):
        clock.now += 0.125
        assert not rates.take("a", 1).allowed

    clock.now += 0.375
    assert rates.take("a", 1).allowed


def test_names_do_not_share_and_one_name_does_whatever_limit_its_tokens_say(clock: Clock) -> None:
    rates = Rates(clock)

    assert rates.take("a", 1).allowed
    assert rates.take("b", 1).allowed
    assert not rates.take("a", 1).allowed
    assert rates.take("a", 2).allowed
    assert not rates.take("a", 1).allowed


def test_names_without_end_take_no_memory_without_end(clock: Clock) -> None:
    rates = Rates(clock)

    for number in range(MOST_NAMES + 10):
        rates.take(str(number), 1)

    assert len(rates._taken) == MOST_NAMES
    assert not rates.take(str(MOST_NAMES + 9), 1).allowed
