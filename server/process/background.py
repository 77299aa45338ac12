"""The owner that a command starts for itself: `python -m server.process.background --data DIR`."""

import importlib
import sys
from pathlib import Path

from server.process.ownership import Held, own
from server.version import VERSION
from tools.errors import CapabilityError

LOST = 75
"""Exit status of a starter that found another owner: EX_TEMPFAIL."""


def main(arguments: list[str], application: str = "server.app") -> int:
    directory = Path(arguments[arguments.index("--data") + 1])
    try:
        with own(directory, background=True, version=VERSION) as ownership:
            # Late, as of ten starters nine only learn here that they lost, and the product takes a second to load.
            run = importlib.import_module("server.process.owner").run
            run(ownership, importlib.import_module(application).create_app)
    except Held:
        return LOST
    except CapabilityError as error:
        sys.stderr.write(f"{error.code}: {error.message}\nfix: {error.fix}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
