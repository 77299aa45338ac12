"""`python -m server.cli.generate [--check]`: writes the files derived from the code, or says which are stale."""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic_core import PydanticUndefined

from server.cli.output import say
from server.cli.parser import build
from server.mcp_endpoint import snapshot
from server.reference import capability_reference
from server.settings import Settings
from tools.catalog import catalog

ROOT = Path(__file__).parent.parent.parent
_WIDTH = 110

_CLIENT = {
    "ADWRIGHT_DATA": "The data directory; the user's own when left out.",
    "ADWRIGHT_URL": "Commands and the MCP bridge use this server instead of one on this machine.",
    "ADWRIGHT_API_KEY": "The key for that server.",
}


def env_example() -> str:
    lines = [
        "# Every setting, with its default. The environment wins over DIR/settings.env, which wins over .env.",
        *(line for name, text in _CLIENT.items() for line in ("", *_comment(text), f"# {name}=")),
    ]
    for name, field in Settings.model_fields.items():
        if name == "data_dir":
            continue
        default = "" if field.default in (None, PydanticUndefined) else str(field.default)
        lines += ["", *_comment(field.description or ""), f"# {name.upper()}={default}"]
    return "\n".join(lines) + "\n"


def _comment(text: str) -> Iterator[str]:
    line = "#"
    for word in text.split():
        if len(line) + len(word) > _WIDTH:
            yield line
            line = "#"
        line += f" {word}"
    yield line


def cli_reference() -> str:
    """From argparse's own structure, as its formatted help depends on the terminal and the Python version."""
    parts = ["# Command line", "", "Generated from the commands themselves; `adwright COMMAND --help` says the same."]
    for parser in _leaves(build()):
        parts += ["", f"## {parser.prog}", "", parser.description or ""]
        parts += ["", "| argument | meaning |", "|---|---|"]
        parts += [f"| `{_spelled(action)}` | {_meaning(action)} |" for action in _shown(parser)]
        examples = [f"    {line.strip()}" for line in (parser.epilog or "").splitlines()[1:]]
        parts += ["", *examples]
    return "\n".join(parts) + "\n"


def _leaves(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    groups = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]  # noqa: SLF001 -- argparse shows its structure in no other way
    if not groups:
        yield parser
    for group in groups:
        for command in group.choices.values():
            yield from _leaves(command)


def _shown(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    return [action for action in parser._actions if action.dest != "help"]  # noqa: SLF001 -- as above


def _spelled(action: argparse.Action) -> str:
    value = action.metavar or (" or ".join(action.choices) if action.choices else action.dest.upper())
    if not action.option_strings:
        return str(action.metavar or action.dest)
    return action.option_strings[0] if action.nargs == 0 else f"{action.option_strings[0]} {value}"


def _meaning(action: argparse.Action) -> str:
    text = (action.help or "").replace("%(default)s", str(action.default)).replace("|", "\\|")
    return f"{text} (required)".strip() if action.required and action.option_strings else text


def mcp_snapshot() -> str:
    return json.dumps(snapshot.build(), ensure_ascii=False, separators=(",", ":")) + "\n"


FILES: Mapping[str, Callable[[], str]] = {
    ".env.example": env_example,
    "docs/capabilities.md": lambda: capability_reference(catalog),
    "docs/cli.md": cli_reference,
    "server/mcp_endpoint/snapshot.json": mcp_snapshot,
}


def main(argv: Any = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m server.cli.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a file is not up to date")
    check = parser.parse_args(argv).check
    stale = [name for name, text in FILES.items() if _refresh(ROOT / name, text(), write=not check)]
    for name in stale:
        say(f"{name} is stale: ./dev docs writes it anew" if check else f"wrote {name}")
    return 1 if check and stale else 0


def _refresh(path: Path, text: str, *, write: bool) -> bool:
    """Whether the file differed."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    if write:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return True


if __name__ == "__main__":
    sys.exit(main())
