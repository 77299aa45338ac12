"""Put the script on a website, and see whether it works."""

import datetime as dt
from enum import StrEnum
from html import escape
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from tools.approval import moment
from tools.authority import Scope
from tools.capability import GET, Input, Output, Toolset, read
from tools.context import Context
from tools.fields import AnyWebsite, member
from tools.pipes import HEALTH
from tools.pixel.model import host
from tools.pixel.store import website

STALE = dt.timedelta(hours=24)


class Framework(StrEnum):
    HTML = "html"
    NEXTJS = "nextjs"
    REACT = "react"
    VUE = "vue"
    WORDPRESS = "wordpress"
    SHOPIFY = "shopify"
    TAG_MANAGER = "tag_manager"


_WHERE = {
    Framework.HTML: "Put it into the <head> of every page, as it is.",
    Framework.NEXTJS: 'In app/layout.tsx, inside <head>, as it is; not through next/script with strategy="worker".',
    Framework.REACT: "Put it into the <head> of index.html; changes of the address are counted as pages by themselves.",
    Framework.VUE: "Put it into the <head> of index.html (in Nuxt: app.head.script of nuxt.config.ts).",
    Framework.WORDPRESS: "Put it into header.php of the theme before </head>, or into a plugin for header code.",
    Framework.SHOPIFY: "Online Store, Themes, Edit code, layout/theme.liquid: before </head>. The checkout runs no "
    "scripts of themes: send payments from your server to /pixel/events.",
    Framework.TAG_MANAGER: "A Custom HTML tag with the tag_manager snippet, fired on all pages. Tag managers drop data "
    "attributes of script tags, so it builds the tag itself.",
}


class SnippetWanted(Input):
    websiteId: Annotated[AnyWebsite, Field(description="Website id, from list_websites.")]
    framework: Annotated[
        Framework, BeforeValidator(member(Framework)), Field(description="Where it goes: how to put it there is told.")
    ] = Framework.HTML
    cookieless: Annotated[
        bool, Field(description="Store nothing in the browser; visitors are told apart for a day.")
    ] = False
    consent: Annotated[
        bool, Field(description='Hold back up to 50 events until the page calls adwright("consent", true).')
    ] = False
    hash_routes: Annotated[bool, Field(description="What follows # is a page of its own.")] = False
    across_subdomains: Annotated[bool, Field(description="One visitor over all subdomains of the website.")] = False
    proxy: (
        Annotated[
            str,
            Field(max_length=300, description="Host of yours that passes /js/p.js and /e on, such as t.example.com."),
            AfterValidator(host),
        ]
        | None
    ) = None


class Snippet(Output):
    websiteId: str
    snippet: str
    script_url: str
    where: str
    csp: str  # what a Content-Security-Policy has to allow, where the site has one
    proxy_hint: str
    goals: str
    next: str


class InstallationWanted(Input):
    websiteId: Annotated[AnyWebsite, Field(description="Website id, from list_websites.")]


class Dropped(Output):
    reason: str
    events: int


class Installation(Output):
    websiteId: str
    status: str  # waiting | receiving | stale
    next: str
    checkedAt: str
    last_event_at: str | None = None
    events_5m: int = 0
    events_24h: int = 0
    bots_24h: int = 0
    quarantined_24h: int = 0
    dropped: tuple[Dropped, ...] = ()  # in the last day, and why


@read(scope=Scope.PIXEL_READ, rest=GET("/pixel/websites/{websiteId}/snippet"), toolset=Toolset.ANALYTICS)
async def get_install_snippet(context: Context, wanted: SnippetWanted) -> Snippet:
    """Get the script tag of a website, ready to paste, with where to put it for its framework, the line a
    Content-Security-Policy needs, and how to serve it from a host of your own. Views, engagement, outbound links,
    downloads and changes of the address are then counted by themselves."""
    site = await website(context, wanted.websiteId)
    origin = f"https://{wanted.proxy}" if wanted.proxy else context.public_url
    source = f"{origin}/js/p.js"
    data = {"website-id": site.id} | _options(wanted, site.domain)
    return Snippet(
        websiteId=site.id,
        snippet=_tag_built(source, data) if wanted.framework is Framework.TAG_MANAGER else _tag(source, data),
        script_url=source,
        where=_WHERE[wanted.framework],
        csp=f"script-src {_origin(source)}; connect-src {_origin(source)}",
        proxy_hint=(
            f"Blockers know foreign hosts. Have a subdomain of {site.domain} pass /js/p.js and /e on to "
            f"{context.public_url}, with the visitor's address in X-Forwarded-For, and name it as proxy."
        ),
        goals=(
            'Count a click with data-goal="signup" on its element, or adwright("goal", "signup", {"plan": "pro"}, 9), '
            'and a payment with adwright("payment", {"amount": 99, "currency": "USD", "transaction_id": "T-1"}).'
        ),
        next="Publish the page, open it once, then use check_installation.",
    )


