"""Sessions and first times, remembered for a while."""

from server.analytics.ingest.visits import IDLE_MS, FirstTimes, Visits

NOON = 1_795_348_800_000


def test_a_session_ends_after_half_an_hour_without_a_word() -> None:
    visits = Visits()
    first = visits.session("w", "v", "", NOON)

    assert visits.session("w", "v", "", NOON + IDLE_MS) == first
    assert visits.session("w", "v", "", NOON + 2 * IDLE_MS + 1) != first


def test_websites_and_visitors_do_not_share_sessions() -> None:
    visits = Visits()

    assert len({visits.session(website, visitor, "", NOON) for website in "ab" for visitor in "cd"}) == 4


def test_after_a_restart_the_same_moment_is_the_same_session() -> None:
    assert Visits().session("w", "v", "", NOON) == Visits().session("w", "v", "", NOON)


def test_what_is_told_late_of_the_past_moves_nobodys_present() -> None:
    visits = Visits()
    visits.session("w", "v", "now", NOON)
    past = visits.session("w", "v", "", NOON - 10 * IDLE_MS)

    assert past != "now"
    assert visits.session("w", "v", "", NOON + 1) == "now"


def test_what_is_remembered_is_bounded() -> None:
    visits, times = Visits(most=2), FirstTimes(most=2)
    for number in range(3):
        visits.session("w", str(number), f"s-{number}", NOON)
        times.keep("w", str(number), number)

    assert visits.session("w", "2", "", NOON) == "s-2"
    assert visits.session("w", "0", "", NOON) != "s-0"
    assert [times.known("w", str(number)) for number in range(3)] == [None, 1, 2]
