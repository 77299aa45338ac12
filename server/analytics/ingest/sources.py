"""Which search engine, social network, assistant or mailbox a host is, by maintained lists."""

from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

import orjson

VENDOR = Path(__file__).parent / "vendor"

# Ours beside the list of assistants, whose names in the data are on the right.
_ASSISTANTS = {
    "chatgpt": ("openai.com",),
    "perplexity": ("pplx.ai",),
    "claude": ("anthropic.com",),
    "gemini": ("aistudio.google.com",),
    "copilot": ("copilot.cloud.microsoft", "copilot.com", "m365.cloud.microsoft"),
    "deepseek": ("deepseek.com",),
    "grok": ("x.ai",),
    "mistral": ("mistral.ai",),
    "qwen": ("qwen.ai", "tongyi.aliyun.com", "tongyi.com"),
    "kimi": ("kimi.com", "kimi.moonshot.cn"),
    "doubao": ("doubao.com",),
    "poe": ("poe.com",),
    "phind": ("phind.com",),
    "characterai": ("character.ai",),
    "pi": ("pi.ai",),
    "huggingchat": ("huggingface.co",),
}
_NAMES = {"meta ai": "meta", "le chat": "mistral", "duck.ai": "duckai", "baidu ai": "baidu", "chat+": "chatplus"}
_MAIL = (
    "mail.google.com", "com.google.android.gm", "outlook.live.com", "outlook.office.com", "outlook.office365.com",
    "mail.yahoo.com", "mail.aol.com", "mail.proton.me", "mail.zoho.com", "mail.yandex.ru", "mail.ru", "e.mail.ru",
    "webmail.freenet.de", "navigator.gmx.net", "navigator.web.de", "3c.gmx.net", "3c.web.de", "app.fastmail.com",
    "mail.163.com", "mail.qq.com", "com.microsoft.office.outlook", "com.yahoo.mobile.client.android.mail",
)  # fmt: skip
# Not in the list of search engines under these names, or only with a path.
_SEARCH = ("search.brave.com", "com.google.android.googlequicksearchbox", "kagi.com", "ecosia.org", "search.yahoo.com")
_SOCIAL = ("com.facebook.katana", "com.instagram.android", "com.twitter.android", "com.linkedin.android")
_NOT_SOCIAL = frozenset({"github.com", "gitlab.com"})  # people work there
# What campaigns call them.
_SOURCES_SEARCH = frozenset({
    "google", "bing", "yahoo", "duckduckgo", "baidu", "yandex", "ecosia", "brave", "naver", "adwords",
})  # fmt: skip
_SOURCES_SOCIAL = frozenset({
    "facebook", "fb", "instagram", "ig", "meta", "threads", "twitter", "x", "linkedin", "tiktok", "pinterest", "reddit",
    "snapchat", "youtube", "whatsapp", "telegram", "bluesky", "mastodon", "an", "msg",
})  # fmt: skip


class Source(NamedTuple):
    assistant: str = ""  # chatgpt, claude, …
    search: bool = False
    social: bool = False
    mail: bool = False


UNKNOWN = Source()


class _Lists(NamedTuple):
    assistants: Mapping[str, str]  # by host
    assistant_paths: tuple[tuple[str, str], ...]
    search: frozenset[str]
    search_anywhere: frozenset[str]  # google.{}: under any country's ending
    search_below: frozenset[str]  # {}.bing.com: any country's host below it
    social: frozenset[str]


@cache
def lists() -> _Lists:
    found = orjson.loads((VENDOR / "sources.json").read_bytes())
    named = [(_slug(name), host) for name, hosts in found["assistants"].items() for host in hosts]
    ours = [(name, host) for name, hosts in _ASSISTANTS.items() for host in hosts]
    engines = {url for urls in found["search"].values() for url in urls if "/" not in url}
    return _Lists(
        assistants={host: name for name, host in [*ours, *named] if "/" not in host},
        assistant_paths=tuple((host, name) for name, host in named if "/" in host),
        search=frozenset({url.removeprefix("www.") for url in engines if "{" not in url} | set(_SEARCH)),
        search_anywhere=frozenset(url[:-3].removeprefix("www.") for url in engines if url.endswith(".{}")),
        search_below=frozenset(url[3:] for url in engines if url.startswith("{}.")),
        social=frozenset({host for hosts in found["social"].values() for host in hosts} | set(_SOCIAL)) - _NOT_SOCIAL,
    )


def _slug(name: str) -> str:
    name = name.lower()
    return _NAMES.get(name, "".join(filter(str.isalnum, name)))


@lru_cache(4096)
def source_of(host: str, path: str = "") -> Source:
    """`path` of the same address, for the few that share a host with something else."""
    host = host.removeprefix("www.")
    if not host:
        return UNKNOWN
    known = lists()
    for start, name in known.assistant_paths:
        if (host + path).startswith(start):
            return Source(assistant=name)
    if host in _MAIL:
        return Source(mail=True)
    if assistant := next((known.assistants[each] for each in _above(host) if each in known.assistants), ""):
        return Source(assistant=assistant)
    if _searches(host, known):
        return Source(search=True)
    return Source(social=any(each in known.social for each in _above(host)))


def _above(host: str) -> Iterator[str]:
    """The host and the domains it lies in, but for the last label."""
    while "." in host:
        yield host
        host = host.partition(".")[2]


def _searches(host: str, known: _Lists) -> bool:
    if host in known.search or host.removeprefix("m.") in known.search:
        return True
    first, _, rest = host.partition(".")
    if len(first) <= 3 and rest in known.search_below:
        return True
    # google.de, google.co.uk: a name, then nothing but a country's ending.
    labels = host.split(".")
    for ending in (1, 2):
        name = ".".join(labels[:-ending])
        if name in known.search_anywhere and all(len(label) <= 3 for label in labels[-ending:]):
            return True
    return False


@lru_cache(4096)
def source_named(name: str) -> Source:
    """By what a campaign calls where it runs: utm_source=chatgpt.com, google, facebook."""
    name = name.strip().lower()
    if "." in name:
        return source_of(name)
    known = lists()
    if name == "openai" or name in set(known.assistants.values()) - {"meta"}:
        return Source(assistant="chatgpt" if name == "openai" else name)
    return Source(search=name in _SOURCES_SEARCH, social=name in _SOURCES_SOCIAL)
