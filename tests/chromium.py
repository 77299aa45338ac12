"""The Chromium of this machine: where there is one its headless shell, which does the same for a third of the CPU."""

import shutil

import pytest

CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")

NEEDS_CHROMIUM = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium on the path: apt-get install chromium-headless-shell"
)
IN_CHROMIUM = [pytest.mark.ui, NEEDS_CHROMIUM]
"""The marks of a module whose tests open a window."""
