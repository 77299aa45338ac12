"""What a user agent says of itself: browser, system, kind of device, and whether it is a person's at all."""

import re
from functools import cache, lru_cache
from typing import NamedTuple

import orjson

from server.analytics.ingest import rules
from server.analytics.ingest.rules import Rules
from server.analytics.ingest.sources import VENDOR
from server.analytics.ingest.text import clean, identifier

MOST_CHARACTERS = 512
UNSAID = "(none)"
"""In place of the header that every browser sends; to the list of bots it is one."""
_SPLIT_LOOKBEHIND = re.compile(r"\(\?<!([^()|]+)\|([^()|]+)\)")
_BROWSERS = {"Mobile Safari UI/WKWebView": "Safari", "Chrome Mobile WebView": "Chrome", "IE": "Internet Explorer"}
_ROLES = re.compile(r"^Mobile |\b Mobile| iOS$| WebView$")
_PHONES, _TABLETS = ("iPhone", "iPod"), ("iPad", "Kindle")
_DESKTOPS = frozenset({"Windows", "Mac OS X", "Linux", "Ubuntu", "Chrome OS", "Fedora", "Debian", "FreeBSD", "OpenBSD"})
_MOBILES = frozenset({"Android", "iOS", "Windows Phone", "KaiOS", "BlackBerry OS", "HarmonyOS"})
_USUAL = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1 Version/18.5 Mobile/15E148 Safari/604.1",
)


class Agent(NamedTuple):
    browser: str
    os: str
    device: str  # desktop, mobile, tablet, tv, or '' where it cannot be told
    is_bot: bool


@cache
def _bots() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Those of a text's start, which need no look at the rest of it, and those of anywhere."""
    patterns: list[str] = [_python(each) for each in orjson.loads((VENDOR / "bots.json").read_bytes())]
    at_start = [each for each in patterns if each.startswith("^")]
    anywhere = [each for each in patterns if not each.startswith("^")]
    return re.compile("|".join(at_start), re.IGNORECASE), re.compile("|".join(anywhere), re.IGNORECASE)


def _python(pattern: str) -> str:
    """Written for JavaScript: there a look-behind may be of several widths, and a range may end in a class."""
    return _SPLIT_LOOKBEHIND.sub(r"(?<!\1)(?<!\2)", pattern).replace(r"\d-.", r"\d\-.")


@lru_cache(8192)
def agent(user_agent: str) -> Agent:
    if not user_agent:
        return Agent("", "", "", is_bot=False)  # a server tells of a visitor, and not of the browser
    text = identifier(user_agent, MOST_CHARACTERS)
    browsers, systems, devices = _rules()
    browser, system, device = browsers.name(text).family, systems.name(text).family, devices.name(text)
    is_bot = device.family == "Spider" or _is_program(text)
    return Agent(
        clean(_BROWSERS.get(browser) or _ROLES.sub("", browser), 60),
        clean(system, 60),
        "" if is_bot else _device(text, system, f"{device.brand} {device.family}"),
        is_bot,
    )


@cache
def _rules() -> tuple[Rules, Rules, Rules]:
    return rules.browsers(), rules.systems(), rules.devices()


def _is_program(text: str) -> bool:
    at_start, anywhere = _bots()
    return at_start.match(text) is not None or anywhere.search(text) is not None


def _device(text: str, system: str, device: str) -> str:
    if any(name in device for name in _TABLETS) or "Tablet" in device or "Tablet" in text:
        return "tablet"
    if any(name in device for name in _PHONES):
        return "mobile"
    if " TV" in text or "TV;" in text or "SmartTV" in text or system in ("tvOS", "Tizen", "WebTV"):
        return "tv"
    if system == "Android":
        return "mobile" if "Mobile" in text else "tablet"
    if system in _MOBILES or "Mobile" in text:
        return "mobile"
    return "desktop" if system in _DESKTOPS else ""


def warm() -> None:
    """Have the patterns compiled: it takes a moment that no event should wait for on the loop."""
    for each in _USUAL:
        agent(each)
