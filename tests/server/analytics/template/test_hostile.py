"""Whatever a caller sends: it stays inside the literal or the name that the template gave it."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.analytics.template.compiled import Template, compile_template
from server.analytics.template.errors import TemplateError, TemplateRefusal

HOSTILE = st.text(
    st.one_of(st.sampled_from("'\"`\\%{}()[];-/*#\n\0\r\t\b\x1a,.: axn0@$"), st.characters(codec="utf-8")), max_size=40
)
TOKEN = re.compile(
    r"(?P<literal>'(?:[^'\\]|\\.)*')|(?P<name>`(?:[^`\\]|\\.)*`)|(?P<quoted>\"(?:[^\"\\]|\\.)*\")"
    r"|(?P<other>[^'`\"])",
    re.DOTALL,
)
ESCAPES = {"0": "\0", "r": "\r", "b": "\b", "t": "\t", "n": "\n", "\\": "\\", "'": "'", '"': '"', "`": "`", "/": "/"}


def skeleton(sql: str) -> tuple[str, list[str]]:
    """The SQL with L for each literal and N for each quoted name, and the literals' own texts."""
    shape, literals, at = [], [], 0
    while at < len(sql):
        found = TOKEN.match(sql, at)
        assert found, f"a quote is left open: {sql!r}"
        shape.append({"literal": "L", "name": "N", "quoted": "N"}.get(str(found.lastgroup), found.group()))
        if found.lastgroup == "literal":
            literals.append(read(found.group()[1:-1]))
        at = found.end()
    return "".join(shape), literals


def read(text: str) -> str:
    """As ClickHouse reads a literal: an escape that it does not know is two characters."""
    return re.sub(r"\\(.)", lambda e: ESCAPES.get(e.group(1), e.group()), text, flags=re.DOTALL)


def shown(value: str) -> str:
    """What is known to arrive otherwise than it was sent, as with the vendor: % for LIKE, and one control character."""
    return value.replace("%", "\\%").replace("\x1a", "\\z")


@pytest.mark.parametrize(
    "template",
    [
        "%a = {{String(x)}} z",
        "%a = {{x}} z",
        "%a = {{String(y, 'd') if defined(y) else x}} z",
        "%{{sql_and(a=x)}} z",
        "%{% set v = x %}a = {{v}} z",
        "%{% for v in [x] %}a = {{v}} z{% end %}",
        "%a = {{f'{x}'}} z",
        "%a = {{x + ''}} z",
        "%a = {{''.join([x])}} z",
        "%a = {{{'k': x}['k']}} z".replace("{{{", "{{ {"),
    ],
)
@settings(max_examples=40)
@given(value=HOSTILE)
def test_a_text_stays_in_its_literal_and_is_read_back_as_it_was_sent(template: str, value: str) -> None:
    sql = compile_template(template).render({"x": value}).sql
    assert skeleton(sql) == ("a = L z", [shown(value)])


@given(value=HOSTILE)
def test_an_unescaped_per_cent_is_the_text_itself(value: str) -> None:
    sql = compile_template("%a = {{sql_unescape(String(x), '%')}} z").render({"x": value}).sql
    assert skeleton(sql) == ("a = L z", [value.replace("\x1a", "\\z")])


@given(values=st.lists(HOSTILE.filter(lambda text: "," not in text), min_size=1, max_size=4))
def test_the_elements_of_an_array_stay_apart(values: list[str]) -> None:
    for given_ in (values, ",".join(values)):
        sql = compile_template("%a IN {{Array(x, 'String')}} z").render({"x": given_}).sql
        assert skeleton(sql) == (f"a IN [{','.join('L' * len(values))}] z", [shown(value) for value in values])


@given(values=st.lists(HOSTILE.filter(lambda text: "," not in text and text == text.strip()), min_size=1, max_size=4))
def test_a_list_is_read_back_as_it_was_sent(values: list[str]) -> None:
    sql = compile_template("%a IN {{split_to_array(x)}} z").render({"x": ",".join(values)}).sql
    assert skeleton(sql) == (f"a IN [{', '.join('L' * len(values))}] z", values)


