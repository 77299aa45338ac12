"""The same raw events as pandas sees them: what the parameters of a pipe choose, and the sessions in it."""

import datetime as dt
import functools
import zlib
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from tests.server.analytics.pipes.history import History, Row, sent_again

KEYS = {
    "pageviews": ["ts", "visitor_id", "event_id"],
    "engagements": ["ts", "visitor_id", "event_id"],
    "custom_goals": ["event_id"],
    "visitor_payments": ["event_id"],
    "visitor_identities": ["visitor_id", "external_id_sha256"],
    "ad_spend_daily": ["date", "platform", "account_id", "campaign_id"],
    "ingest_drops": ["ts", "reason", "batch_id"],
}
OF_SESSIONS = ("country", "device", "browser", "os", "channel", "referrer_host", "utm_source", "utm_campaign")
CHOOSING = ("workspace_id", "website_id", "from", "to", "tz", "currency", "path", "event", *OF_SESSIONS)
TEXTS = (
    *("channel", "referrer_host", "utm_source", "utm_medium", "utm_campaign", "llm_engine", "campaign_platform"),
    *("campaign_id", "country", "region", "city", "device", "browser", "os", "language", "host", "path", "title"),
)
SESSION = ["website_id", "visitor_id", "session_id"]
EPOCH = pd.Timestamp(0, tz="UTC")


@functools.cache
def reference(told: History) -> "Callable[[Mapping[str, str]], Asked]":
    """Of each event what was last received, and what one question finds out kept for the next, of either folder."""
    received: dict[str, list[Row]] = defaultdict(list)
    for name, rows in (*told.rows.items(), *sent_again(told)):
        received[name] += rows
    seen, known = {name: _frame(name, rows) for name, rows in received.items()}, dict[Any, pd.DataFrame]()
    return lambda values: Asked(seen, values, known)


def _frame(name: str, rows: list[Row]) -> pd.DataFrame:
    frame = pd.DataFrame({column: _column([row.get(column) for row in rows]) for column in dict.fromkeys(chain(*rows))})
    key = ["workspace_id", *(["website_id"] if "website_id" in frame else []), *KEYS[name]]
    frame = frame.sort_values("ingest_ts", kind="stable").drop_duplicates(key, keep="last").reset_index(drop=True)
    for text in TEXTS if name == "pageviews" else ():
        frame[text] = frame[text].fillna("") if text in frame else ""
    for amount in {"value", "amount", "spend"} & set(frame.columns):
        frame[amount] = [int(x * 10_000) for x in frame[amount]]  # whole ten-thousandths: sums are exact
    if "ts" in frame:
        names = ("ts", "ingest_ts")
        at, received = (pd.to_datetime(frame[name], utc=True).astype("datetime64[ms, UTC]") for name in names)
        frame = frame.assign(ts=at, ms=at.astype("int64"), received_ms=received.astype("int64"))
    if "event_id" in frame:
        tie = [zlib.crc32(x.encode()) & (2**22 - 1) for x in frame["event_id"]]
        frame["seq"] = frame["ms"] * 2**22 + np.array(tie, dtype="int64")
    return frame


def _column(values: list[Any]) -> "pd.Series[Any]":
    """Texts as Python's own: Arrow's cost more to choose from than all that is counted here."""
    return pd.Series(values, dtype=object if any(isinstance(value, str) for value in values) else None)


def rate(part: float, whole: float) -> float | None:
    return None if whole == 0 else rounded(part / whole, 4)


def rounded(x: float, places: int) -> float:
    return float(np.round(x, places))


def _among(frame: pd.DataFrame, sessions: set[Any]) -> Any:
    return np.array([key in sessions for key in frame[SESSION].itertuples(index=False, name=None)], dtype=bool)


def money(tenthousandths: int) -> float:
    return int(tenthousandths) / 10_000


def most_frequent(currencies: "pd.Series[Any]") -> str:
    counts = currencies.value_counts()
    return "" if counts.empty else str(min(counts.items(), key=lambda pair: (-pair[1], pair[0]))[0])


