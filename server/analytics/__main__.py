"""The analytics owner as a child: `python -m server.analytics --data DIR`; it ends when nobody asks any more."""

import logging
import sys
from pathlib import Path

from server.analytics.process import SECONDS_WITHOUT_OWNER, run
from tools.errors import CapabilityError


def main(arguments: list[str]) -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        run(Path(arguments[arguments.index("--data") + 1]), alone_seconds=SECONDS_WITHOUT_OWNER)
    except CapabilityError as error:
        sys.stderr.write(f"{error.code}: {error.message}\nfix: {error.fix}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