@pytest.mark.parametrize(
    ("template", "shape"),
    [
        ("%SELECT {{column(x)}} z", r"SELECT N(\.N)* z"),
        ("%SELECT {{columns(x)}} z", r"SELECT N(\.N)*(,N(\.N)*)* z"),
        ("%SELECT {{columns(x, fn='max')}} z", r"SELECT max\(N(\.N)*\) as [\w.]+(,max\(N(\.N)*\) as [\w.]+)* z"),
        ("%SELECT {{symbol(x)}} z", r"SELECT N z"),
        ("%SELECT {{symbol(x, '\"')}} z", r"SELECT N z"),
        ("%FROM {{table(x)}} z", r"FROM (N|\w+(\.\w+)*) z"),
        ("%a = {{sql_unescape(x)}} z", r"a = L z"),
        ("%a = {{sql_unescape(x, '\"')}} z", r"a = L z"),
        ("%a = {{sql_unescape(x, '`')}} z", r"a = L z"),
        ("%a = {{Int64(x)}} z", r"a = toInt64\(L\) z"),
        ("%a = {{Float64(x)}} z", r"a = toFloat64\(L\) z"),
        ("%a = {{Int(x)}} z", r"a = -?\d+ z"),
        ("%a = {{Boolean(x)}} z", r"a = [01] z"),
        ("%a = {{Date(x)}} z", r"a = L z"),
        ("%a = {{DateTime64(x)}} z", r"a = L z"),
        ("%a IN {{Array(x, 'Int32')}} z", r"a IN \[-?\d+(,-?\d+)*\] z"),
        ("%a IN {{Array(x, 'Float32')}} z", r"a IN \[[-\w.+]+(,[-\w.+]+)*\] z"),
        ("%a IN {{Array(x, 'Symbol')}} z", r"a IN \[N(,N)*\] z"),
        ("%{{max_threads(x)}}SELECT 1", r"-- max_threads:? [\w :]*\nSELECT 1"),
        ("%{{backend_hint(x)}}SELECT 1", r"-- backend_hint \w+\nSELECT 1"),
        ("%{{cache_ttl(x)}}SELECT 1", r"-- cache_ttl \w+\nSELECT 1"),
        ("%{{activate(x)}}SELECT 1", r"-- activate \w+\nSELECT 1"),
        ("%a = {{tb_secret(x, 'd')}} z", r"a = (L|\{\w+: String\}) z"),
        ("%{% for v in JSON(x) %}a = {{v}} z{% end %}", r"(a = ([-\d.e+L, :NUTrueFalsif\[\]{}])+ z)*"),
        ("%a = {{x[0]}} z", r"a = L z"),
        ("%a = {{x.replace('a', x)}} z", r"a = L z"),
        ("%a = {{x * 3}} z", r"a = L z"),
        ("%a = {{len(x)}} z", r"a = \d+ z"),
        ("%a = {{[x, {'k': x}, (x,)]}} z", r"a = \[L, \{L: L\}, \(L,\)\] z"),
    ],
)
@settings(max_examples=40)
@given(value=HOSTILE)
def test_no_value_becomes_sql(template: str, shape: str, value: str) -> None:
    try:
        sql = compile_template(template).render({"x": value}, secrets={"a": "kept"}).sql
    except TemplateError:
        return
    assert re.fullmatch(shape, skeleton(sql)[0]), sql


