"""A background owner of the stand-in, as light to start as the real one; --foreground makes it a person's."""

import importlib
import sys
from pathlib import Path

from server.process.background import main
from server.process.ownership import own

APPLICATION = "tests.server.process.stand_in"

if __name__ == "__main__":
    if "--foreground" not in sys.argv:
        sys.exit(main(sys.argv[1:], APPLICATION))
    with own(Path(sys.argv[-1]), background=False, version="0") as ownership:
        importlib.import_module("server.process.owner").run(ownership, importlib.import_module(APPLICATION).create_app)
