"""Asynchronous insights: a report run that needs a few polls before its rows can be read."""

from dataclasses import dataclass, replace

from server.sandbox.meta import errors, insights, params
from server.sandbox.meta.insights import Query
from server.sandbox.meta.seed import Account
from server.sandbox.meta.wire import Answer, Call
from server.sandbox.meta.world import Campaign, World

FIELDS = frozenset({
    "id", "account_id", "async_status", "async_percent_completion", "date_start", "date_stop", "time_ref",
    "time_completed", "is_running", "is_bookmarked", "is_async_export", "schedule_id", "friendly_name",
    "error_code", "error_message", "error_subcode", "error_user_title", "error_user_msg",
})  # fmt: skip
_STAGES = (("Job Not Started", 0), ("Job Running", 40), ("Job Completed", 100))
"""What one poll after the other sees."""


@dataclass
class Report:
    id: str
    query: Query
    started: int
    polls: int = 0

    @property
    def account_id(self) -> str:
        return self.query.account.id

    @property
    def stage(self) -> tuple[str, int]:
        return _STAGES[min(self.polls, len(_STAGES)) - 1]


class Reports(dict[str, Report]):
    """Runs by id; kept in memory only, since a client asks for a new one after a restart."""

    def start(self, world: World, node: Account | Campaign, call: Call) -> Answer:
        query = insights.parse(world, node, call)
        report = Report(f"6{query.account.id[-6:]}{len(self) + 1:09}", query, int(world.timestamp()))
        self[report.id] = report
        return Answer({"report_run_id": report.id})


def read_report(_world: World, report: Report, call: Call) -> Answer:
    params.only(call.params, params.COMMON)
    asked = params.fields(
        call.params, FIELDS, "AdReportRun",
        ("account_id", "async_status", "async_percent_completion", "date_start", "date_stop", "time_ref", "is_running"),
    )  # fmt: skip
    report.polls += 1
    status, percent = report.stage
    done = percent == 100
    known: dict[str, object] = {
        "id": report.id,
        "account_id": report.account_id,
        "async_status": status,
        "async_percent_completion": percent,
        "date_start": min(start for start, _ in report.query.periods).isoformat(),
        "date_stop": max(end for _, end in report.query.periods).isoformat(),
        "time_ref": report.started,
        "is_running": not done,
        "is_bookmarked": False,
        "is_async_export": False,
    } | ({"time_completed": report.started} if done else {})
    return Answer({name: known[name] for name in asked if name in known})


def read_results(world: World, report: Report, call: Call) -> Answer:
    params.only(call.params, params.PAGED)
    if report.polls == 0 or report.stage[1] < 100:
        raise errors.GraphError(
            2601, "Loading Async Session Failed", 1815107, is_transient=True,
            user_title="Report not ready", user_msg="Poll the report run until async_status is Job Completed.",
        )  # fmt: skip
    query = report.query
    if call.params.get("fields"):
        query = replace(query, fields=insights.fields(call.params["fields"], query.level))
    return Answer(insights.answer(world, query, call))