@pytest.mark.parametrize(
    "written",
    [
        "{{String(x)}}",
        "{{x}}",
        "{{[x]}}",
        "{{column(x)}}",
        "{{table(x)}}",
        "{{sql_unescape(x, '/')}}",
        "{{columns(x, fn='f')}}",
    ],
)
@settings(max_examples=40)
@given(value=st.text(st.sampled_from("*/\\'\"`\n-#.a"), max_size=12))
def test_no_value_ends_the_comment_that_it_stands_in(written: str, value: str) -> None:
    sql = compile_template(f"%SELECT 1 /* {written} */ -- {written}").render({"x": value}).sql
    assert sql.count("*/") == 1
    assert "\n" not in sql


@given(values=st.dictionaries(st.text(max_size=12), HOSTILE, max_size=5))
def test_values_that_nobody_asked_for_change_nothing(values: dict[str, str]) -> None:
    values.pop("x", None)
    template = compile_template("%SELECT {{String(x, 'd')}}, {{len('abc')}}, {{Int32(5)}}")
    names = {"len": "1", "Int32": "2", "String": "3", "__builtins__": "4", "self": "5", "scope": "6"}
    assert template.render({**values, **names}).sql == "SELECT 'd', 3, toInt32('5')"


@pytest.mark.parametrize("threads", ["-5", "9" * 30, "1.5", "x\nDROP TABLE y"])
def test_threads_that_no_engine_has_are_not_asked_for(threads: str) -> None:
    rendered = compile_template("%{{max_threads(x)}}SELECT 1").render({"x": threads})
    assert re.fullmatch(r"-- max_threads: wrong argument \d*\nSELECT 1", rendered.sql)
    assert rendered.settings == {}


def test_a_lone_surrogate_is_refused() -> None:
    with pytest.raises(TemplateError, match="not valid Unicode"):
        compile_template("%{{String(x)}}").render({"x": "\ud800"})


def test_a_million_characters_are_refused_and_many_are_taken() -> None:
    assert len(compile_template("%{{String(x)}}").render({"x": "a" * 900_000}).sql) == 900_002
    with pytest.raises(TemplateError, match="more than 1,000,000 characters"):
        compile_template("%{{String(x)}}").render({"x": "'" * 600_000})


def test_a_number_of_a_million_digits_is_refused_at_once() -> None:
    for type_ in ("Int256", "UInt64", "Int"):
        with pytest.raises(TemplateError, match="Error validating"):
            compile_template(f"%{{{{{type_}(x)}}}}").render({"x": "9" * 1_000_000})


def test_json_as_deep_as_can_be_is_refused() -> None:
    with pytest.raises(TemplateError, match="JSON"):
        compile_template("%{{JSON(x)[0]}}").render({"x": "[" * 200_000})


PIECES = st.sampled_from([
    "{{", "}}", "{%", "%}", "{#", "#}", "{{!", "if ", "elif ", "else", "end", "for ", "while ", "set ", "break", " in ",
    " x ", "x", "y=", "=", "==", "1", "'a'", "(", ")", "[", "]", "{", "}", ",", ":", ".", "defined", "String", "Array",
    "Int32", "columns", "sql_and", "range", "error", "__class__", "__import__", "lambda: ", " and ", " not ", "*", "**",
    "+", "\n", " ", "%", "\\", '"', "split", "join", "f'", "x for x in ", ":=", "await ", "ｆrom", "\0",
])  # fmt: skip


@given(st.lists(PIECES, max_size=25))
def test_any_template_renders_or_says_why_not(pieces: list[str]) -> None:
    try:
        Template("%" + "".join(pieces)).render({"x": "1,2"})
    except (TemplateError, TemplateRefusal):
        return


@given(st.lists(PIECES, max_size=12))
def test_any_expression_renders_or_says_why_not(pieces: list[str]) -> None:
    for around in (
        "%{{{{{}}}}}",
        "%{{% if {} %}}a{{% end %}}",
        "%{{% set v = {} %}}{{{{v}}}}",
        "%{{% for v in {} %}}b{{% end %}}",
    ):
        try:
            Template(around.format("".join(pieces))).render({"x": "1,2"})
        except (TemplateError, TemplateRefusal):
            continue
