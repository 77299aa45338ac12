"""A secret shows itself to nobody who does not ask for it by name."""

import copy
import json
import logging
import pickle
import traceback
from dataclasses import asdict, dataclass
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from tools.secret import Secret, redact

CANARY = "EAAcanary0123456789canary"


class Form(BaseModel):
    token: Secret


@dataclass
class Held:
    token: Secret


def shown_by_json() -> str:
    try:
        return json.dumps({"token": Secret(CANARY)})
    except TypeError as error:
        return str(error)


def shown_by_orjson() -> str:
    try:
        return orjson.dumps({"token": Secret(CANARY)}).decode()
    except TypeError as error:
        return str(error)


def shown_by_pickle() -> str:
    try:
        return repr(pickle.dumps(Secret(CANARY)))
    except TypeError as error:
        return str(error)


def shown_by_a_traceback() -> str:
    token = Secret(CANARY)
    try:
        raise ValueError(f"refused: {token}", token)
    except ValueError as error:
        return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())


def shown_by_a_log() -> str:
    record = logging.LogRecord("name", logging.INFO, __file__, 1, "%s %r", (Secret(CANARY), Secret(CANARY)), None)
    return logging.Formatter().format(record)


@pytest.mark.parametrize(
    "shown",
    [
        lambda: repr(Secret(CANARY)),
        lambda: str(Secret(CANARY)),
        lambda: f"{Secret(CANARY)} {Secret(CANARY)!r} {Secret(CANARY)!s:>9}",
        lambda: "%s %r" % (Secret(CANARY), Secret(CANARY)),  # noqa: UP031  old code formats like this
        lambda: repr([{"token": Secret(CANARY)}]),
        lambda: repr(asdict(Held(Secret(CANARY)))),
        lambda: repr(Form(token=Secret(CANARY))),
        lambda: repr(Form(token=Secret(CANARY)).model_dump()),
        lambda: Form(token=Secret(CANARY)).model_dump_json(),
        lambda: repr(TypeAdapter(dict[str, Secret]).dump_python({"t": Secret(CANARY)}, mode="json")),
        lambda: repr(copy.deepcopy({"token": Secret(CANARY)})),
        shown_by_json,
        shown_by_orjson,
        shown_by_pickle,
        shown_by_a_traceback,
        shown_by_a_log,
    ],
)
def test_nothing_shows_a_secret(shown: Any) -> None:
    assert CANARY not in shown()


def test_only_reveal_shows_it() -> None:
    assert Secret(CANARY).reveal() == CANARY
    assert copy.deepcopy(Secret(CANARY)).reveal() == CANARY


def test_a_model_takes_text_and_nothing_else() -> None:
    assert Form.model_validate_json(orjson.dumps({"token": CANARY})).token.reveal() == CANARY
    assert Form.model_validate({"token": CANARY}).token == Secret(CANARY)
    for wrong in (1, None, "", [CANARY], b"x"):
        with pytest.raises(ValidationError):
            Form.model_validate({"token": wrong})


def test_its_schema_says_password_and_write_only() -> None:
    assert Form.model_json_schema()["properties"]["token"] == {
        "type": "string",
        "minLength": 1,
        "format": "password",
        "writeOnly": True,
        "title": "Token",
    }


def test_secrets_compare_by_content_and_do_not_change() -> None:
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2
    assert Secret("a") != "a"
    assert not Secret("")
    with pytest.raises(AttributeError):
        Secret("a").anything = 1


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (CANARY, "***"),
        ("ya29.a0AfH6SMBx_y-z", "***"),
        ("1//0gabcdefghijklmnopqr-_", "***"),
        ("GOCSPX-abcdefgh_-1", "***"),
        ("key sk_live_51Habc, then", "key ***, then"),
        ("sk_test_51Habc rk_live_51Habc", "*** ***"),
        ("whsec_abc+/=", "***"),
        ("sk-ant-api03-abc_-def", "***"),
        ("adw_live_abc_def123", "***"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln-_", "***"),
        ("Authorization: Bearer abc.def-123", "Authorization: Bearer ***"),
        ("authorization: bearer abc.def-123", "authorization: bearer ***"),
        ("Authorization: Basic dXNlcjpwYXNz", "Authorization: Basic ***"),
        ("GET /me?access_token=a.b|c&fields=id", "GET /me?access_token=***&fields=id"),
        ("appsecret_proof=0123abcd&x=1", "appsecret_proof=***&x=1"),
        ('{"refresh_token": "abc", "n": 1}', '{"refresh_token": "***", "n": 1}'),
        (r"{\"client_secret\":\"a/b\",\"n\":1}", r"{\"client_secret\":\"***\",\"n\":1}"),
        ("{'app_secret': 'abc'}", "{'app_secret': '***'}"),
        ("api_key=1 code_verifier=2 password=3", "api_key=*** code_verifier=*** password=***"),
        ("postgresql://adwright:hunter2@db/adwright", "postgresql://adwright:***@db/adwright"),
    ],
)
def test_what_looks_like_a_credential_is_masked(text: str, masked: str) -> None:
    assert redact(text) == masked
    assert redact(f"before {text} after") == f"before {masked} after"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "GET /api/v1/ads/campaigns 200",
        "campaign 120210000000000000 of act_123 paused, daily_budget 50.00",
        "https://example.com:8080/path?since=2026-01-01",
        "the bearer of bad news",
        "input_tokens=1200 output_tokens=80",
        "req_8sd7f6 con_12 wsp_abc",
    ],
)
def test_clean_text_stays_as_it_is(text: str) -> None:
    assert redact(text) == text


@given(st.text(), st.text())
def test_a_token_is_masked_wherever_it_stands(before: str, after: str) -> None:
    assert "canary0123456789" not in redact(f"{before} {CANARY} {after}")


@given(st.text())
def test_masking_twice_is_masking_once(text: str) -> None:
    once = redact(f"access_token={text}")
    assert redact(once) == once
