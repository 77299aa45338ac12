"""What a user agent says of itself: browser, system, kind of device, and whether it is a person's at all."""

import re
from functools import cache, lru_cache
from typing import NamedTuple

import orjson
import ua_parser

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


class Agent(NamedTuple):
    browser: str
    os: str
    device: str  # desktop, mobile, tablet, tv, or '' where it cannot be told
    is_bot: bool


@cache
def _bots() -> re.Pattern[str]:
    patterns: list[str] = orjson.loads((VENDOR / "bots.json").read_bytes())
    return re.compile("|".join(_python(each) for each in patterns), re.IGNORECASE)


def _python(pattern: str) -> str:
    """Written for JavaScript: there a look-behind may be of several widths, and a range may end in a class."""
    return _SPLIT_LOOKBEHIND.sub(r"(?<!\1)(?<!\2)", pattern).replace(r"\d-.", r"\d\-.")


@lru_cache(8192)
def agent(user_agent: str) -> Agent:
    if not user_agent:
        return Agent("", "", "", is_bot=False)  # a server tells of a visitor, and not of the browser
    text = identifier(user_agent, MOST_CHARACTERS)
    found = ua_parser.parse(text)
    family = found.user_agent.family if found.user_agent else ""
    system = found.os.family if found.os else ""
    device = found.device.family if found.device else ""
    is_bot = device == "Spider" or _bots().search(text) is not None
    brand = (found.device.brand or "") if found.device else ""
    browser = _BROWSERS.get(family) or _ROLES.sub("", family)
    return Agent(
        clean(browser, 60), clean(system, 60), "" if is_bot else _device(text, system, f"{brand} {device}"), is_bot
    )


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
    agent("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36")
