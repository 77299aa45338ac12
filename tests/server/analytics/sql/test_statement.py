"""What a statement names, held against the engine's own parser."""

import json
import re

import pytest

from server.analytics.chdb.engine import ChdbEngine
from server.analytics.engine import Format, QueryRefused
from server.analytics.sql.statement import read

STATEMENTS = [
    "SELECT 1",
    "SELECT a FROM t",
    "SELECT a FROM t AS x WHERE x.b = 1",
    "SELECT a FROM t x FINAL",
    "SELECT a FROM t FINAL SAMPLE 0.1 PREWHERE b = 1 WHERE c = 2",
    'SELECT a FROM d.t, e.u AS v, `f`."g h" w',
    "SELECT a FROM t ANY LEFT JOIN u USING a, b INNER JOIN v ON t.a = v.a AND v.b IN (1, 2), w",
    "SELECT a FROM t1 GLOBAL LEFT JOIN (SELECT * FROM t2) AS t2 ON t1.a = t2.a CROSS JOIN t3",
    "SELECT a, z FROM t ARRAY JOIN n.x AS y, n.w AS z LEFT JOIN q ON q.a = t.a",
    "SELECT a FROM t LEFT ARRAY JOIN arr WHERE x.y = 1",
    "SELECT a FROM (t JOIN d.u ON 1)",
    "FROM t SELECT a",
    "SELECT a FROM t WHERE b IN (SELECT c FROM u WHERE d.e = 1, f IN (SELECT g FROM v))".replace(", f", " AND f"),
    "SELECT a FROM t WHERE (SELECT max(b) FROM u) > c AND exists(SELECT 1 FROM v)",
    "WITH x AS (SELECT a FROM t) SELECT * FROM x JOIN y USING a",
    "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT * FROM r, s",
    "WITH 5 AS five, (SELECT max(a) FROM t) AS top, x AS (SELECT b FROM u) SELECT five, top FROM x",
    "SELECT extract(YEAR FROM ts), trim(BOTH 'a' FROM b), substring(c FROM 2) FROM t",
    "SELECT a IS DISTINCT FROM b, c IS NOT DISTINCT FROM d FROM t",
    "SELECT * EXCEPT (a, b) REPLACE (c + 1 AS c) FROM t EXCEPT SELECT * FROM u",
    "SELECT a FROM t UNION ALL (SELECT b FROM u UNION DISTINCT SELECT c FROM v) INTERSECT SELECT d FROM w",
    "SELECT sum(a) OVER (PARTITION BY b ORDER BY c ROWS 1 PRECEDING) FROM t WINDOW x AS (ORDER BY a)",
    "SELECT a FROM numbers(10) AS n, zeros(3), t",
    "SELECT count() FROM view(SELECT 1 FROM t)",
    "SELECT 'FROM x', \"FROM\", `FROM y`, $$ FROM z $$, $a$ FROM w $a$ FROM t -- FROM u",
    "SELECT a FROM t /* FROM v /* FROM q */ */ # FROM r",
    "SELECT a -- it's\nFROM t WHERE b = 'it''s \\' FROM u' AND c = \"x\\\"y\"",
    "SELECT a FROM t GROUP BY b WITH TOTALS ORDER BY c WITH FILL FROM 1 TO 3 STEP 1 LIMIT 1 BY d LIMIT 5, 6",
    "SELECT if(a, b, c), [d, e], map('f', g), (h, i).1, j[1], k::Array(String) FROM t",
    "SELECT arrayMap((x, y) -> x + y, a, b) FROM t AS s (c, d), u",
    "SELECT a FROM t GROUP BY GROUPING SETS ((a), (b)) HAVING count() > 1 QUALIFY row_number() OVER () = 1",
    "SELECT (SELECT a FROM t LIMIT 1) AS x, (FROM u SELECT b) AS y",
    "SELECT a FROM t PASTE JOIN u",
    "SELECT a FROM t ASOF LEFT JOIN u ON t.a = u.a AND t.b >= u.b, v",
    "(SELECT a FROM t) UNION ALL (SELECT b FROM u)",
    "SELECT date '2026-01-01', INTERVAL 1 DAY, timestamp '2026-01-01 00:00:00' FROM t offset 1",
    "SELECT CASE WHEN a IN (1) THEN b ELSE c END, a BETWEEN 1 AND 2, x.y.z FROM t x",
    "SELECT a, FROM t",
    "SELECT a AS fill FROM t",
    "SELECT 1e5, .5, 0x1F, 1_000, 1.5e-3, -1. FROM t1d",
]


