"""Where visits come from, in the words that pipes count by."""

import pytest

from server.analytics.ingest.channels import Origin, origin
from server.analytics.ingest.pages import page, referrer


def came(query: str = "", by: str = "") -> Origin:
    return origin(page(f"https://shop.example/shoes{query}"), referrer(by))


@pytest.mark.parametrize(
    ("query", "by", "channel"),
    [
        ("", "", "direct"),
        ("", "https://shop.example/cart", "direct"),
        ("", "https://www.shop.example/", "direct"),
        ("", "https://www.google.com/", "organic_search"),
        ("", "https://www.google.co.uk/", "organic_search"),
        ("", "https://google.de/", "organic_search"),
        ("", "https://de.search.yahoo.com/", "organic_search"),
        ("", "https://duckduckgo.com/", "organic_search"),
        ("", "https://search.brave.com/", "organic_search"),
        ("", "android-app://com.google.android.googlequicksearchbox/", "organic_search"),
        ("", "https://google.evil.example/", "referral"),
        ("", "https://docs.google.com/", "referral"),
        ("", "https://l.facebook.com/", "organic_social"),
        ("", "https://t.co/abc", "organic_social"),
        ("", "https://notfacebook.com/", "referral"),
        ("", "https://facebook.com.evil.example/", "referral"),
        ("", "https://mail.google.com/", "email"),
        ("", "https://blog.example/", "referral"),
        ("", "javascript:alert(1)", "direct"),
        ("?gclid=1", "https://www.google.com/", "paid_search"),
        ("?gclid=1", "", "paid_search"),
        ("?msclkid=1", "", "paid_search"),
        ("?fbclid=1", "https://l.facebook.com/", "organic_social"),
        ("?fbclid=1&utm_medium=paid", "https://l.facebook.com/", "paid_social"),
        ("?utm_source=facebook&utm_medium=paid_social", "", "paid_social"),
        ("?utm_source=ig&utm_medium=cpc", "", "paid_social"),
        ("?utm_source=google&utm_medium=cpc", "", "paid_search"),
        ("?utm_source=partner&utm_medium=cpc", "", "paid_other"),
        ("?utm_source=google&utm_medium=display&gclid=1", "", "paid_other"),
        ("?utm_medium=affiliate", "", "paid_other"),
        ("?ttclid=1", "", "paid_social"),
        ("?utm_source=newsletter", "", "email"),
        ("?utm_medium=Email&utm_source=mailchimp", "https://www.google.com/", "email"),
        ("?utm_source=facebook", "", "organic_social"),
        ("?utm_medium=social", "", "organic_social"),
        ("?utm_source=google&utm_medium=organic", "", "organic_search"),
        ("?utm_medium=referral&utm_source=x.example", "", "referral"),
        ("?utm_source=flyer", "", "other"),
        ("?utm_source=flyer", "https://www.google.com/", "other"),
    ],
)
def test_a_visit_has_a_channel(query: str, by: str, channel: str) -> None:
    assert came(query, by).channel == channel


@pytest.mark.parametrize(
    ("query", "by", "engine"),
    [
        ("", "https://chatgpt.com/", "chatgpt"),
        ("", "https://chat.openai.com/", "chatgpt"),
        ("?utm_source=chatgpt.com", "", "chatgpt"),
        ("?utm_source=openai", "", "chatgpt"),
        ("", "https://claude.ai/chat/1", "claude"),
        ("", "https://www.perplexity.ai/", "perplexity"),
        ("?utm_source=perplexity", "", "perplexity"),
        ("", "https://gemini.google.com/app", "gemini"),
        ("", "https://copilot.microsoft.com/", "copilot"),
        ("", "https://chat.deepseek.com/", "deepseek"),
        ("", "https://grok.com/", "grok"),
        ("", "https://x.com/i/grok", "grok"),
        ("", "https://www.meta.ai/", "meta"),
        ("", "https://chat.mistral.ai/", "mistral"),
        ("", "https://you.com/", "you"),
    ],
)
def test_assistants_are_a_channel_and_named(query: str, by: str, engine: str) -> None:
    assert came(query, by) == Origin("ai", engine)


def test_nobody_else_is_an_assistant() -> None:
    assert came("", "https://x.com/someone").llm_engine == ""
    assert came("", "https://notclaude.ai/").llm_engine == ""
    assert came("?utm_source=meta").llm_engine == ""
