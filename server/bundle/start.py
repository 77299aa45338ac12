"""What Claude Desktop runs out of the bundle: the bridge it carries, or the Adwright of this machine.

A server elsewhere is reached by the bridge alone, for which nothing has to be installed. A data directory of this
machine needs the Adwright that owns it.
"""

import os
import shutil
import sys
from argparse import Namespace
from pathlib import Path

from server.bridge.main import run
from server.process.environment import URL
from tools.errors import CapabilityError

COMMAND = "ADWRIGHT_COMMAND"
"""Where the Adwright was that made the bundle."""
# Where uv and pipx put commands; a program with windows has not the PATH of a terminal.
_USUAL = "~/.local/bin"
_NONE = (
    "Adwright is not installed here. Install it, or set the server's URL and an API key in the extension's settings."
)


def main() -> int:
    for name in [name for name, value in os.environ.items() if value.startswith("${user_config.")]:
        del os.environ[name]  # how a setting that was left empty arrives
    if os.environ.get(URL):
        return _relay()
    if command := _installed():
        os.execv(command, [command, "mcp"])  # noqa: S606 -- no shell: the process becomes the bridge
    sys.stderr.write(f"{_NONE}\n")
    return 1


def _relay() -> int:
    try:
        return run(Namespace(data=None, toolset=None, read_only=False, workspace=None, no_open=False))
    except CapabilityError as error:
        sys.stderr.write(f"{error.message}\nfix: {error.fix}\n")
        return 1


def _installed() -> str | None:
    path = os.pathsep.join((os.environ.get("PATH", ""), str(Path(_USUAL).expanduser())))
    return shutil.which(os.environ.get(COMMAND, "")) or shutil.which("adwright", path=path)


if __name__ == "__main__":
    sys.exit(main())
