"""Copy pipes: what they select replaces a datasource's rows, or is added to them, when asked or by their schedule."""

import asyncio
import datetime as dt
import logging
from collections.abc import Mapping

import orjson

from server.analytics.composition import Composition
from server.analytics.datafiles.model import CopyMode, Datasource, PipeFile, PipeKind, Project
from server.analytics.engine import DeploymentError, Engine, EngineError, quoted
from server.analytics.known import Known
from server.analytics.tables.reconcile import Reconciler, marked
from server.analytics.tables.schedule import Schedule

_STAGING = "__copy"
_RUNS = "adwright_copies"
_EARLIEST = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
logger = logging.getLogger(__name__)


class Copies:
    def __init__(
        self, project: Project, engine: Engine, database: str, secrets: Mapping[str, str], known: Known
    ) -> None:
        """Raises DeploymentError where a schedule is none, or a target is missing."""
        self._project, self._engine, self._database, self._secrets = project, engine, database, secrets
        self._known = known
        self._pipes = {pipe.name: pipe for pipe in project.pipes.values() if pipe.kind is PipeKind.COPY}
        self._schedules = {name: _schedule(pipe) for name, pipe in self._pipes.items() if pipe.copy_schedule}
        self._ran: dict[str, dt.datetime] = {}
        self._one = asyncio.Lock()
        for pipe in self._pipes.values():
            self._target(pipe)

    async def begin(self) -> None:
        await self._engine.command(
            f"CREATE TABLE IF NOT EXISTS {self._runs} (pipe String, ran DateTime('UTC'))"
            " ENGINE = ReplacingMergeTree(ran) ORDER BY pipe"
        )
        rows = await self._engine.inspect(
            "SELECT pipe, toUnixTimestamp(max(ran)) AS at FROM {database:Identifier}.{table:Identifier} GROUP BY pipe",
            {"database": self._database, "table": _RUNS},
        )
        self._ran = {row["pipe"]: dt.datetime.fromtimestamp(row["at"], dt.UTC) for row in rows}

    async def run(self, name: str) -> None:
        """Readers see the rows of before, or those of after."""
        pipe = self._pipes[name]
        target = self._target(pipe)
        sql = Composition(self._project, self._database, secrets=self._secrets).stored(pipe)
        tables = Reconciler(self._engine, self._database)
        async with self._one:
            try:
                if pipe.copy_mode is CopyMode.APPEND:
                    await self._engine.command(await tables.insert_select(target.name, sql))
                else:
                    await self._replace(target, sql, tables)
            finally:
                self._known.copied()

    async def run_due(self, now: dt.datetime) -> None:
        """Each that was due since it ran last, once. One that fails waits for its next time; the first error of all
        is raised when the others have run."""
        failed: EngineError | None = None
        for name, schedule in self._schedules.items():
            due = schedule.last(now)
            if due is None or self._ran.get(name, _EARLIEST) >= due:
                continue
            self._ran[name] = due
            try:
                await self.run(name)
                row = orjson.dumps({"pipe": name, "ran": int(due.timestamp())})
                await self._engine.insert(self._runs, row, columns=("pipe", "ran"))
            except EngineError as error:
                logger.warning("the copy %s failed: %s", name, error.message)
                failed = failed or error
        if failed is not None:
            raise failed

    async def _replace(self, target: Datasource, sql: str, tables: Reconciler) -> None:
        staging = target.name + _STAGING
        await self._drop(staging)
        await self._engine.command(marked(target, database=self._database, name=staging))
        await self._engine.command(await tables.insert_select(target.name, sql, into=staging))
        await self._engine.command(
            f"EXCHANGE TABLES {quoted(self._database, staging)} AND {quoted(self._database, target.name)}"
        )
        await self._drop(staging)

    @property
    def _runs(self) -> str:
        return quoted(self._database, _RUNS)

    async def _drop(self, table: str) -> None:
        await self._engine.command(f"DROP TABLE IF EXISTS {quoted(self._database, table)}")

    def _target(self, pipe: PipeFile) -> Datasource:
        target = self._project.datasources.get(pipe.target or "")
        if target is None:
            raise DeploymentError(f"The copy {pipe.name} writes to {pipe.target}, which no .datasource file declares.")
        return target


def _schedule(pipe: PipeFile) -> Schedule:
    try:
        return Schedule.parse(pipe.copy_schedule or "")
    except ValueError as error:
        raise DeploymentError(f"The copy {pipe.name}: {error}.") from None
