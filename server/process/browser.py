"""Opening a page for the person at this machine, and only where there is likely to be one."""

import subprocess
import sys

from server.process.environment import has_display

WAIT_SECONDS = 10.0
_OPEN = "import sys, webbrowser; sys.exit(not webbrowser.open(sys.stdin.read()))"


def can_open() -> bool:
    return has_display()


def open_page(url: str) -> bool:
    """False where no browser could be started. The address may carry a sign-in: it goes by a pipe and shows nowhere."""
    opener = subprocess.Popen(  # noqa: S603 -- our own interpreter; the address is data
        [sys.executable, "-P", "-c", _OPEN],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        opener.communicate(url.encode(), timeout=WAIT_SECONDS)
    except subprocess.TimeoutExpired:
        opener.returncode = 0  # some browsers stay in the foreground as long as they run
    return opener.returncode == 0