@pytest.mark.parametrize("sql", STATEMENTS)
async def test_the_tables_of_a_statement_are_those_that_the_engine_sees(engine: ChdbEngine, sql: str) -> None:
    answer = await engine.query(f"EXPLAIN AST {sql}", output=Format.NDJSON)
    tree = "\n".join(next(iter(json.loads(line).values())) for line in answer.splitlines())
    theirs = sorted(re.findall(r"TableIdentifier (.+?)(?: \(alias .*\))?$", tree, re.MULTILINE))

    ours = sorted(".".join(each.parts) for each in read(sql).references if not each.after_in)

    assert ours == theirs


async def test_names_after_in_are_found_within_their_parentheses_too() -> None:
    statement = read(
        "SELECT a IN t, b NOT IN (u), c GLOBAL IN ((v)), d IN (e, f), g IN (SELECT h FROM w), i IN tuple(j)"
    )

    assert [(each.parts, each.after_in) for each in statement.references] == [
        (("t",), True),
        (("u",), True),
        (("v",), True),
        (("w",), False),
    ]


async def test_a_name_of_a_with_is_the_statements_own_but_for_its_own_text() -> None:
    statement = read("WITH t AS (SELECT * FROM t) SELECT * FROM (WITH u AS (SELECT 1) SELECT * FROM u, t), u")

    found = [(each.parts[0], statement.defines(each)) for each in statement.references]

    assert found == [("t", False), ("u", True), ("t", True), ("u", False)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 'a",
        "SELECT `a",
        "SELECT /* a",
        "SELECT /* /* a */",
        "SELECT $a$ b",
        "SELECT ‘a’",
        "SELECT a\u2212b",
        "SELECT (a",
        "SELECT a)",
        "SELECT * FROM 'passwd.csv'",
        "SELECT * FROM {table:Identifier}",
        "SELECT * FROM 5",
        "SELECT \0",
        "SELECT 1" + " " * 100_000 + "‘",
        "SELECT '" + "''" * 100_000,
        "SELECT " + "/*" * 100_000,
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(sql: str) -> None:
    with pytest.raises(QueryRefused):
        read(sql)


@pytest.mark.parametrize(
    ("sql", "values"),
    [
        ("SELECT (SELECT a FROM t)", {"(SELECT a FROM t)": "a"}),
        ("SELECT assumeNotNull((SELECT x.a FROM t AS x)) AS b", {"(SELECT x.a FROM t AS x)": "a"}),
        ("SELECT 1, ( SELECT `a` FROM t x ) AS b", {"( SELECT `a` FROM t x )": "a"}),
        ("SELECT b FROM u WHERE b < ((SELECT a FROM t) + 1)", {"(SELECT a FROM t)": "a"}),
        ("SELECT b FROM u WHERE b > 1 AND (SELECT a FROM t) < b", {"(SELECT a FROM t)": "a"}),
        ("SELECT a FROM (SELECT a FROM t)", {}),
        ("SELECT a FROM u, (SELECT a FROM t)", {}),
        ("SELECT a FROM u JOIN (SELECT a FROM t) AS v USING a", {}),
        ("SELECT b FROM u WHERE b IN (SELECT a FROM t)", {}),
        ("SELECT b FROM u WHERE (b, c) NOT IN ((SELECT a FROM t))", {}),
        ("SELECT exists(SELECT a FROM t), count(SELECT a FROM t)", {}),
        ("WITH v AS (SELECT a FROM t) SELECT a FROM v", {}),
        ("WITH v AS ((SELECT a FROM t)) SELECT a FROM v", {}),
        ("(SELECT a FROM t) UNION ALL (SELECT a FROM u)", {}),
        ("((SELECT a FROM t) UNION ALL SELECT a FROM u)", {}),
        ("SELECT a FROM ((SELECT a FROM t) UNION ALL (SELECT a FROM u))", {}),
        ("SELECT (SELECT a, b FROM t), (SELECT DISTINCT a FROM t), (SELECT a + 1 FROM t), (SELECT a AS b FROM t)", {}),
        ("SELECT (SELECT a FROM t WHERE a), (SELECT a FROM t, u), (SELECT a FROM d.t), (SELECT a FROM t LIMIT 1)", {}),
    ],
)  # fmt: skip
def test_a_subquery_of_one_column_is_known_where_a_value_is_meant(sql: str, values: dict[str, str]) -> None:
    found = [reference.value for reference in read(sql).references if reference.value is not None]

    assert {sql[value.start : value.end]: value.column for value in found} == values
