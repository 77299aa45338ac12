"""The query language is really read: what it lacks is refused with its code, and with the word it broke at."""

import pytest

from server.sandbox.google import gaql
from server.sandbox.google.errors import Failure
from server.sandbox.google.gaql import Condition, Query, Token


def test_every_clause_is_read() -> None:
    query = gaql.parse(
        """select campaign.id, metrics.clicks
        FROM campaign
        WHERE campaign.status IN ('ENABLED', PAUSED) AND metrics.clicks >= 10 AND campaign.name NOT LIKE "a \\"b\\" %"
          AND segments.date BETWEEN '2026-11-01' AND '2026-11-07' AND campaign.end_date_time IS NULL
        ORDER BY metrics.clicks DESC, campaign.id
        LIMIT 5
        PARAMETERS include_drafts=true, omit_unselected_resource_names = false"""
    )

    assert query == Query(
        select=("campaign.id", "metrics.clicks"),
        resource="campaign",
        where=(
            Condition("campaign.status", "IN", (Token("string", "ENABLED"), Token("name", "PAUSED"))),
            Condition("metrics.clicks", ">=", (Token("number", "10"),)),
            Condition("campaign.name", "NOT LIKE", (Token("string", 'a "b" %'),)),
            Condition("segments.date", "BETWEEN", (Token("string", "2026-11-01"), Token("string", "2026-11-07"))),
            Condition("campaign.end_date_time", "IS NULL"),
        ),
        order=(("metrics.clicks", True), ("campaign.id", False)),
        limit=5,
        parameters=(("include_drafts", True), ("omit_unselected_resource_names", False)),
    )


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("campaign.id FROM campaign", "EXPECTED_SELECT"),
        ("SELECT", "UNEXPECTED_END_OF_QUERY"),
        ("SELECT FROM campaign", "UNEXPECTED_INPUT"),
        ("SELECT campaign.id", "EXPECTED_FROM"),
        ("SELECT campaign.id WHERE campaign.id = 1", "EXPECTED_FROM"),
        ("SELECT campaign.id campaign.name FROM campaign", "UNEXPECTED_INPUT"),
        ("SELECT campaign.id, FROM campaign", "UNEXPECTED_INPUT"),
        ("SELECT id FROM campaign", "BAD_FIELD_NAME"),
        ("SELECT campaign. FROM campaign", "BAD_FIELD_NAME"),
        ("SELECT campaign.* FROM campaign", "BAD_SYMBOL"),
        ("SELECT campaign.id FROM campaign; DROP", "BAD_SYMBOL"),
        ("SELECT campaign.id FROM campaign WHERE", "UNEXPECTED_END_OF_QUERY"),
        ("SELECT campaign.id FROM campaign WHERE campaign.id", "UNEXPECTED_END_OF_QUERY"),
        ("SELECT campaign.id FROM campaign WHERE campaign.id ~ 1", "BAD_SYMBOL"),
        ("SELECT campaign.id FROM campaign WHERE campaign.id CONTAINS 1", "BAD_OPERATOR"),
        ("SELECT campaign.id FROM campaign WHERE campaign.id = (1, 2)", "EXPECTED_SINGLE_VALUE"),
        ("SELECT campaign.id FROM campaign WHERE campaign.id = ,", "BAD_VALUE"),
        ("SELECT campaign.id FROM campaign WHERE campaign.id IN 1", "EXPECTED_LIST"),
        ("SELECT campaign.id FROM campaign WHERE campaign.id IN ()", "PROHIBITED_EMPTY_LIST_IN_CONDITION"),
        ("SELECT campaign.id FROM campaign WHERE campaign.id IN (1 2)", "UNEXPECTED_INPUT"),
        ("SELECT campaign.id FROM campaign WHERE campaign.id IN (1", "UNEXPECTED_END_OF_QUERY"),
        ("SELECT campaign.id FROM campaign WHERE campaign.id BETWEEN 1", "EXPECTED_AND"),
        ("SELECT campaign.id FROM campaign WHERE campaign.id BETWEEN 1 AND", "EXPECTED_VALUE_WITH_BETWEEN_OPERATOR"),
        ("SELECT campaign.id FROM campaign WHERE campaign.id = 1 OR campaign.id = 2", "UNEXPECTED_INPUT"),
        ("SELECT campaign.id FROM campaign WHERE campaign.id = 12x", "BAD_NUMBER"),
        ("SELECT campaign.id FROM campaign WHERE campaign.name = 'open", "STRING_NOT_TERMINATED"),
        ("SELECT campaign.id FROM campaign WHERE campaign.name = 'two\nlines'", "PROHIBITED_NEWLINE_IN_STRING"),
        ("SELECT campaign.id FROM campaign WHERE campaign.name = 'a\\qb'", "BAD_ESCAPE_SEQUENCE"),
        ("SELECT campaign.id FROM campaign ORDER campaign.id", "EXPECTED_BY"),
        ("SELECT campaign.id FROM campaign ORDER BY 1", "UNEXPECTED_INPUT"),
        ("SELECT campaign.id FROM campaign LIMIT many", "BAD_LIMIT_VALUE"),
        ("SELECT campaign.id FROM campaign LIMIT 1.5", "BAD_LIMIT_VALUE"),
        ("SELECT campaign.id FROM campaign LIMIT 0", "LIMIT_VALUE_TOO_LOW"),
        ("SELECT campaign.id FROM campaign LIMIT 5 LIMIT 6", "UNEXPECTED_INPUT"),
        ("SELECT campaign.id FROM campaign PARAMETERS drafts=true", "BAD_PARAMETER_NAME"),
        ("SELECT campaign.id FROM campaign PARAMETERS include_drafts=maybe", "BAD_PARAMETER_VALUE"),
        ("SELECT campaign.id FROM campaign PARAMETERS include_drafts", "UNEXPECTED_INPUT"),
    ],
)
def test_what_is_not_gaql_is_refused_with_its_code_and_place(text: str, code: str) -> None:
    with pytest.raises(Failure) as caught:
        gaql.parse(text)

    (problem,) = caught.value.problems
    assert problem.code == f"queryError.{code}"
    assert problem.location == (("query", None),)
    assert caught.value.status == 400