@dataclass
class Asked:
    """One call of a pipe. Nothing here is shared with the SQL but the names of parameters and columns."""

    all: Mapping[str, pd.DataFrame]
    values: Mapping[str, str]
    known: dict[Any, pd.DataFrame] = field(default_factory=dict)  # what another pipe's question has found already

    def __post_init__(self) -> None:
        self.zone = ZoneInfo(self.values.get("tz", "UTC"))
        self.last = dt.date.fromisoformat(self.values["to"])
        given = self.values.get("from")
        self.first = dt.date.fromisoformat(given) if given else self.last - dt.timedelta(days=29)
        self.since, self.until = self._midnight(self.first), self._midnight(self.last + dt.timedelta(days=1))
        days = (self.last - self.first).days + 1
        self.since_before = self._midnight(self.first - dt.timedelta(days=days))
        self.filtered = bool({*OF_SESSIONS, "path", "event"} & self.values.keys())

    def _midnight(self, day: dt.date) -> int:
        return round(dt.datetime.combine(day, dt.time(), self.zone).timestamp() * 1000)

    def day(self, frame: pd.DataFrame) -> "pd.Series[Any]":
        return frame["ts"].dt.tz_convert(self.zone).dt.date

    def shown(self, ms: int) -> str:
        at = dt.datetime.fromtimestamp(ms // 1000, dt.UTC).astimezone(self.zone)
        return at.strftime("%Y-%m-%d %H:%M:%S.") + f"{ms % 1000:03}"

    @property
    def at(self) -> int:
        return round(dt.datetime.fromisoformat(self.values["at"]).replace(tzinfo=dt.UTC).timestamp() * 1000)

    def owned(self, name: str, *, bots: bool = False) -> pd.DataFrame:
        """All that the workspace and website have, whenever it was."""
        return self.once(f"{name} {bots}", ("workspace_id", "website_id"), lambda: self._owned(name, bots))

    def _owned(self, name: str, bots: bool) -> pd.DataFrame:
        frame = self.all[name]
        chosen = frame["workspace_id"] == self.values["workspace_id"]
        if "website_id" in self.values and "website_id" in frame:
            chosen &= frame["website_id"] == self.values["website_id"]
        if "is_bot" in frame and not bots:
            chosen &= frame["is_bot"] == 0
        return frame[chosen]

    def within(self, name: str, *, before: bool = False) -> pd.DataFrame:
        """In the range, or in the equally long one before it."""
        since, until = (self.since_before, self.since) if before else (self.since, self.until)

        def chosen() -> pd.DataFrame:
            frame = self.owned(name)
            return frame[(frame["ms"] >= since) & (frame["ms"] < until)]

        return self.once(f"{name} {before}", CHOOSING[:5], chosen)

    def once(self, name: str, by: tuple[str, ...], compute: Callable[[], pd.DataFrame]) -> pd.DataFrame:
        key = (name, tuple(self.values.get(parameter) for parameter in by))
        if key not in self.known:
            self.known[key] = compute()
        return self.known[key]

    @property
    def sessions(self) -> pd.DataFrame:
        views, goals = self.within("pageviews"), self.within("custom_goals")
        return self.once("sessions", CHOOSING, lambda: self.sessions_of(views, goals))

    def sessions_of(self, views: pd.DataFrame, goals: pd.DataFrame) -> pd.DataFrame:
        ordered = views.sort_values("seq")
        firsts = ordered.drop_duplicates(SESSION).reset_index(drop=True)
        told = ordered.groupby(SESSION, sort=False).agg(
            started=("ms", "min"),
            ended=("ms", "max"),
            pageviews=("ms", "size"),
            exit_page=("path", "last"),
            paths=("path", set),
        )
        texts = [text for text in TEXTS if text not in {"path", "title"}]
        found = firsts[[*SESSION, "path", "screen_w", *texts]].rename(columns={"path": "entry_page"})
        found = pd.concat([found, told.reset_index(drop=True)], axis=1)
        found["duration_ms"] = found["ended"] - found["started"]
        for name in OF_SESSIONS:
            if name in self.values:
                found = found[found[name] == self.values[name]]
        if "path" in self.values:
            found = found[np.array([self.values["path"] in paths for paths in found["paths"]], dtype=bool)]
        if "event" in self.values:
            happened = set(goals[goals["name"] == self.values["event"]][SESSION].itertuples(index=False, name=None))
            found = found[_among(found, happened)]
        return found.reset_index(drop=True)

    def in_sessions(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Of a filtered question only what belongs to the chosen sessions."""
        if not self.filtered:
            return frame
        chosen = set(self.sessions[SESSION].itertuples(index=False, name=None))
        return frame[_among(frame, chosen)]

    @cached_property
    def currency(self) -> str:
        if "currency" in self.values:
            return self.values["currency"].upper()
        return most_frequent(self.owned("visitor_payments")["currency"])

    def paid(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Payments as figures: what counts, what another currency keeps from counting, and the signed amount."""
        ours = frame["currency"] == self.currency
        signed = frame["amount"].where(frame["kind"] != "refund", -frame["amount"])
        counts = (ours & (frame["kind"] != "refund")).astype("int64")
        return frame.assign(
            payments=counts, other=(~ours).astype("int64"), revenue=signed.where(ours, 0).astype("int64")
        )

    @property
    def visits(self) -> pd.DataFrame:
        goals, payments = self.within("custom_goals"), self.within("visitor_payments")
        return self.once("visits", CHOOSING, lambda: self.visits_of(self.sessions, goals, payments))

    def visits_of(self, sessions: pd.DataFrame, goals: pd.DataFrame, payments: pd.DataFrame) -> pd.DataFrame:
        """Sessions with what came of them; unfiltered, what came of none stands by itself, without views."""
        reached = goals.groupby(SESSION).size().rename("goals")
        paid = self.paid(payments).groupby(SESSION)[["payments", "other", "revenue"]].sum()
        outcomes = pd.concat([reached, paid], axis=1).fillna(0).astype("int64").rename_axis(SESSION).reset_index()
        joined = sessions.merge(outcomes, on=SESSION, how="left" if self.filtered else "outer")
        numbers = ["pageviews", "duration_ms", "goals", "payments", "other", "revenue"]
        joined[numbers] = joined[numbers].fillna(0).astype("int64")
        joined["channel"] = joined["channel"].where(joined["pageviews"] > 0, "unattributed")
        texts = [text for text in TEXTS if text in joined]
        joined[texts] = joined[texts].fillna("")
        joined["source"] = joined["utm_source"].where(joined["utm_source"] != "", joined["referrer_host"])
        return joined
