"""The Markdown files of prompts/mcp as MCP prompts: TOML front matter, then a body with {placeholders}."""

import re
import tomllib
from collections.abc import Mapping
from importlib import resources

from mcp.types import GetPromptResult, Prompt, PromptArgument, PromptMessage, TextContent
from pydantic import BaseModel, ConfigDict


class _Argument(BaseModel):
    """Required unless it has a default, the words that stand where nothing was given."""

    model_config = ConfigDict(extra="forbid")

    name: str
    description: str
    default: str | None = None


class PromptFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    title: str
    description: str
    arguments: list[_Argument] = []
    body: str

    @classmethod
    def parse(cls, text: str) -> "PromptFile":
        _, front, body = re.split(r"^\+\+\+\n", text, maxsplit=2, flags=re.MULTILINE)
        prompt = cls(**tomllib.loads(front), body=body.strip())
        if (used := set(re.findall(r"{(\w+)}", prompt.body))) != (declared := {a.name for a in prompt.arguments}):
            raise ValueError(
                f"{prompt.name}: the body uses {sorted(used)}, the front matter declares {sorted(declared)}"
            )
        return prompt

    def missing(self, arguments: Mapping[str, str]) -> list[str]:
        return [a.name for a in self.arguments if a.default is None and not arguments.get(a.name, "").strip()]

    def listed(self) -> Prompt:
        arguments = [
            PromptArgument(name=a.name, description=a.description, required=a.default is None) for a in self.arguments
        ]
        return Prompt(name=self.name, title=self.title, description=self.description, arguments=arguments or None)

    def filled(self, arguments: Mapping[str, str]) -> GetPromptResult:
        """One user message. What was typed is inserted once, so braces in it stay what they are."""
        words = {a.name: arguments.get(a.name, "").strip() or a.default or "" for a in self.arguments}
        text = re.sub(r"{(\w+)}", lambda match: words[match[1]], self.body)
        return GetPromptResult(
            description=self.description, messages=[PromptMessage(role="user", content=TextContent(text=text))]
        )


def load() -> dict[str, PromptFile]:
    """By name, in alphabetical order."""
    files = [file for file in resources.files("prompts").joinpath("mcp").iterdir() if file.name.endswith(".md")]
    prompts = [PromptFile.parse(file.read_text(encoding="utf-8")) for file in files]
    return {prompt.name: prompt for prompt in sorted(prompts, key=lambda prompt: prompt.name)}
