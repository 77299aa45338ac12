"""What Claude Desktop starts: the bundle's own bridge for a server elsewhere, else this machine's Adwright."""

import asyncio
import json
import os
import sys
import zipfile
from pathlib import Path
from typing import Any

from server.bundle.archive import write_bundle
from tests.app import Caller, open_product

META = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}


def unpacked(directory: Path, command: str) -> tuple[Path, dict[str, Any]]:
    """Where Claude Desktop put it, and the manifest."""
    bundle, place = directory / "adwright.mcpb", directory / "extension"
    write_bundle(bundle, command=command, data=directory / "data")
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(place)
        told: dict[str, Any] = json.loads(archive.read("manifest.json"))
    return place, told


async def started(
    place: Path, told: dict[str, Any], said: str, *, path: str = "/nowhere", **settings: str
) -> tuple[int, str, str]:
    """As Claude Desktop starts it: its variables replaced, an environment of its own, a Python without packages."""
    config = told["server"]["mcp_config"]
    known = {"__dirname": str(place)} | {f"user_config.{name}": value for name, value in settings.items()}
    home = str(place.parent)

    def filled(text: str) -> str:
        for name, value in known.items():
            text = text.replace(f"${{{name}}}", value)
        return text

    process = await asyncio.create_subprocess_exec(
        sys.executable, "-S", *map(filled, config["args"]),
        env={"PATH": path, "HOME": home} | {name: filled(value) for name, value in config["env"].items()},
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        limit=1 << 24,
    )  # fmt: skip
    assert process.stdin and process.stdout
    process.stdin.write(said.encode())
    # It ends with its input, so that stays open until what was asked is answered.
    answers = [await asyncio.wait_for(process.stdout.readline(), 60) for _ in said.splitlines()]
    process.stdin.close()
    rest, errors = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode is not None
    return process.returncode, b"".join((*answers, rest)).decode(), errors.decode()


def asked(id_: int, method: str, **params: Any) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": id_, "method": method, "params": params | {"_meta": META}}) + "\n"


async def test_a_server_elsewhere_is_reached_by_what_the_bundle_carries(tmp_path: Path) -> None:
    async with open_product(tmp_path) as product:
        person = await product.person()
        await product.connect(person)
        key: Caller = await product.key()
        place, told = unpacked(tmp_path, "/gone/adwright")
        calls = asked(1, "tools/list") + asked(2, "tools/call", name="list_campaigns", arguments={"limit": 1})

        status, out, errors = await started(place, told, calls, data="", url=product.url, api_key=key.key)

    assert status == 0, errors
    answers = {message["id"]: message["result"] for message in map(json.loads, out.splitlines())}
    assert {tool["name"] for tool in answers[1]["tools"]} == {tool["name"] for tool in told["tools"]}
    assert len(answers[2]["structuredContent"]["items"]) == 1


async def test_without_a_server_it_becomes_the_adwright_that_made_it(tmp_path: Path) -> None:
    command = tmp_path / "adwright"
    command.write_text('#!/bin/sh\necho "$0 $* $ADWRIGHT_DATA ${ADWRIGHT_API_KEY-unset}"\n', encoding="utf-8")
    command.chmod(0o755)
    place, told = unpacked(tmp_path, str(command))

    # Settings that were left empty arrive as nothing, or as their own names.
    done = await started(place, told, "", path=os.environ["PATH"], data="/data", url="")

    assert done == (0, f"{command} mcp /data unset\n", "")


async def test_an_adwright_that_moved_is_found_where_commands_usually_are(tmp_path: Path) -> None:
    usual = tmp_path / ".local" / "bin" / "adwright"
    usual.parent.mkdir(parents=True)
    usual.write_text('#!/bin/sh\necho "$0"\n', encoding="utf-8")
    usual.chmod(0o755)
    place, told = unpacked(tmp_path, "/gone/adwright")

    assert (await started(place, told, "", data="", url="", api_key=""))[1] == f"{usual}\n"


async def test_nothing_to_reach_is_said_with_what_to_do(tmp_path: Path) -> None:
    place, told = unpacked(tmp_path, "/gone/adwright")

    nothing = await started(place, told, "", data="", url="", api_key="")
    keyless = await started(place, told, "", data="", url="https://ads.example.com", api_key="")

    assert (nothing[0], keyless[0]) == (1, 1)
    assert "Install it, or set the server's URL and an API key" in nothing[2]
    assert "ADWRIGHT_API_KEY is not" in keyless[2]
