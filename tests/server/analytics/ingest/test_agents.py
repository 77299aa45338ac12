"""Browsers by what they say of themselves, and programs that are none."""

import pytest

from server.analytics.ingest.agents import UNSAID, agent

SAFARI = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
BLINK = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0"


WINDOWS, ANDROID = "Windows NT 10.0; Win64; x64", "Linux; Android 14"
PHONE, PAD = "iPhone; CPU iPhone OS 17_0 like Mac OS X", "iPad; CPU OS 16_6 like Mac OS X"


@pytest.mark.parametrize(
    ("text", "browser", "os", "device"),
    [
        (f"Mozilla/5.0 ({WINDOWS}) {BLINK} Safari/537.36", "Chrome", "Windows", "desktop"),
        (f"Mozilla/5.0 ({WINDOWS}) {BLINK} Safari/537.36 Edg/140.0.0.0", "Edge", "Windows", "desktop"),
        (f"Mozilla/5.0 ({WINDOWS}; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox", "Windows", "desktop"),
        (f"Mozilla/5.0 ({PHONE}) {SAFARI} Version/17.0 Mobile/15E148 Safari/604.1", "Safari", "iOS", "mobile"),
        (f"Mozilla/5.0 ({PAD}) {SAFARI} CriOS/120.0 Mobile/15E148 Safari/604.1", "Chrome", "iOS", "tablet"),
        (f"Mozilla/5.0 ({ANDROID}; Pixel 8) {BLINK} Mobile Safari/537.36", "Chrome", "Android", "mobile"),
        (f"Mozilla/5.0 ({ANDROID}; SM-X710) {BLINK} Safari/537.36", "Chrome", "Android", "tablet"),
        (f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {BLINK} Safari/537.36", "Chrome", "Chrome OS", "desktop"),
        ("", "", "", ""),
    ],
)
def test_a_browser_is_known_by_what_it_says(text: str, browser: str, os: str, device: str) -> None:
    found = agent(text)

    assert (found.browser, found.os, found.device, found.is_bot) == (browser, os, device, False)


@pytest.mark.parametrize(
    "text",
    [
        UNSAID,
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible; ChatGPT-User/1.0; +https://openai.com/bot",
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; ClaudeBot/1.0; +claudebot@anthropic.com)",
        "Mozilla/5.0 (compatible; PerplexityBot/1.0; +https://perplexity.ai/perplexitybot)",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/140.0.0.0 Safari/537.36",
        "python-requests/2.32.3", "python-httpx/0.28", "curl/8.5.0", "Go-http-client/2.0", "axios/1.7", "Wget/1.21",
        "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", "Slackbot-LinkExpanding 1.0",
    ],
)  # fmt: skip
def test_programs_are_told_from_people(text: str) -> None:
    assert agent(text).is_bot


def test_a_long_or_odd_user_agent_is_read_as_far_as_it_counts() -> None:
    assert len(agent("Mozilla/5.0 (" + "a/1." * 500_000).browser) <= 60
    assert agent("\x00\u202e" * 50).browser == ""
