"""What an address of a page tells: the page itself, the campaign that led there, and nothing that names a person."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote_plus

from server.analytics.ingest.text import clean, hashed

MOST_URL = 4096
_MOST_PATH, _MOST_TAG = 1024, 200
_MOST_PARAMETERS = 100

# Ad platforms' marks of one click; an earlier one wins.
CLICK_IDS = (
    "gclid", "gbraid", "wbraid", "dclid", "msclkid", "ttclid", "twclid", "li_fat_id", "rdt_cid", "sccid", "epik",
    "ob_click_id", "fbclid",
)  # fmt: skip
_UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")
# Meta's {{campaign.id}} is sent under whatever name the advertiser gave it: utm_id and campaign_id by custom.
_CAMPAIGN_IDS = ("utm_id", "campaign_id", "campaignid", "hsa_cam", "gad_campaignid")
_TAGS = frozenset({*_UTM, *_CAMPAIGN_IDS, "hsa_net"})
_CLICK_IDS = frozenset(CLICK_IDS)
_CAMPAIGN_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_HOST = re.compile(r"[a-z0-9_.-]{1,253}|\[[0-9a-f:.]{2,45}\]")
_GOOGLE = frozenset({"google", "adwords", "googleads", "google_ads", "google-ads", "youtube"})
_META = frozenset({"facebook", "fb", "instagram", "ig", "meta", "an", "msg", "threads"})  # as {{site_source_name}} says


class Campaign(NamedTuple):
    """What a link says of itself; many say the same, each with a click of its own."""

    utm_source: str = ""
    utm_medium: str = ""
    utm_campaign: str = ""
    utm_term: str = ""
    utm_content: str = ""
    click_id_type: str = ""
    campaign_platform: str = ""
    campaign_id: str = ""


_UNTOLD = Campaign()


class Page(NamedTuple):
    url: str  # without its query: what is in there may be anybody's
    host: str
    path: str
    click_id_hash: str = ""
    campaign: Campaign = _UNTOLD


NOWHERE = Page("", "", "")


@lru_cache(1024)  # of strangers' texts, of up to 8 kB each
def page(url: str) -> Page:
    scheme, host, path, query = _parts(url[:MOST_URL])
    if not path and not host:
        return NOWHERE
    kept = f"{scheme}://{host}{path}" if host else path
    if not query:
        return Page(kept, host, path)
    tags, clicks = _parameters(query)
    click = next(filter(clicks.__contains__, CLICK_IDS)) if clicks else ""
    return Page(kept, host, path, hashed(clicks[click]) if click else "", _campaign(tuple(tags.items()), click))


def host_of(url: str) -> str:
    """In lower case, without port; '' where there is none."""
    return _parts(url[:MOST_URL])[1]


def _parts(url: str) -> tuple[str, str, str, str]:
    """Scheme, host, path and query; a route after `#`, as some applications have it, is part of the path."""
    address, _, fragment = url.strip().partition("#")
    address, _, query = address.partition("?")
    scheme, separator, rest = address.partition("://")
    if not separator:
        scheme, rest = "", address if address.startswith("/") else ""
    authority, slash, path = rest.partition("/")
    host = _host(authority)
    path = slash + path if slash else ("/" if host else "")
    if fragment and fragment.startswith(("/", "!/")):
        path += "#" + fragment.partition("?")[0]
    return scheme if scheme in ("https", "http") else clean(scheme.lower(), 20), host, clean(path, _MOST_PATH), query


@lru_cache(1024)
def _host(authority: str) -> str:
    host = authority.rpartition("@")[2].lower()
    if not host.endswith("]"):
        name, colon, port = host.rpartition(":")
        host = name if colon and port.isdecimal() else host
    host = host.rstrip(".")
    return host if _HOST.fullmatch(host) else ""


def _parameters(query: str) -> tuple[dict[str, str], dict[str, str]]:
    """What the link says of its campaign, and the marks of the click."""
    tags: dict[str, str] = {}
    clicks: dict[str, str] = {}
    for pair in query.split("&", _MOST_PARAMETERS)[:_MOST_PARAMETERS]:
        name, _, value = pair.partition("=")
        name = name.lower()
        if name in _TAGS:
            found = tags
        elif name in _CLICK_IDS:
            found = clicks
        else:
            continue
        if value and name not in found:
            found[name] = unquote_plus(value) if "%" in value or "+" in value else value
    return tags, clicks


@lru_cache(1024)
def _campaign(tags: tuple[tuple[str, str], ...], click: str) -> Campaign:
    said = dict(tags)
    source, medium, campaign, term, content = (clean(said.get(name, ""), _MOST_TAG) for name in _UTM)
    return Campaign(source, medium, campaign, term, content, click, *_bought(said, click))


def _bought(found: Mapping[str, str], click: str) -> tuple[str, str]:
    """The platform, and its campaign."""
    source = found.get("utm_source", "").strip().lower()
    network = found.get("hsa_net", "").strip().lower()
    if found.get("gad_campaignid") or click in ("gclid", "gbraid", "wbraid") or source in _GOOGLE or network in _GOOGLE:
        platform = "google"
    elif click == "fbclid" or source in _META or network in _META:
        platform = "meta"
    else:
        platform = ""
    # The last named is the surest: the platform's own before what somebody wrote into a template.
    for name in reversed(_CAMPAIGN_IDS):
        identifier = found.get(name)
        if identifier and _CAMPAIGN_ID.fullmatch(identifier):  # not a template that nobody filled in
            return platform, identifier
    return platform, ""


class Referrer(NamedTuple):
    url: str
    host: str
    path: str = ""


@lru_cache(1024)
def referrer(url: str) -> Referrer:
    found = page(url)
    return Referrer(found.url, found.host, found.path) if found.host else Referrer("", "")
