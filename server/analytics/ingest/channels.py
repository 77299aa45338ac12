"""Where a visit came from, in eleven words that everything counted by channel shares."""

import re
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from server.analytics.ingest.pages import Page, Referrer
from server.analytics.ingest.sources import Source, source_named, source_of


class Channel(StrEnum):
    PAID_SEARCH = "paid_search"
    PAID_SOCIAL = "paid_social"
    PAID_OTHER = "paid_other"
    ORGANIC_SEARCH = "organic_search"
    ORGANIC_SOCIAL = "organic_social"
    AI = "ai"
    EMAIL = "email"
    REFERRAL = "referral"
    DIRECT = "direct"
    OTHER = "other"


class Origin(NamedTuple):
    channel: str
    llm_engine: str


# The words Google Analytics goes by. A click id says more than a medium somebody typed, but for fbclid and epik: links
# that people share carry them too.
_PAID = re.compile(r"(.*cp[acmv].*|ppc|retargeting|remarketing|paid.*|sem|ads?)")
_DISPLAY = frozenset({
    "display", "banner", "expandable", "interstitial", "affiliate", "affiliates", "native", "programmatic",
})  # fmt: skip
_EMAIL = frozenset({"email", "e-mail", "e_mail", "e mail", "newsletter", "mail"})
_SOCIAL = frozenset(
    {"social", "social-network", "social-media", "social_media", "sm", "social network", "social media"}
)
_PAID_CLICKS = {
    "gclid": Channel.PAID_SEARCH, "gbraid": Channel.PAID_SEARCH, "wbraid": Channel.PAID_SEARCH,
    "msclkid": Channel.PAID_SEARCH, "dclid": Channel.PAID_OTHER, "ob_click_id": Channel.PAID_OTHER,
    "ttclid": Channel.PAID_SOCIAL, "twclid": Channel.PAID_SOCIAL, "li_fat_id": Channel.PAID_SOCIAL,
    "rdt_cid": Channel.PAID_SOCIAL, "sccid": Channel.PAID_SOCIAL,
}  # fmt: skip


def origin(page: Page, referrer: Referrer) -> Origin:
    said = page.campaign
    return _origin(
        page.host, said.utm_source, said.utm_medium, said.utm_campaign, said.click_id_type, referrer.host, referrer.path
    )


@lru_cache(4096)
def _origin(host: str, source: str, medium: str, campaign: str, click: str, referrer_host: str, path: str) -> Origin:
    medium = medium.strip().lower()
    own = bool(referrer_host) and _site(referrer_host) == _site(host)
    referring = Source() if own else source_of(referrer_host, path)
    named = source_named(source) if source else Source()
    engine = named.assistant or referring.assistant
    channel = (
        _paid(medium, click, named, referring)
        or _said(medium, source, named)
        or _clicked(click)
        or _referred(referring, referrer_host="" if own else referrer_host, tagged=bool(source or medium or campaign))
    )
    return Origin(channel.value, engine)


def _site(host: str) -> str:
    return host.removeprefix("www.")


def _paid(medium: str, click: str, named: Source, referring: Source) -> Channel | None:
    if medium in _DISPLAY:
        return Channel.PAID_OTHER
    if click in _PAID_CLICKS:
        return _PAID_CLICKS[click]
    if not _PAID.fullmatch(medium):
        return None
    where = named if named.search or named.social else referring
    if where.search or medium in ("ppc", "sem"):
        return Channel.PAID_SEARCH
    return Channel.PAID_SOCIAL if where.social or click in ("fbclid", "epik") else Channel.PAID_OTHER


def _said(medium: str, source: str, named: Source) -> Channel | None:
    """By what the link says of itself."""
    if named.assistant or medium == "ai":
        return Channel.AI
    if medium in _EMAIL or source.strip().lower() in _EMAIL or named.mail:
        return Channel.EMAIL
    if medium in _SOCIAL or named.social:
        return Channel.ORGANIC_SOCIAL
    if medium == "organic" or named.search:
        return Channel.ORGANIC_SEARCH
    return Channel.REFERRAL if medium == "referral" else None


def _clicked(click: str) -> Channel | None:
    return Channel.ORGANIC_SOCIAL if click in ("fbclid", "epik") else None


def _referred(referring: Source, *, referrer_host: str, tagged: bool) -> Channel:
    if referring.assistant:
        return Channel.AI
    if tagged:
        return Channel.OTHER
    if referring.mail:
        return Channel.EMAIL
    if referring.search:
        return Channel.ORGANIC_SEARCH
    if referring.social:
        return Channel.ORGANIC_SOCIAL
    return Channel.REFERRAL if referrer_host else Channel.DIRECT
