"""Static files."""

import hashlib
from pathlib import Path

import pytest

from server.web.assets import STATIC, Assets
from tests.server.web.site import Site

SCRIPT_BUDGET = 3 * 1024


@pytest.mark.parametrize("name", sorted(path.name for path in STATIC.iterdir()))
async def test_every_file_is_served_under_a_url_that_names_its_content(site: Site, name: str) -> None:
    async with site.browser() as browser:
        answer = await browser.get(Assets().url(name))

    assert answer.status_code == 200
    assert hashlib.sha256(answer.content).hexdigest()[:12] in Assets().url(name)
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    ["/static/app.css", "/static/000000000000/app.css", "/static/../pages.py", "/static/%2e%2e/pages.py", "/static/"],
)
async def test_nothing_else_is(site: Site, path: str) -> None:
    async with site.browser() as browser:
        assert (await browser.get(path)).status_code == 404


def test_a_changed_file_has_another_url(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text("1", encoding="utf-8")
    before = Assets(tmp_path).url("a.js")
    (tmp_path / "a.js").write_text("2", encoding="utf-8")

    assert Assets(tmp_path).url("a.js") != before


def test_a_stylesheet_names_the_other_files_by_their_urls(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text('@font-face { src: url("b.woff2"); }', encoding="utf-8")
    (tmp_path / "b.woff2").write_bytes(b"font")
    one = Assets(tmp_path).url("a.css")
    (tmp_path / "b.woff2").write_bytes(b"another font")

    assert Assets(tmp_path).url("a.css") != one


def test_a_page_stays_small() -> None:
    assert (STATIC / "approval.js").stat().st_size <= SCRIPT_BUDGET
    shared = [path for path in STATIC.glob("*.js") if path.name != "shop.js"]  # the shop's pages are no page of ours
    assert sum(path.stat().st_size for path in shared) <= 2 * SCRIPT_BUDGET
