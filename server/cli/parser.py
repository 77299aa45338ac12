"""All commands, options and examples, as plain data for argparse: nothing a command needs is imported here."""

import argparse
from collections.abc import Callable, Sequence
from typing import Any

from server.version import VERSION

Add = Callable[..., argparse.ArgumentParser]
CLIENTS = ("claude-desktop", "claude-code", "cursor", "vscode")
FORMATS = ("anthropic", "openai", "openapi", "mcp")
ROLES = ("owner", "admin", "member", "viewer")


class _Parser(argparse.ArgumentParser):
    """Options are spelled out, and a usage error says how to get help."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter, **options)

    def error(self, message: str) -> Any:
        self.exit(2, f"usage error: {message}\nfix: {self.prog} --help shows what it takes.\n")


def build() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="adwright",
        description="Run Meta and Google ads, by yourself or through an agent; changes wait for a person.",
        epilog="Start here: adwright demo    Exit codes: 0 ok, 1 error, 2 usage, 3 a person must confirm",
    )
    parser.add_argument("--version", action="version", version=f"adwright {VERSION}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    add = _adder(commands, "adwright")
    _running(add)
    _operating(add)
    _using(add)
    return parser


def _adder(commands: Any, prefix: str) -> Add:
    def add(
        name: str, run: str, text: str, examples: Sequence[str], *, data: str = "ADWRIGHT_DATA, or the user's own"
    ) -> argparse.ArgumentParser:
        shown = "\n".join(f"  {prefix} {example}" for example in examples)
        command: argparse.ArgumentParser = commands.add_parser(
            name, help=text, description=text, epilog=f"examples:\n{shown}"
        )
        if not run:
            return command
        command.set_defaults(run=run)
        command.add_argument("--data", metavar="DIR", help=f"data directory (default: {data})")
        command.add_argument("--json", action="store_true", help="one JSON value on stdout, errors too")
        return command

    return add


def _group(add: Add, name: str, text: str, examples: Sequence[str]) -> Add:
    group = add(name, "", text, examples)
    return _adder(group.add_subparsers(dest="action", metavar="ACTION", required=True), f"adwright {name}")


def _running(add: Add) -> None:
    demo = add(
        "demo", "server.cli.serve:demo", "Serve a working Adwright with simulated ad platforms.",
        ["demo", "demo --data ./demo --port 8080 --no-open"], data="ADWRIGHT_DATA, or one of the demo's own",
    )  # fmt: skip
    serve = add(
        "serve", "server.cli.serve:run", "Serve this directory until stopped.",
        ["serve", "serve --host 0.0.0.0 --port 8080"],
    )  # fmt: skip
    for command in (demo, serve):
        command.add_argument("--host", help="address to listen on (default: ADWRIGHT_HOST, 127.0.0.1)")
        command.add_argument(
            "--port", type=_port, help="port to listen on; 0 is the one the directory had, or a free one"
        )
    demo.add_argument("--no-open", action="store_true", help="do not open a browser")
    serve.add_argument("--workers", type=int, metavar="N", help="processes that serve; more than one need PostgreSQL")
    mcp = add(
        "mcp", "server.bridge.main:run", "Speak MCP on stdin and stdout, for a client on this machine.",
        ["mcp", "mcp --toolset ads", "mcp --read-only"],
    )  # fmt: skip
    only = mcp.add_mutually_exclusive_group()
    only.add_argument("--toolset", metavar="NAME", help="only the tools of ads, analytics, approvals or workspace")
    only.add_argument("--read-only", action="store_true", help="only tools that change nothing")
    mcp.add_argument("--workspace", metavar="ID", help="act in this workspace, where there are several")
    mcp.add_argument("--no-open", action="store_true", help="do not open a browser when a person must confirm")
    sandbox = add(
        "sandbox",
        "server.cli.sandbox:run",
        "Serve the simulated ad platforms alone.",
        ["sandbox", "sandbox --port 9000"],
    )
    sandbox.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    sandbox.add_argument(
        "--port", type=_port, default=0, help="port to listen on (default: the last one, or a free one)"
    )
    _analytics(add)


def _analytics(add: Add) -> None:
    analytics = add(
        "analytics",
        "server.cli.analytics:run",
        "Serve the analytics store alone, with our datafiles or any Tinybird project's; or send them to Tinybird.",
        ["analytics", "analytics --project ./tinybird --data ./store --port 7181", "analytics push"],
    )
    analytics.add_argument(
        "action", nargs="?", default="serve", choices=("serve", "push", "verify"), metavar="ACTION",
        help="serve (when left out), push (send to TINYBIRD_HOST) or verify (that what ships was pushed)",
    )  # fmt: skip
    analytics.add_argument("--project", metavar="DIR", help="the datafiles (default: our own)")
    analytics.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    analytics.add_argument(
        "--port", type=_port, default=0, help="port to listen on (default: the last one, or a free one)"
    )


def _operating(add: Add) -> None:
    add(
        "doctor",
        "server.cli.doctor:run",
        "Check that everything works here, and say what to do.",
        ["doctor", "doctor --json"],
    )
    add("migrate", "server.cli.operate:migrate", "Bring the database up to date.", ["migrate --data ./demo"])
    link = add(
        "login-link", "server.cli.operate:login_link", "Mint a link that signs a person in, once, within 15 minutes.",
        ["login-link", "login-link --email ann@example.com"],
    )  # fmt: skip
    link.add_argument("--email", help="who signs in (default: the owner)")
    _workspace(link)
    users = _group(add, "users", "People who can sign in.", ["users create ann@example.com --role admin"])
    user = users("create", "server.cli.operate:create_user", "Add a person.", ["create ann@example.com --role viewer"])
    user.add_argument("email", nargs="?", help="how the person is known (default: ROLE@adwright.local)")
    user.add_argument("--role", choices=ROLES, required=True, help="what the person may do; the first is an owner")
    user.add_argument("--name", help="shown where they decide")
    _workspace(user)
    _keys(_group(add, "keys", "API keys.", ["keys list", "keys create --name ci --scopes ads:read"]))
    secrets = _group(add, "secrets", "The keys that seal credentials.", ["secrets rotate"])
    secrets(
        "rotate",
        "server.cli.operate:rotate_secrets",
        "Seal all credentials under the first key of ENCRYPTION_KEYS.",
        ["rotate"],
    )
    audit = _group(add, "audit", "The record of every call.", ["audit verify"])
    audit("verify", "server.cli.operate:verify_audit", "Check that no row was changed or removed.", ["verify --json"])


def _keys(keys: Add) -> None:
    create = keys(
        "create", "server.cli.operate:create_key", "Make an API key. It is shown once.",
        ["create --name ci --scopes ads:read", "create --name agent --scopes ads:read,ads:write --rate 60"],
    )  # fmt: skip
    create.add_argument("--name", required=True, help="what the key is for")
    create.add_argument("--scopes", nargs="+", required=True, metavar="SCOPE", help="such as ads:read,ads:write")
    create.add_argument("--rate", type=int, metavar="N", help="calls a minute (default: 600)")
    create.add_argument("--direct", action="store_true", help="its writes need no confirmation; never for agents")
    create.add_argument("--expires-days", type=int, metavar="N", help="days until it expires (default: never)")
    _workspace(create)
    keys("list", "server.cli.operate:list_keys", "Show the keys, never their secrets.", ["list", "list --json"])
    revoke = keys("revoke", "server.cli.operate:revoke_key", "End a key at once.", ["revoke key_2f…"])
    revoke.add_argument("id", help="the key's id, from keys list")


def _using(add: Add) -> None:
    tools = _group(add, "tools", "What agents can do, from a terminal.", ["tools list", "tools call list_campaigns"])
    listing = tools("list", "server.cli.tools:listing", "Show every capability.", ["list", "list --json"])
    call = tools(
        "call", "server.cli.tools:call", "Call one capability and print what it answers.",
        [
            "call list_campaigns status=ACTIVE",
            """call get_insights --args '{"since": "2026-11-01"}'""",
            "call update_campaign campaign_id=123 status=PAUSED --idempotency-key 8e03978e",
        ],
    )  # fmt: skip
    call.add_argument("name", help="a capability, from tools list")
    call.add_argument("arguments", nargs="*", metavar="key=value", help="its arguments")
    call.add_argument("--args", metavar="JSON", help="arguments as one JSON object; key=value adds to it")
    call.add_argument("--idempotency-key", metavar="KEY", help="do a write once: the same key again only answers")
    call.add_argument("--no-open", action="store_true", help="do not open a browser when a person must confirm")
    for command in (listing, call):
        _workspace(command)
    export = tools(
        "export", "server.cli.tools:export", "Print tool definitions for a framework.", ["export --format openai"]
    )
    export.add_argument("--format", choices=FORMATS, required=True, help="whose shape")
    config = add(
        "mcp-config", "server.cli.mcp_config:run", "Print what an MCP client needs to find Adwright.",
        ["mcp-config --client claude-desktop", "mcp-config --client cursor --write"],
    )  # fmt: skip
    config.add_argument("--client", choices=CLIENTS, required=True, help="for which client")
    config.add_argument(
        "--write", action="store_true", help="add it to the client's own file, leaving the rest as it is"
    )
    bundle = add(
        "mcpb", "server.cli.mcpb:run", "Write Adwright as a bundle that Claude Desktop installs when it is opened.",
        ["mcpb", "mcpb --data ./demo --output ~/Desktop/adwright.mcpb"],
    )  # fmt: skip
    bundle.add_argument("--output", metavar="FILE", help="where to write it (default: adwright-VERSION.mcpb, here)")
    add("openapi", "server.cli.tools:openapi", "Print the OpenAPI document.", ["openapi > openapi.json"])


def _workspace(command: argparse.ArgumentParser) -> None:
    command.add_argument("--workspace", metavar="ID", help="which workspace, where there are several")


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text} is not a port")
    return int(text)
