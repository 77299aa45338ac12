"""Questions and the tools that their words find."""

from tests.evals.retrieval import SHARE, TOP, Bm25, found, words
from tests.evals.task import book


def test_words_that_say_nothing_are_left_out_and_the_others_cut_to_their_stem() -> None:
    assert words("What are the campaigns that we paused from {-7d} on?") == ["campaign", "paus"]


def test_the_document_with_the_rarest_words_of_the_question_comes_first() -> None:
    index = Bm25({"a": "list campaigns", "b": "list funnels of campaigns", "c": "list goals of campaigns"})

    assert index.ranked("Which funnels are there?") == ["b", "a", "c"]


def test_the_words_of_most_questions_find_their_tool() -> None:
    questions = found(book())

    assert len(questions) >= 40
    assert all(len(each.ranked) == TOP for each in questions)
    missed = [each for each in questions if not each.hit]
    assert len(missed) <= (1 - SHARE) * len(questions), missed
