"""`adwright`: finds the command, and turns whatever goes wrong into one shape and one exit code."""

import importlib
import os
import signal
import sys
from collections.abc import Sequence

from server.cli import output
from server.cli.parser import build
from tools.errors import CapabilityError


def main(argv: Sequence[str] | None = None) -> int:
    """0 ok, 1 error, 2 usage, 3 a person must confirm."""
    arguments = build().parse_args(argv)
    name, _, function = arguments.run.partition(":")
    try:
        # Late, as a command loads what it needs and no more: `--help` must not wait for the product.
        status: int = getattr(importlib.import_module(name), function)(arguments)
        if sys.stdout is not None:
            sys.stdout.flush()
    except CapabilityError as error:
        return output.fail(error, as_json=arguments.json)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except BrokenPipeError:
        # Whoever read our output has seen enough; Python would complain again while it flushes at exit.
        if sys.stdout is not None:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status


if __name__ == "__main__":
    sys.exit(main())
