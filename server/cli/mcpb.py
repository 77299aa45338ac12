"""`adwright mcpb`: Adwright as a bundle that Claude Desktop installs when it is opened; it holds no key."""

from argparse import Namespace
from pathlib import Path

from server.bundle.archive import write_bundle
from server.cli.mcp_config import installed_command
from server.cli.output import show
from server.process.environment import data_directory
from server.version import VERSION
from tools.errors import InvalidRequest


def run(arguments: Namespace) -> int:
    path = Path(arguments.output or f"adwright-{VERSION}.mcpb").absolute()
    try:
        write_bundle(path, command=installed_command(), data=data_directory(arguments.data))
    except OSError as error:
        raise InvalidRequest(
            f"{path} cannot be written: {error.strerror}.", fix="Name another file with --output FILE."
        ) from None
    opening = f"{path}\nOpen it with Claude Desktop, or drag it into Settings > Extensions."
    show({"file": str(path)}, as_json=arguments.json, text=opening)
    return 0
