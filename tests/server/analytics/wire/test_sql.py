"""The admin's own questions, and what else the wire tells of itself."""

import httpx2
import pytest

Headers = dict[str, str]


@pytest.fixture
def asked(filled: httpx2.AsyncClient, admin: Headers) -> httpx2.AsyncClient:
    filled.headers.update(admin)
    return filled


async def test_sql_comes_by_query_by_form_and_as_the_body(asked: httpx2.AsyncClient) -> None:
    statement = "SELECT 1 + 1 AS two FORMAT CSVWithNames"

    answers = [
        await asked.get("/v0/sql", params={"q": statement}),
        await asked.post("/v0/sql", params={"q": statement}),
        await asked.post("/v0/sql/", data={"q": statement}),
        await asked.post("/v0/sql", content=statement),
        await asked.post("/v0/sql", content=statement, headers={"content-type": "text/plain"}),
    ]

    assert [(each.status_code, each.text) for each in answers] == [(200, '"two"\n2\n')] * 5


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("SELECT 1 AS one", "application/json"),
        ("SELECT 1 AS one format json ; ", "application/json"),
        ("SELECT 1 AS one\nFORMAT\nJSONEachRow", "application/x-ndjson"),
        ("SELECT 1 AS one FORMAT Parquet", "application/vnd.apache.parquet"),
    ],
)
async def test_the_format_is_the_statements(asked: httpx2.AsyncClient, statement: str, kind: str) -> None:
    answer = await asked.get("/v0/sql", params={"q": statement})

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(kind)


async def test_pipes_and_tables_are_read_by_their_names(asked: httpx2.AsyncClient) -> None:
    statement = "SELECT l.one, count() AS n FROM hits, lib AS l WHERE tenant = 'ours' GROUP BY 1"

    answer = await asked.get("/v0/sql", params={"q": statement})

    assert answer.json()["data"] == [{"one": 1, "n": 2}]


@pytest.mark.parametrize(
    "statement",
    [
        "",
        "  ",
        "SELEC 1",
        "SELECT * FROM nowhere",
        "DROP TABLE hits",
        "INSERT INTO hits VALUES ('a', 'b', 1)",
        "SELECT 1; DROP TABLE hits",
        "SELECT * FROM file('/etc/passwd', 'LineAsString')",
        "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
        "SELECT 1 INTO OUTFILE '/tmp/x'",
        "SELECT 1 FORMAT Pretty",
        "SELECT 1 SETTINGS readonly = 0",
        "SYSTEM SHUTDOWN",
        "KILL QUERY WHERE 1",
    ],
)
async def test_what_is_no_question_is_refused(asked: httpx2.AsyncClient, statement: str) -> None:
    answer = await asked.post("/v0/sql", data={"q": statement})

    assert answer.status_code == 400
    assert answer.json()["error"]


async def test_a_body_that_is_no_text_is_refused(asked: httpx2.AsyncClient) -> None:
    assert (await asked.post("/v0/sql", content=b"\xff\xfe")).status_code == 400
    assert (await asked.post("/v0/sql", content=b"x" * 2_000_000)).status_code == 413


async def test_datasources_are_told_with_their_columns(asked: httpx2.AsyncClient) -> None:
    listed = (await asked.get("/v0/datasources")).json()["datasources"]
    hits = next(each for each in listed if each["name"] == "hits")

    assert [(column["name"], column["type"]) for column in hits["columns"]] == [
        ("tenant", "String"), ("path", "String"), ("n", "Int32"),
    ]  # fmt: skip
    assert (hits["description"], hits["engine"]["engine"]) == ("Hits of a page", "MergeTree")
    assert (await asked.get("/v0/datasources/hits")).json() == hits
    assert (await asked.get("/v0/datasources/nowhere")).status_code == 404


async def test_anyone_may_see_that_it_lives(filled: httpx2.AsyncClient) -> None:
    assert (await filled.post("/alive")).json() == {"alive": True}


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/", 404), ("GET", "/v0/jobs", 404), ("PUT", "/v0/sql", 405)]
)
async def test_what_is_not_there_is_told_in_the_same_shape(
    filled: httpx2.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await filled.request(method, path)

    assert (answer.status_code, list(answer.json())) == (status, ["error"])
