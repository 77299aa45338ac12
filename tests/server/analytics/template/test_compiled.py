"""What a template declares, what it may do, and how much of it."""

import json
from typing import Any

import pytest

from server.analytics.template.compiled import Template, compile_template
from server.analytics.template.errors import MissingParameter, TemplateError, TemplateRefusal
from tools.analytics import PipeParameter


def sql(template: str, **values: str | list[str]) -> str:
    return Template(template).render(values).sql


def declared(template: str) -> list[PipeParameter]:
    return list(Template(template).parameters)


def test_sql_without_a_per_cent_sign_is_no_template() -> None:
    plain = compile_template("SELECT '{{x}}' LIKE '{% if'")
    assert (plain.render({"x": "1"}).sql, plain.parameters) == ("SELECT '{{x}}' LIKE '{% if'", ())


def test_parameters_say_what_the_template_says_of_them() -> None:
    assert declared(
        "% {{String(path, '/', description='The path', required=True, enum=['/', '/a'])}} {{Int32(limit, 10)}}"
        " {{Date(day)}} {{Array(ids, 'Int64', '1,2')}} {{Boolean(all, default=True)}} {{Float64(rate, -0.5)}}"
    ) == [
        PipeParameter(
            name="path", type="String", description="The path", required=True, default="/", choices=("/", "/a")
        ),
        PipeParameter(name="limit", type="Int32", default="10"),
        PipeParameter(name="day", type="Date", required=True),
        PipeParameter(name="ids", type="Array(Int64)", default="1,2"),
        PipeParameter(name="all", type="Boolean", default="true"),
        PipeParameter(name="rate", type="Float64", default="-0.5"),
    ]


def test_a_parameter_that_only_some_renders_read_is_not_required() -> None:
    template = (
        "%{% if defined(a) and Int32(a) > 1 %}{{Int32(b)}}{% end %}{{String(c) if defined(c) else 'x'}}"
        "{{String(d, defined=False) if 1 else 2}}{{String(e)}}"
    )
    assert {p.name: p.required for p in declared(template)} == {
        "a": False, "b": False, "c": False, "d": False, "e": True,
    }  # fmt: skip


def test_the_typed_use_of_a_parameter_decides_its_type_and_the_template_s_own_names_are_none() -> None:
    found = declared(
        "%{% if defined(day) and x == '1' %}{% set own = String(y) %}{% for i in split_to_array(z, 'q') %}"
        "{{Date(day)}}{{own}}{{i}}{{[v for v in 'ab'][0] if 0 else ''}}{% end %}{% end %}".replace(
            "{{[v for v in 'ab'][0] if 0 else ''}}", ""
        )
    )
    assert [(p.name, p.type, p.default) for p in found] == [
        ("day", "Date", None), ("x", "String", None), ("y", "String", None), ("z", "String", "q"),
    ]  # fmt: skip


def test_a_name_that_python_keeps_for_itself_is_written_in_full_width() -> None:
    template = "%{% if defined(ｆrom) %}ts >= {{Date(ｆrom, description='first day')}}{% end %}"
    assert declared(template) == [PipeParameter(name="from", type="Date", description="first day")]
    assert Template(template).render({"from": "2026-01-31"}).sql == "ts >= '2026-01-31'"


def test_a_number_is_taken_as_its_text_and_nothing_as_not_given() -> None:
    values: dict[str, Any] = {"a": 5, "b": None, "c": [1, 2], "d": False}
    template = Template("%{{Int32(a)}} {{String(b, 'none')}} {{Array(c, 'Int32')}} {{Boolean(d, True)}}")
    assert template.render(values).sql == "toInt32('5') 'none' [1,2] 0"


def test_what_is_missing_is_named_with_its_line() -> None:
    with pytest.raises(MissingParameter) as missing:
        sql("%SELECT\n{{String(a)}} {{Int32(b, 1)}} {{Int32(c)}}", c="1")
    assert str(missing.value) == (
        "Template Syntax Error: Required parameter is not defined. Check the parameters a. Please provide a value or "
        "set a default value in the pipe code., line 2"
    )


