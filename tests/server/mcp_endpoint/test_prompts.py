"""The prompt files, and how they are filled."""

import re

import pytest
from mcp.types import TextContent

from server.mcp_endpoint.prompts import PromptFile, load
from tools.catalog import catalog

TEXT = """+++
name = "greet"
title = "Greet"
description = "Greets."

[[arguments]]
name = "who"
description = "Whom."

[[arguments]]
name = "how"
description = "How."
default = "kindly"
+++
Greet {who} {how}.
"""


def test_every_prompt_we_serve_is_complete_and_names_only_tools_that_exist() -> None:
    prompts = load()

    assert list(prompts) == sorted(["find_wasted_spend", "plan_budget_change", "weekly_review"])
    for prompt in prompts.values():
        named = set(re.findall(r"\b(?:list|get|update|create|pause|call)_\w+", prompt.body))
        assert named
        assert all(name in catalog for name in named), named


def test_what_was_typed_stands_in_the_text_and_what_was_not_is_the_default() -> None:
    filled = PromptFile.parse(TEXT).filled({"who": "{how} {{x}}", "how": " "})

    content = filled.messages[0].content
    assert isinstance(content, TextContent)
    assert content.text == "Greet {how} {{x}} kindly."


def test_an_argument_without_default_is_required() -> None:
    prompt = PromptFile.parse(TEXT)

    assert prompt.missing({"how": "x", "who": " "}) == ["who"]
    assert [(a.name, a.required) for a in prompt.listed().arguments or []] == [("who", True), ("how", False)]


def test_a_placeholder_nobody_declared_is_found_when_the_files_are_read() -> None:
    with pytest.raises(ValueError, match="uses"):
        PromptFile.parse(TEXT.replace("{who}", "{whom}"))
