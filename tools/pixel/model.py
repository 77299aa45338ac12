"""What the capabilities of the slice have in common: ids, names and a website's settings, each saying what it is."""

import re
from functools import cache
from typing import Annotated
from zoneinfo import available_timezones

import idna
from pydantic import AfterValidator, BeforeValidator, Field

from tools.capability import Input
from tools.currencies import CODES
from tools.fields import Cursor
from tools.legible import require_legible

MOST_ROWS = 1000
"""Of any one list, as published for websites."""

_LONGEST_HOST = 253
_IS_NUMBERS = re.compile(r"[0-9]+|0x[0-9a-f]*")


def host(text: str) -> str:
    """The name of a site in its wire form: lower case, `xn--`, without www and the final dot.

    Raises ValueError, which says what to send, for anything that is no public host name.
    """
    if re.search(r"[/?#@:\\\s%]", text):
        raise ValueError("send the host alone, such as example.com: no scheme, port, path or user")
    try:
        name = idna.encode(text, uts46=True, std3_rules=True).decode().removesuffix(".")
    except idna.IDNAError as problem:
        raise ValueError(f"is no host name: {problem}") from None
    bare = name.removeprefix("www.")
    name = bare if "." in bare else name
    if "." not in name or _IS_NUMBERS.fullmatch(name.rpartition(".")[2]):
        raise ValueError("needs a public name such as example.com; for a local copy of it set allow_localhost")
    if len(name) > _LONGEST_HOST:
        raise ValueError(f"has more than {_LONGEST_HOST} characters")
    return name


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _time_zone(text: str) -> str:
    if text not in _time_zones():
        raise ValueError("is no time zone of the IANA database, such as Europe/Berlin or UTC")
    return text


def _currency(text: str) -> str:
    if text not in CODES:
        raise ValueError("is no currency of ISO 4217, such as EUR")
    return text


Domain = Annotated[
    str,
    Field(min_length=1, max_length=300, description="Host of the website, such as example.com; its subdomains count."),
    AfterValidator(host),
]
TimeZone = Annotated[
    str, Field(max_length=64, description="IANA time zone its days are counted in."), AfterValidator(_time_zone)
]
Currency = Annotated[
    str, Field(max_length=3, description="ISO 4217 code its revenue is shown in."), AfterValidator(_currency)
]
Name = Annotated[
    str,
    BeforeValidator(require_legible),
    Field(min_length=1, max_length=100, pattern=r"\S", description="What people call it."),
]
WebsiteId = Annotated[
    str,
    Field(pattern=r"^admx_[A-Za-z0-9_-]{1,40}$", description="Website id, from list_websites; implied where one is."),
]
GoalId = Annotated[str, Field(pattern=r"^gol_[A-Za-z0-9]{1,40}$", description="Goal id, from list_goals.")]
FunnelId = Annotated[str, Field(pattern=r"^fun_[A-Za-z0-9]{1,40}$", description="Funnel id, from list_funnels.")]
ShareLinkId = Annotated[
    str, Field(pattern=r"^shl_[A-Za-z0-9]{1,40}$", description="Share link id, from list_share_links.")
]


class OfWebsite(Input):
    """The query of a list whose rows belong to websites."""

    websiteId: Annotated[WebsiteId, Field(description="Only of this website; of all if left out.")] | None = None
    cursor: Cursor | None = None
    limit: Annotated[int, Field(ge=1, le=MOST_ROWS, description="Rows a page, at most 1,000.")] = 100
