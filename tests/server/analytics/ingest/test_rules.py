"""Held against ua-parser's own resolver, whose rules and engine these are."""

import pytest
import ua_parser

from server.analytics.ingest import rules
from server.analytics.ingest.rules import bare

ALL = (rules.browsers(), rules.systems(), rules.devices())
BLINK = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0"
SAID = (
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {BLINK} Safari/537.36",
    f"Mozilla/5.0 (Linux; Android 14; Pixel 8) {BLINK} Mobile Safari/537.36",
    f"Mozilla/5.0 (Linux; Android 13; SM-A536B Build/TP1A.220624.014) {BLINK} Mobile Safari/537.36",
    "Mozilla/5.0 (Linux; U; Android 4.0.3; de-de; KFTT Build/IML74K) AppleWebKit/535.19 (KHTML, like Gecko) Silk/3.4",
    "Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/120.0 Mobile/15E148",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 [FBAN/FBIOS;FBDV/iPhone12,1]",
    "Mozilla/5.0 (Linux; Android 12; \u7ea2\u7c73 Note 9) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Safari",
    "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Opera/9.80 (J2ME/MIDP; Opera Mini/5.1.21214/28.2725; U; en) Presto/2.8.119 Version/11.10",
    "HbbTV/1.1.1 (;Panasonic;VIERA 2011;f.532;0071-0802 2000-0000;)", "curl/8.5.0", "nothing known", "",
)  # fmt: skip


@pytest.mark.parametrize("text", SAID)
def test_what_is_named_is_what_the_resolver_names(text: str) -> None:
    found = ua_parser.parse(text)

    browser, system, device = (each.name(text) for each in ALL)

    assert browser.family == (found.user_agent.family if found.user_agent else "")
    assert system.family == (found.os.family if found.os else "")
    assert device == ((found.device.family, found.device.brand or "") if found.device else ("", ""))


def test_only_groups_are_told_to_capture_nothing() -> None:
    assert bare(r"(a(?:b|(c))\((d)[(\](]e[](]\\(f))") == r"(?:a(?:b|(?:c))\((?:d)[(\](]e[](]\\(?:f))"
