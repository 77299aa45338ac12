"""Answers made of web analytics: pages, where visitors come from, what they bring in, and how far they get."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from server.sandbox.anthropic.planner.steps import Asked, Said
from server.sandbox.anthropic.planner.tables import count, listed, money, percent, plain

Row = Mapping[str, Any]
Columns = Sequence[tuple[str, Callable[[Row], str]]]

_SHOWN = 10
_PAGES: Columns = (
    ("Page", lambda row: plain(row["path"])),
    ("Visitors", lambda row: count(row["visitors"])),
    ("Views", lambda row: count(row["pageviews"])),
    ("Bounce rate", lambda row: percent(row["bounce_rate"])),
)
_STEPS: Columns = (
    ("Step", lambda row: plain(row["label"])),
    ("Visitors", lambda row: count(row["visitors"])),
    ("Of the step before", lambda row: percent(row.get("conversion_from_previous", row.get("rate_prev")))),
    ("Of all", lambda row: percent(row.get("conversion_from_first", row.get("rate_total")))),
)
"""The two kinds of funnels name their shares differently."""
_ENGINES: Columns = (
    ("Assistant", lambda row: plain(row["engine"])),
    ("Visitors", lambda row: count(row["visitors"])),
    ("Goals", lambda row: count(row["goals"])),
    ("Payments", lambda row: count(row["payments"])),
    ("Revenue", lambda row: money(row["revenue"], row.get("currency") or "")),
)
_COHORTS: Columns = (
    ("Cohort", lambda row: plain(row["cohort"])),
    ("Period", lambda row: count(row["period"])),
    ("Visitors", lambda row: count(row["retained"])),
    ("Of the cohort", lambda row: percent(row["rate"])),
)
_WEBSITES: Columns = (
    ("Website", lambda row: plain(row.get("name"))),
    ("Domain", lambda row: plain(row.get("domain"))),
    ("Time zone", lambda row: plain(row.get("time_zone"))),
)
_PATH = re.compile(r"(?<![\w/.:])/[\w-]+[\w/.-]*")
_MINUTES = re.compile(r"\blast (\d{1,3}) minutes?\b", re.IGNORECASE)
_RECENT = 30
_METRICS: Columns = (("Pipe", lambda row: plain(row["pipe"])), ("Answers", lambda row: plain(row["answers"])))


def pages(asked: Asked) -> str:
    period = asked.period
    found = _read(asked, "p_top_pages", **period.arguments, limit=_SHOWN)
    if not found["rows"]:
        return f"No page was visited in {period}.{_caveats(found)}"
    first = found["rows"][0]
    lead = f"**{plain(first['path'])}** had the most visitors in {period}: {count(first['visitors'])}."
    return _shown(lead, found, _PAGES)


def sources(asked: Asked) -> str:
    period, by = asked.period, _split(asked.words)
    found = _read(asked, "p_traffic_sources", **period.arguments, by=by, limit=_SHOWN)
    if not found["rows"]:
        return f"There were no visitors in {period}.{_caveats(found)}"
    first = found["rows"][0]
    lead = f"Most visitors came by **{plain(first[by])}** in {period}: {count(first['visitors'])}."
    columns = (
        (by.title(), lambda row: plain(row[by])),
        ("Visitors", lambda row: count(row["visitors"])),
        ("Sessions", lambda row: count(row["sessions"])),
        ("Payments", lambda row: count(row["payments"])),
        ("Revenue", lambda row: money(row["revenue"], row.get("currency") or "")),
    )
    return _shown(lead, found, columns)


def revenue(asked: Asked) -> str:
    """By the model that is named; by both where both are, as neither is the truth."""
    said = [model for model in ("first_touch", "last_touch") if model.partition("_")[0] in asked.words.lower()]
    return "\n\n".join(_attributed(asked, model) for model in said or ["last_touch"])


def _attributed(asked: Asked, model: str) -> str:
    period, by = asked.period, _split(asked.words)
    found = _read(asked, "p_attributed_revenue", **period.arguments, model=model, by=by, limit=_SHOWN)
    if not found["rows"]:
        return f"There were no payments in {period}.{_caveats(found)}"
    first = _meant(asked, found["rows"], by)
    lead = (
        f"By {model.replace('_', ' ')}, **{plain(first[by])}** brought {_most(first, found)} in {period}: "
        f"{money(first['revenue'], first.get('currency') or '')}. Other models share it out differently."
    )
    columns = (
        (by.title(), lambda row: plain(row[by])),
        ("Payments", lambda row: count(row["payments"])),
        ("Revenue", lambda row: money(row["revenue"], row.get("currency") or "")),
        ("Share", lambda row: percent(row["share"])),
    )
    return _shown(lead, found, columns)


def _meant(asked: Asked, rows: Sequence[Row], by: str) -> Row:
    """The one that is named, else the first."""
    lower = asked.words.lower()
    return next((row for row in rows if str(row[by]).replace("_", " ") in lower), rows[0])


def _most(row: Row, found: Row) -> str:
    return "the most" if row is found["rows"][0] else "this"


def total(asked: Asked) -> str:
    """What visitors paid, and what that sum leaves out."""
    period = asked.period
    found = _read(asked, "p_revenue_summary", **period.arguments)
    if not found["rows"]:
        return f"There were no payments in {period}.{_caveats(found)}"
    row = found["rows"][0]
    other = row.get("other_currency_payments") or 0
    aside = f" Not in it: {count(other)} payments in other currencies." if other else ""
    return f"The revenue of {period} is {money(row['revenue'], row.get('currency') or '')}.{aside}{_caveats(found)}"


def assistants(asked: Asked) -> str:
    period = asked.period
    found = _read(asked, "p_llm_traffic", **period.arguments, limit=_SHOWN)
    if not found["rows"]:
        return f"No assistant sent a visitor in {period}.{_caveats(found)}"
    lower = asked.words.lower().replace(" ", "")
    first = next((row for row in found["rows"] if row["engine"] in lower), found["rows"][0])
    lead = (
        f"**{plain(first['engine'])}** sent {count(first['visitors'])} visitors in {period}, who paid "
        f"{money(first['revenue'], first.get('currency') or '')}."
    )
    return _shown(lead, found, _ENGINES)


def funnel(asked: Asked) -> str:
    """The one that is named, or the only one; there is none to choose where none is kept."""
    held = asked.rows("list_funnels")
    if not held:
        return "No funnel is kept yet. Create one with its steps, then ask again."
    lower = asked.words.lower()
    named = [row for row in held if row["name"].lower() in lower] or (held if len(held) == 1 else [])
    if len(named) != 1:
        names = "\n".join(f"- {plain(row['name'])}" for row in named or held)
        return f"Several funnels are kept:\n\n{names}\n\nWhich one do you mean?"
    (kept,) = named
    period = asked.period
    found = _read(
        asked, "p_funnel_v2", **period.arguments, websiteId=kept["websiteId"], steps=json.dumps(kept["steps"]),
        window_s=kept["window_s"],
    )  # fmt: skip
    name = plain(kept["name"])

    def converted(first: Row, last: Row) -> str:
        share, reached, entered = (
            percent(last["conversion_from_first"]),
            count(last["visitors"]),
            count(first["visitors"]),
        )
        return f"**{name}** converted {share} in {period}: {reached} of {entered} visitors."

    return _led(found, f"Nobody entered **{name}** in {period}.", converted)


def steps(asked: Asked) -> str:
    """A funnel of the paths that are named, in their order."""
    paths = list(dict.fromkeys(path.rstrip(".") for path in _PATH.findall(asked.words)))
    found = _read(asked, "p_funnel", **asked.period.arguments, steps=",".join(paths))

    def reached(first: Row, last: Row) -> str:
        visitors = f"Of {count(first['visitors'])} visitors of {paths[0]} in {asked.period}"
        return f"{visitors}, {count(last['visitors'])} reached {paths[-1]}."

    return _led(found, f"Nobody visited {paths[0]} in {asked.period}.", reached)


def _led(found: Row, nobody: str, lead: Callable[[Row, Row], str]) -> str:
    """What the first and the last of the steps tell, above them all; of steps that nobody entered there is no table."""
    rows = found["rows"]
    if not rows or not rows[0]["visitors"]:
        return f"{nobody}{_caveats(found)}"
    return _shown(lead(rows[0], rows[-1]), found, _STEPS)


def retention(asked: Asked) -> str:
    lower = asked.words.lower()
    interval = next((each for each in ("month", "day") if f"by {each}" in lower), "week")
    found = _read(asked, "p_retention_cohort", **asked.period.arguments, interval=interval)
    if not found["rows"]:
        return f"There are no cohorts in {asked.period}.{_caveats(found)}"
    first = found["rows"][0]
    back = next((row for row in found["rows"] if row["cohort"] == first["cohort"] and row["period"] == 1), None)
    lead = f"The first cohort ({plain(first['cohort'])}) has {count(first['cohort_size'])} visitors"
    lead += f"; {percent(back['rate'])} of them came back a {interval} later." if back else "."
    return _shown(lead, found, _COHORTS)


def online(asked: Asked) -> str:
    said = _MINUTES.search(asked.words)
    minutes = int(said[1]) if said else _RECENT
    found = _read(asked, "p_realtime_visitors", minutes=minutes)
    now = found["rows"][0]["visitors_now"] if found["rows"] else 0
    return f"{count(now)} visitors in the last {minutes} minutes.{_caveats(found)}"


def websites(asked: Asked) -> str:
    rows = asked.rows("list_websites")
    return f"Counted here:\n\n{listed(rows, _WEBSITES)}" if rows else "No website is counted yet."


def not_counted(asked: Asked) -> str:
    """Nobody is asked who they are; what is counted instead is listed."""
    return f"No pipe tells that of visitors, so I cannot say. {metrics(asked)}"


def visitors(asked: Asked) -> str:
    period = asked.period
    found = _read(asked, "p_visitors_summary", **period.arguments)
    if not found["rows"]:
        return f"There were no visitors in {period}.{_caveats(found)}"
    row = found["rows"][0]
    return (
        f"{count(row['visitors'])} visitors in {period}, in {count(row['sessions'])} sessions with "
        f"{count(row['pageviews'])} page views.{_caveats(found)}"
    )


def metrics(asked: Asked) -> str:
    rows = asked.rows("list_metrics")
    return f"These pipes can be asked:\n\n{listed(rows, _METRICS, 50)}"


def abilities(_: Asked) -> str:
    return (
        "I am a scripted demo model. You can ask me, for example:\n\n"
        "- What are the top pages of the last 30 days?\n"
        "- Where do visitors come from?\n"
        "- What is the revenue by channel, or by campaign?\n"
        "- What do ChatGPT and other assistants bring?\n"
        "- How does the funnel convert?\n"
        "- How many visitors were there this week? Which metrics are there?"
    )


def _read(asked: Asked, pipe: str, **sent: Any) -> Row:
    found = asked.read("query_metrics", pipe=pipe, **sent)
    if not isinstance(found, Mapping):
        raise Said("The figures came in a form that I, being a script, cannot read.")
    return found


def _split(words: str) -> str:
    lower = words.lower()
    return next((by for by in ("campaign", "source") if by in lower and f"traffic {by}" not in lower), "channel")


def _shown(lead: str, found: Row, columns: Columns) -> str:
    return f"{lead}\n\n{listed(found['rows'], columns)}{_caveats(found)}"


def _caveats(found: Row) -> str:
    told = " ".join(plain(caveat) for caveat in found.get("caveats", ()))
    more = " There are more rows than I was shown." if found.get("left_out") else ""
    return f"\n\n{told}{more}" if told or more else ""
