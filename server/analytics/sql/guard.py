"""What no statement of ours, of a project or of an admin may do: the engine's own read-only mode leaves holes.

Measured on ClickHouse 26.9 embedded: readonly=1 stops inserts, DDL, settings and most table functions, yet lets through
file() as a function, INTO OUTFILE, KILL, several statements in one, and every table of every database.
"""

from server.analytics.engine import QueryRefused
from server.analytics.sql.statement import Statement
from server.analytics.sql.tokens import Kind, Token

# Of the functions that are tables, those that make their rows out of nothing but their arguments.
TABLE_FUNCTIONS = frozenset({
    *("numbers", "numbers_mt", "zeros", "zeros_mt", "generateseries", "generate_series", "primes", "null"),
    *("values", "sqlstandardvalues", "view", "format", "generaterandom", "fuzzjson"),
})  # fmt: skip
SYSTEM_TABLES = frozenset({"one", "numbers", "numbers_mt", "zeros", "zeros_mt"})
# Functions that read files, other tables, the server's configuration, or reach another machine, or only wait.
_REFUSED_CALLS = frozenset({
    *("file", "joinget", "joingetornull", "hascolumnintable", "catboostevaluate", "evalmlmethod", "modelevaluate"),
    *("sleep", "sleepeachrow", "showcertificate", "getclienthttpheader", "currentrequesturl", "getserversetting"),
    *("getserverport", "getmacro", "getmergetreesetting", "getsetting", "getsettingordefault", "logtrace", "eval"),
    *("addresstoline", "addresstolinewithinlines", "addresstosymbol", "demangle", "buildid", "trap", "python"),
    *("filesystemavailable", "filesystemcapacity", "filesystemunreserved", "zookeepersessionuptime"),
    *("mergetreepartinfo", "getmaxtablenamelengthfordatabase", "getoskernelversion", "hasthreadfuzzer"),
    *("naivebayesclassifier", "naivebayesclassifierwithprob", "naivebayesclassifierwithallprobs", "naivebayesngrams"),
    *("aigenerate", "aiclassify", "aiextract", "aitranslate", "aiembed", "aisimilarity", "aifilter", "airedact"),
    *("pg_table_is_visible", "pgtableisvisible", "pg_get_userbyid", "pggetuserbyid", "__scalarsubqueryresult"),
})  # fmt: skip
_REFUSED_PREFIXES = ("dictget", "dicthas", "dictisin")
_OTHER_DATABASES = frozenset({"SYSTEM", "INFORMATION_SCHEMA", "DEFAULT"})


def check(statement: Statement) -> None:
    """Raises QueryRefused. Names of tables are the caller's to resolve: what it does not know, it refuses."""
    tokens = statement.tokens
    if not tokens:
        raise QueryRefused("There is no SQL.")
    if tokens[0].word not in {"SELECT", "WITH"} and tokens[0].text != "(":
        raise QueryRefused(f"Only SELECT is answered here, not {tokens[0].text[:40]}.")
    for call in statement.calls:
        if refused(call):
            raise QueryRefused(f"The function {call} is not available here.")
    for function in statement.table_functions:
        if function.lower() not in TABLE_FUNCTIONS:
            raise QueryRefused(f"The table function {function} is not available here.")
    for first in statement.dotted - statement.names:
        raise QueryRefused(f"{first} is no table of this statement.")
    _check_words(tokens)
    _check_format(tokens)


def _check_format(tokens: tuple[Token, ...]) -> None:
    if len(tokens) > 2 and tokens[-2].word == "FORMAT" and tokens[-1].is_name and tokens[-3].word != "AS":
        raise QueryRefused("Who asks chooses the FORMAT: it is no part of the SQL.")


def refused(call: str) -> bool:
    name = call.lower()
    return name in _REFUSED_CALLS or name.startswith(_REFUSED_PREFIXES)


def _check_words(tokens: tuple[Token, ...]) -> None:
    for place, token in enumerate(tokens):
        following = tokens[place + 1] if place + 1 < len(tokens) else None
        if token.kind is Kind.SIGN:
            if token.text == ";":
                raise QueryRefused("One statement at a time: a semicolon can only be the last character.")
        elif following is None:
            continue
        elif token.word == "INTO" and following.word == "OUTFILE":
            raise QueryRefused("An answer cannot be written to a file.")
        elif token.word == "SETTINGS" and following.is_name and _assigns(tokens, place + 2):
            raise QueryRefused("SETTINGS cannot be changed here.")
        elif following.text == "." and token.text.upper() in _OTHER_DATABASES and not _allowed(tokens, place):
            raise QueryRefused(f"Tables of {token.text} are not available here.")


def _assigns(tokens: tuple[Token, ...], place: int) -> bool:
    return place < len(tokens) and tokens[place].text == "="


def _allowed(tokens: tuple[Token, ...], place: int) -> bool:
    return (
        token_at(tokens, place).text == "system"
        and token_at(tokens, place + 2).text in SYSTEM_TABLES
        and token_at(tokens, place + 3).text not in {".", "("}
    )


def token_at(tokens: tuple[Token, ...], place: int) -> Token:
    return tokens[place] if place < len(tokens) else Token(Kind.SIGN, "", 0, 0)