def test_a_wrong_template_says_where() -> None:
    with pytest.raises(TemplateError) as wrong:
        Template("%SELECT\n\n{% if defined(a) %}\n{{a b}}{% end %}")
    assert wrong.value.line == 4


def test_a_refusal_carries_the_answer_and_its_status() -> None:
    with pytest.raises(TemplateRefusal) as refused:
        sql("%{{custom_error({'error': 'no such ' + x, 'hint': [1]}, 404)}}", x="page")
    assert (refused.value.body, refused.value.status) == ({"error": "no such page", "hint": [1]}, 404)
    with pytest.raises(TemplateRefusal) as refused:
        sql("%{{custom_error({'column': column('a'), 'n': Int32(5), 1: (Array('b'), None)})}}")
    assert json.loads(json.dumps(refused.value.body)) == {"column": "`a`", "n": "toInt32('5')", "1": ["['b']", None]}
    with pytest.raises(TemplateRefusal) as refused:
        sql("%{{custom_error('x', 99999)}}")
    assert refused.value.status == 400


def test_a_secret_is_named_in_the_sql_and_given_beside_it() -> None:
    rendered = Template("%SELECT {{tb_secret('key')}}").render({}, secrets={"key": "s3cr'et", "other": "x"})
    assert rendered.sql == "SELECT {key: String}"
    assert rendered.secrets == {"key": "s3cr'et"}


def test_one_template_is_compiled_once_and_renders_keep_nothing() -> None:
    template = "%{% set seen = [] %}{% set seen.append(x) %}{{len(seen)}}{{max_threads(2) if x == '1' else ''}}"
    first = compile_template(template.replace("{{max_threads(2) if x == '1' else ''}}", ""))
    assert compile_template(template.replace("{{max_threads(2) if x == '1' else ''}}", "")) is first
    assert [first.render({"x": x}).sql for x in ("1", "2", "3")] == ["1", "1", "1"]


@pytest.mark.parametrize(
    "template",
    [
        "%{% for i in range(100000000) %}{% end %}",
        "%{% while 1 %}{% end %}",
        "%{% for i in range(1000) %}{% for j in range(1000) %}{% end %}{% end %}",
        "%{% set x = 'a' %}{% while 1 %}{% set x = x + x %}{% end %}",
        "%{% set x = [1] %}{% while 1 %}{% set x = x + x %}{% end %}",
        "%{% set x = [1] %}{% while 1 %}{% set x = [x, x] %}{% end %}",
        "%{% set x = {'a': 1} %}{% while 1 %}{% set x = {'a': x, 'b': x} %}{% end %}",
        "%{% set x = 2 %}{% while 1 %}{% set x = x * x %}{% end %}",
        "%{{'a' * 1000000000}}",
        "%{{1000000000 * 'a'}}",
        "%{{[0] * 1000000000}}",
        "%{% set x = [] %}{% for i in [1] %}{% while 1 %}{% set x.append(x) %}{% end %}{% end %}{{x}}",
        "%{% set x = 'a' * 90000 %}{% set x = x.replace('a', x) %}",
        "%{% set x = 'a' * 90000 %}{% set x = x.join(x) %}",
        "%{% set x = [1, 2] * 40000 %}{% set x.extend(x) %}{% set x.extend(x) %}{% set x.extend(x) %}",
        "%{% set x = '1' * 90000 %}{% for i in range(20) %}{{x}}{% end %}",
        "%{% set x = [[i for i in range(300)] for j in range(300)] %}",
        "%{% set x = [1] %}"
        + "{% set y = [] %}{% set y.append(x) %}{% set y.append(x) %}{% set x = y %}" * 60
        + "{{x}}",
        "%{% set x = [1] %}" + "{% set y = {} %}{% set y[1] = x %}{% set y[2] = x %}{% set x = y %}" * 60 + "{{x}}",
        "%{% set x = range(20000) %}{% for i in x %}{% if 'a' in x %}{% end %}{% end %}",
        "%{% set x = range(20000) %}{% for i in x %}{% if sum(x) %}{% end %}{% end %}",
        "%{% set x = 'a' * 90000 %}{% for i in range(20000) %}{% if x.count('b') %}{% end %}{% end %}",
        "%{% set x = '[' + '1,' * 40000 + '1]' %}{% for i in range(20000) %}{% if len(JSON(x)) %}{% end %}{% end %}",
    ],
)
def test_a_template_that_would_not_end_is_stopped(template: str) -> None:
    with pytest.raises(TemplateError, match=r"[Mm]ore .*than|[Mm]ore than"):
        sql(template)


