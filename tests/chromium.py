"""The Chromium of this machine: where there is one its headless shell, which does the same for a third of the CPU."""

import shutil

import pytest

BROWSER = shutil.which("chromium")
"""The whole of it: the shell keeps no page to come back to."""
CHROMIUM = shutil.which("chromium-headless-shell") or BROWSER


def _needs(found: str | None, package: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(found is None, reason=f"no {package} on the path: apt-get install {package}")


NEEDS_BROWSER = _needs(BROWSER, "chromium")
NEEDS_CHROMIUM = _needs(CHROMIUM, "chromium-headless-shell")
IN_CHROMIUM = [pytest.mark.ui, NEEDS_CHROMIUM]
"""The marks of a module whose tests open a window."""
