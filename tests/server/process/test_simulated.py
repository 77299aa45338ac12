"""Whose key goes where: the sandbox's to the sandbox, one's own to the model's maker."""

import pytest

from server.process.simulated import SANDBOX, _model

BEFORE, NOW = "http://127.0.0.1:1", "http://127.0.0.1:2"
FOUND = {"url": f"{NOW}/anthropic", "api_key": "sk-ant-sandbox"}
POINTED = {"ANTHROPIC_BASE_URL": FOUND["url"], "ANTHROPIC_API_KEY": FOUND["api_key"]}


@pytest.mark.parametrize(
    "known",
    [
        {},
        {"ANTHROPIC_BASE_URL": f"{BEFORE}/anthropic", "ANTHROPIC_API_KEY": "sk-ant-sandbox"},
        POINTED,
    ],
)
def test_a_directory_without_a_key_of_its_own_is_pointed_at_the_sandbox(known: dict[str, str]) -> None:
    assert _model({SANDBOX: BEFORE} | known, FOUND) == POINTED


@pytest.mark.parametrize("base", [{}, {"ANTHROPIC_BASE_URL": f"{BEFORE}/anthropic"}])
def test_a_key_of_ones_own_never_goes_to_the_sandbox(base: dict[str, str]) -> None:
    changes = _model({SANDBOX: BEFORE, "ANTHROPIC_API_KEY": "sk-ant-mine"} | base, FOUND)

    assert changes == {"ANTHROPIC_BASE_URL": ""}  # empty counts as not set


def test_a_base_url_of_ones_own_is_left_alone() -> None:
    assert _model({SANDBOX: BEFORE, "ANTHROPIC_BASE_URL": "https://gateway.example"}, FOUND) == {}
