"""The datafiles of the sums, which are no part of a project, for a Tinybird has no use of them.

They fit a project that says what our own says of what is summed up."""

from functools import cache
from pathlib import Path

from server.analytics.datafiles.loading import OURS, load
from server.analytics.datafiles.model import Project
from server.analytics.known import CURRENCY, CUTS
from server.analytics.ready.questions import TWINS

TABLE, ROWS = "ready_days", "ready_days_of_site"
_SUMMED_UP = (
    *("pageviews", "custom_goals", "visitor_payments", "rollup_visits", "rollup_arrivals"),
    *("copy_visits", "rollup_arrivals_of_views", *CUTS, CURRENCY, *TWINS),
)


def with_sums(project: Project) -> Project | None:
    """None where a project says something else, or has other things of the same names."""
    ours, sums = _loaded(OURS), _loaded(Path(__file__).parent / "datafiles")
    taken = {*project.datasources, *project.pipes} & {*sums.datasources, *sums.pipes}
    if taken or any(_says(project, name) != _says(ours, name) for name in _SUMMED_UP):
        return None
    return Project({**project.datasources, **sums.datasources}, {**project.pipes, **sums.pipes})


def _says(project: Project, name: str) -> object:
    pipe, source = project.pipes.get(name), project.datasources.get(name)
    return pipe and (pipe.kind, pipe.nodes), source and (source.columns, source.engine)


@cache
def _loaded(directory: Path) -> Project:
    return load(directory)
