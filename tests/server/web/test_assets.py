"""Static files."""

import gzip
import hashlib
import re
from graphlib import CycleError
from pathlib import Path

import pytest

from server.web.assets import STATIC, Assets
from tests.server.web.site import Site

SHELL_BUDGET, SCRIPT_BUDGET = 12 * 1024, 60 * 1024
SHELL = ("approval.js", "palette.js", "shell.js", "theme.js")


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


def scripts(folder: Path, **modules: str) -> Assets:
    for name, text in modules.items():
        (folder / f"{name}.js").write_text(text, encoding="utf-8")
    return Assets(folder)


def test_a_module_names_the_others_by_their_urls(tmp_path: Path) -> None:
    page = 'import { b } from "./b.js"; const late = () => import("./c.js");'
    before = scripts(tmp_path, a=page, b='import "./c.js";', c="1").url("a.js")
    after = scripts(tmp_path, c="2")

    assert after.url("a.js") != before  # what it imports, however far down, is part of what it is


async def test_what_a_module_names_is_served(site: Site) -> None:
    async with site.browser() as browser:
        for path in STATIC.glob("*.js"):
            text = (await browser.get(Assets().url(path.name))).text
            assert '"./' not in text
            for url in re.findall(r'"(/static/[^"]+)"', text):
                assert (await browser.get(url)).status_code == 200, url


def test_modules_that_import_each_other_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CycleError):
        scripts(tmp_path, a='import "./b.js";', b='import "./a.js";')


def test_a_module_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"gone\.js"):
        scripts(tmp_path, a='import "./gone.js";')


def gzipped(path: Path) -> int:
    return len(gzip.compress(path.read_bytes()))


def test_a_page_stays_small() -> None:
    assert sum(gzipped(STATIC / name) for name in SHELL) <= SHELL_BUDGET
    shared = [path for path in STATIC.glob("*.js") if path.name != "shop.js"]  # the shop's pages are no page of ours
    assert sum(map(gzipped, shared)) <= SCRIPT_BUDGET
