"""The product and the browser that the panel's tests share, and a window for each."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.chromium import CHROMIUM
from tests.server.web.browser import ARGUMENTS
from tests.server.web.panel.product import PATIENCE_MS, Demo, Window, Windows


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    made = Demo(tmp_path_factory.mktemp("panel"))
    try:
        made.start()
        made.sign_in()
        made.warm()
        yield made
    finally:
        made.end()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture
def windows(browser: Browser, demo: Demo) -> Iterator[Windows]:
    """Whatever was opened complained of nothing, and asked nobody else."""
    demo.sign_in()
    made = Windows(browser, demo)
    yield made
    told = [complaint for window in made.opened for complaint in window.complaints]
    strays = [stray for window in made.opened for stray in window.strays()]
    for window in made.opened:
        window.page.context.close()
    assert told == []
    assert strays == []


@pytest.fixture
def window(windows: Windows) -> Window:
    return windows()
