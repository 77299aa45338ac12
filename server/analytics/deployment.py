"""A project deployed to an engine: its tables and views exist, its pipes answer, events arrive."""

import asyncio
import dataclasses
import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from server.analytics.composition import Composition, Constant, Values, parameters
from server.analytics.copies import Copies
from server.analytics.datafiles.model import PipeFile, PipeKind, Project
from server.analytics.engine import DeploymentError, Engine, Format, Limits, RowsRefused, quoted
from server.analytics.known import Known
from server.analytics.ready.keeping import Ready
from server.analytics.tables.ddl import QUARANTINE
from server.analytics.tables.reconcile import TRIAL, Reconciler
from server.analytics.tables.rows import Sorted, Validator
from tools.analytics import Pipe, PipeParameter

__all__ = ["Appended", "Deployed", "DeploymentError"]

_DEFAULT = Limits()
_IN_THE_LOOP_BYTES = 64 * 1024
_QUARANTINE_COLUMNS = ("c__error_column", "c__error", "c__import_id", "insertion_date")


@dataclass(frozen=True, slots=True)
class Appended:
    successful_rows: int
    quarantined_rows: int


class Deployed:
    def __init__(
        self,
        project: Project,
        engine: Engine,
        *,
        database: str,
        secrets: Mapping[str, str],
        copies: Copies,
        known: Known,
    ) -> None:
        self.project, self.engine, self.database = project, engine, database
        self._secrets, self._copies, self._known = secrets, copies, known
        self._ready = Ready(project, engine, database, self._composed)
        self._validators: dict[str, Validator] = {}

    @classmethod
    async def open(
        cls, project: Project, engine: Engine, *, database: str, secrets: Mapping[str, str] | None = None
    ) -> "Deployed":
        """Creates what is missing and alters what can be altered; again on the same database it changes no
        row of the project's, and begins with nothing kept ready.
        Raises DeploymentError where stored rows would have to go, QueryRefused where SQL of the project is wrong."""
        secrets = secrets or {}
        known = Known(project, sole=engine.sole)
        copies = Copies(project, engine, database, secrets, known)
        tables = Reconciler(engine, database)
        await tables.begin()
        for datasource in project.datasources.values():
            await tables.table(datasource)
        views = [pipe for pipe in project.pipes.values() if pipe.kind is PipeKind.MATERIALIZED]
        await tables.drop_views_but([pipe.name for pipe in views])
        for pipe in views:
            sql = Composition(project, database, secrets=secrets).stored(pipe)
            target = _target(project, pipe)
            if target not in project.datasources:
                await tables.undeclared(pipe, sql)
            await tables.view(pipe.name, target, sql)
        await copies.begin()
        deployed = cls(project, engine, database=database, secrets=secrets, copies=copies, known=known)
        await deployed._ready.begin()
        return deployed

    def pipes(self) -> Sequence[Pipe]:
        """Those that answer."""
        return [
            Pipe(name=pipe.name, description=pipe.description, parameters=parameters(self.project, pipe))
            for pipe in self.project.pipes.values()
            if pipe.kind is PipeKind.ENDPOINT
        ]

    def parameters(self, pipe: str) -> Sequence[PipeParameter]:
        return parameters(self.project, self.project.pipes[pipe])

    async def query(
        self, pipe: str, values: Values, *, output: Format, limits: Limits = _DEFAULT, node: str | None = None
    ) -> bytes:
        """Raises KeyError where there is no such pipe or node, TemplateError and TemplateRefusal, EngineError."""
        twin = self._ready.twin(pipe, values, output) if node is None else None
        if twin is not None:
            composition, sql = await self._composed(twin.pipe, values, known=twin.known)
            return twin.told(await self._read(composition, sql, output, limits))
        composition, sql = await self._composed(pipe, values, node, limits=limits)
        return await self._read(composition, sql, output, limits)

    async def sql(self, statement: str, *, output: Format, limits: Limits = _DEFAULT) -> bytes:
        """One SELECT, on datasources and pipes by their names."""
        composition = Composition(self.project, self.database, secrets=self._secrets)
        return await self._read(composition, composition.statement(statement), output, limits)

    async def append(self, datasource: str, ndjson: bytes) -> Appended:
        """Rows that do not fit go to the quarantine with the reasons. When it returns all are on the disk; where it
        raises, sending them again is right: none, or all, may be there. Raises KeyError where there is no such
        datasource."""
        validator = self._validators.get(datasource)
        if validator is None:
            validator = self._validators[datasource] = Validator(self.project.datasources[datasource])
        at, batch = dt.datetime.now(dt.UTC), str(uuid.uuid4())

        def sort() -> Sorted:
            return validator.sort(ndjson, at=at, batch=batch)

        rows = sort() if len(ndjson) <= _IN_THE_LOOP_BYTES else await asyncio.to_thread(sort)
        # Who stops waiting does not stop the writing, and what is known must be told when that is over.
        await asyncio.shield(self._written(datasource, rows, validator, at=at, batch=batch))
        return Appended(successful_rows=len(rows.good), quarantined_rows=len(rows.bad))

    async def copy(self, pipe: str) -> None:
        """Raises KeyError where there is no such copy pipe."""
        await self._copies.run(pipe)

    async def run_due_copies(self, now: dt.datetime) -> None:
        await self._copies.run_due(now)

    async def make_ready(self) -> None:
        """What is missing in the sums of websites that are looked at."""
        await self._ready.make()

    async def keep_ready(self) -> None:
        """The same, for ever, soon after something was written."""
        await self._ready.keep()

    async def _composed(
        self,
        pipe: str,
        values: Values,
        node: str | None = None,
        *,
        known: Mapping[str, Constant] | None = None,
        limits: Limits = _DEFAULT,
    ) -> tuple[Composition, str]:
        """Its statement, with what is known in its place, and what can be known asked for."""
        project = self._ready.project
        composition = Composition(project, self.database, values, self._secrets)
        composition.known = {**self._known.about(values), **(known or {})}
        sql = composition.pipe(project.pipes[pipe], node)
        if unknown := self._known.unknown(composition):
            for name in unknown:
                answer = self._read(composition, composition.pipe(project.pipes[name]), Format.JSON, limits)
                composition.known[name] = await self._known.learn(name, values, answer)
            sql = composition.pipe(project.pipes[pipe], node)
        return composition, sql

    async def _read(self, composition: Composition, sql: str, output: Format, limits: Limits) -> bytes:
        if (threads := composition.settings.get("max_threads", "")).isdecimal():
            limits = dataclasses.replace(limits, max_threads=int(threads))
        return await self.engine.query(sql, output=output, limits=limits, parameters=composition.bound)

    async def _written(
        self, datasource: str, rows: Sorted, validator: Validator, *, at: dt.datetime, batch: str
    ) -> None:
        table = quoted(self.database, datasource)
        try:
            await self.engine.insert(table, rows.body(), columns=validator.columns)
        except RowsRefused:
            await self._set_apart(table, rows, validator, at=at, batch=batch)
            await self.engine.insert(table, rows.body(), columns=validator.columns)
        finally:
            self._known.written(datasource, rows.earliest)
            self._ready.written(datasource, rows.earliest)
        if rows.bad:
            await self.engine.insert(
                quoted(self.database, datasource + QUARANTINE),
                b"\n".join(rows.bad),
                columns=(*_QUARANTINE_COLUMNS, *validator.columns),
            )

    async def _set_apart(self, table: str, rows: Sorted, validator: Validator, *, at: dt.datetime, batch: str) -> None:
        """Finds the rows that the engine itself does not take, in a table that keeps nothing, by halves."""
        trial = quoted(self.database, f"{TRIAL}{uuid.uuid4().hex}")
        await self.engine.command(f"CREATE TABLE {trial} AS {table} ENGINE = Null")
        good: list[bytes] = []
        waiting = [rows.good]
        try:
            while waiting:
                part = waiting.pop()
                try:
                    await self.engine.insert(trial, b"\n".join(part), columns=validator.columns)
                    good += part
                except RowsRefused as refused:
                    if len(part) == 1:
                        rows.bad.append(validator.quarantined(part[0], refused.message, at=at, batch=batch))
                    else:
                        half = len(part) // 2
                        waiting += [part[half:], part[:half]]
        finally:
            await self.engine.command(f"DROP TABLE {trial}")
        rows.good = good


def _target(project: Project, pipe: PipeFile) -> str:
    if pipe.target is None or (pipe.target not in project.datasources and pipe.engine is None):
        raise DeploymentError(f"{pipe.name} writes to {pipe.target}, which no .datasource file declares.")
    return pipe.target