@read(scope=Scope.PIXEL_READ, rest=GET("/pixel/websites/{websiteId}/installation"), toolset=Toolset.ANALYTICS)
async def check_installation(context: Context, wanted: InstallationWanted) -> Installation:
    """Say whether events of a website arrive: waiting (none yet), receiving, or stale (none for a day), when the last
    one came, how many were bots, how many were dropped and why, and what to do next."""
    site = await website(context, wanted.websiteId)
    ours = {"workspace_id": context.principal.workspace, "website_id": site.id}
    found = await context.pipes.query(HEALTH, ours)
    row = next((row for row in found.rows if row.get("website_id", site.id) == site.id), {})
    last = _moment(row.get("last_event_at"))
    status = "waiting" if last is None else "stale" if context.clock() - last > STALE else "receiving"
    counts = {name: int(row.get(name) or 0) for name in ("events_5m", "events_24h", "bots_24h", "quarantined_24h")}
    dropped = tuple(_dropped(each) for each in row.get("drops_24h") or ())
    return Installation(
        websiteId=site.id,
        status=status,
        next=_next(status, counts, dropped, site.domain),
        checkedAt=moment(context.now_ms()),
        last_event_at=moment(int(last.timestamp() * 1000)) if last else None,
        **counts,
        dropped=dropped,
    )


def _options(wanted: SnippetWanted, domain: str) -> dict[str, str]:
    given = {
        "cookieless": "" if wanted.cookieless else None,
        "consent": "" if wanted.consent else None,
        "hash": "" if wanted.hash_routes else None,
        "domain": domain if wanted.across_subdomains else None,
    }
    return {name: text for name, text in given.items() if text is not None}


def _tag(source: str, data: dict[str, str]) -> str:
    attributes = " ".join(f'data-{name}="{escape(text)}"' if text else f"data-{name}" for name, text in data.items())
    return f'<script defer {attributes} src="{escape(source)}"></script>'


def _tag_built(source: str, data: dict[str, str]) -> str:
    attributes = "".join(f'  s.setAttribute("data-{name}", "{text}");\n' for name, text in data.items())
    return (
        f'<script>\n(function () {{\n  var s = document.createElement("script");\n{attributes}'
        f'  s.src = "{source}";\n  document.head.appendChild(s);\n}})();\n</script>'
    )


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _moment(value: Any) -> dt.datetime | None:
    """As ClickHouse writes it, UTC and without saying so; its beginning of time is none."""
    if not value:
        return None
    found = dt.datetime.fromisoformat(str(value).replace(" ", "T"))
    found = found if found.tzinfo else found.replace(tzinfo=dt.UTC)
    return found if found.year > 1970 else None


def _dropped(told: Any) -> Dropped:
    """A named tuple: an object in JSON, unless the server was told otherwise."""
    reason, events = told.values() if isinstance(told, dict) else told
    return Dropped(reason=str(reason), events=int(events))


def _next(status: str, counts: dict[str, int], dropped: tuple[Dropped, ...], domain: str) -> str:
    if dropped and not counts["events_24h"]:
        told = ", ".join(f"{each.reason} ({each.events})" for each in dropped)
        return f"Events were sent and dropped: {told}. Those of wrong_domain come from no page of {domain}."
    if status == "waiting":
        return (
            f"No event yet. Open a page of {domain} that carries the snippet, without a blocker. If none arrives, look "
            "in the browser's console: a Content-Security-Policy may refuse it, or the page is on another domain."
        )
    if status == "stale":
        return f"Nothing came for a day. See whether the snippet is still in the pages of {domain}."
    if not counts["events_24h"]:
        return "Only bots came in the last day; open a page with a browser."
    if dropped:
        return f"Events arrive; {sum(each.events for each in dropped)} were dropped in the last day, see dropped."
    return "Events arrive. Ask query_metrics for p_top_pages."
