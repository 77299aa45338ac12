"""Lets a supervisor start the sandbox with nothing but an interpreter: `python -m server.sandbox --data DIR`."""

import argparse
from pathlib import Path

from server.sandbox.process import SECONDS_WITHOUT_OWNER, serve


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m server.sandbox", description="Serve the simulated ad platforms.")
    parser.add_argument("--data", type=Path, required=True, help="directory for the lock, sandbox.json and the state")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes the last port used, or a free one")
    parser.add_argument(
        "--seconds-without-owner",
        type=int,
        default=SECONDS_WITHOUT_OWNER,
        help="end after so long without a request, 0 for never (default: %(default)s)",
    )
    given = parser.parse_args()
    serve(given.host, given.port, given.data, seconds_without_owner=given.seconds_without_owner)


if __name__ == "__main__":
    main()