def test_a_list_of_itself_is_refused() -> None:
    with pytest.raises(TemplateError):
        sql("%{% set x = [] %}{% set x.append(x) %}{{x}}")


@pytest.mark.parametrize(
    "template",
    [
        "%{{" + "(" * 5000 + "1" + ")" * 5000 + "}}",
        "%{{" + "-" * 5000 + "1}}",
        "%{{" + "1 + " * 3000 + "1}}",
        "%{{" + "1 + " * 1000 + "1}}",
        "%{{a" + "[0]" * 1000 + "}}",
        "%{{a" + ".get(1)" * 300 + "}}",
        "%{{" + "a if b else " * 1000 + "c}}",
        "%{% set a" + "[0]" * 1000 + " = 1 %}",
        "%{% for a" + "[0]" * 1000 + " in b %}{% end %}",
        "%{{" + "[" * 80 + "]" * 80 + "}}",
        "%" + "{% if a %}" * 60 + "{% end %}" * 60,
        "%" + "{% for a in b %}" * 2000,
        "%" + "a" * 300_000,
        "%{% if " + "not " * 5000 + "a %}{% end %}",
        "%{% set " + "a = " * 5000 + "1 %}",
    ],
)
def test_what_is_nested_too_deep_or_too_long_is_refused(template: str) -> None:
    with pytest.raises(TemplateError):
        Template(template)


@pytest.mark.parametrize(
    "code",
    [
        "x.__class__", "x.upper", "__builtins__", "__import__('os')", "().__class__.__bases__", "x.format(1)",
        "open('a')",
        "getattr(x, 'a')", "eval('1')", "exec('1')", "globals()", "type(x)", "str.join", "''.join.__self__",
        "lambda: 1",
        "(y := 1)", "f'{x!r}'", "f'{x:>999999999}'", "'%99999999d' % 1", "x @ x", "2 ** 999", "1 << 999", "b'a'", "1j",
        "...", "[*x]", "{**x}", "String(**x)", "String(*x)", "print(1)", "vars()", "id(x)", "map(int, x)",
        "round(5, 0 - 1000000000)",
        "[a for a in x for b in x]", "x.encode()", "x.translate({})", "x.zfill(9)", "x.ljust(99999999)", "await x",
        "x.maketrans('a')", "{a for a in x}", "{a: a for a in x}",
    ],
)  # fmt: skip
def test_code_beyond_the_language_is_refused_wherever_it_stands(code: str) -> None:
    for template in (f"%{{{{ {code} }}}}", f"%{{% if {code} %}}{{% end %}}", f"%{{% set v = {code} %}}"):
        with pytest.raises(TemplateError):
            sql(template, x="1")


@pytest.mark.parametrize(
    "statement",
    [
        "import os", "del x", "x: int = 1", "pass", "return", "global x", "raise x", "assert x", "a = b = 1",
        "*a, b = x",
        "x.y = 1", "x[0:1] = 'a'", "def f(): 1", "class A: 1", "with x: 1", "a = 1; b = 2", "a = yield", "__x = 1",
        "format = 1",
    ],
)  # fmt: skip
def test_statements_beyond_the_language_are_refused(statement: str) -> None:
    with pytest.raises(TemplateError):
        sql(f"%{{% set {statement} %}}", x="1")


@pytest.mark.parametrize("loop", ["x in y: z", "x in y:\n  z", "x.a in y", "x[0] in [1]", "__x in y", "in y", "x in"])
def test_loops_beyond_the_language_are_refused(loop: str) -> None:
    with pytest.raises(TemplateError):
        Template(f"%{{% for {loop} %}}{{% end %}}").render({"y": "ab"})


def test_try_is_refused_for_it_would_hide_what_is_wrong() -> None:
    with pytest.raises(TemplateError, match="try is not supported"):
        Template("%{% try %}{{String(x)}}{% except %}{% end %}")
