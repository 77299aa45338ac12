"""Meta as an AdsPlatform: each method of the port as the calls on Graph that it takes."""

import asyncio
import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence

import httpx2

from server.platforms.exchange import Outcome, Sleep
from server.platforms.history import check_range
from server.platforms.meta.answers import Failed, Row, next_cursor, rows, text
from server.platforms.meta.batch import MOST, Part
from server.platforms.meta.campaigns import (
    EFFECTIVE,
    EVERY_STATUS,
    FIELDS,
    campaign_state,
    write_form,
)
from server.platforms.meta.client import GraphClient
from server.platforms.meta.errors import META, TooMuchData
from server.platforms.meta.insights import Tally, is_large, parameters, report, report_failed, tally
from server.platforms.meta.probe import ACCOUNT_FIELDS, inspect
from server.platforms.meta.probe import account as as_account
from server.platforms.meta.usage import Usage
from server.platforms.meta.wire import json_param
from server.platforms.readback import observed, same_name
from tools.errors import CapabilityError, NotFound, PlatformFailure
from tools.fields import Platform, Status
from tools.plan import Operation
from tools.ports import (
    Account,
    Applied,
    CampaignPage,
    CampaignState,
    Credential,
    InsightsQuery,
    InsightsReport,
    Observation,
    Observed,
    Probe,
)
from tools.secret import Secret

_ACCOUNT_ID, _CAMPAIGN_ID = re.compile(r"act_\d{1,30}", re.ASCII), re.compile(r"\d{1,30}", re.ASCII)
_LIST_PAGE, _INSIGHTS_PAGE = "200", "500"
_CLOCK_SKEW = dt.timedelta(seconds=60)
_FIRST_POLL, _LONGEST_POLL, _REPORT_PATIENCE = 0.5, 5.0, 120.0
_MOST_CURRENCIES = 10_000


class MetaAdapter:
    """One for the process: any number of connections may call at once, each call with its own credential."""

    platform = Platform.META

    def __init__(
        self,
        graph_url: str,
        api_version: str,
        app_id: str | None,
        app_secret: Secret | None,
        clock: Callable[[], dt.datetime],
        timeout: float = 30,
        *,
        sleep: Sleep = asyncio.sleep,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._graph = GraphClient(graph_url, api_version, app_secret, timeout=timeout, sleep=sleep, transport=transport)
        self._app_id, self._app_secret, self._clock, self._sleep = app_id, app_secret, clock, sleep
        self._currencies: dict[tuple[str, str], str] = {}  # by connection and account; an account's never changes

    async def aclose(self) -> None:
        await self._graph.aclose()

    def usage(self, account_id: str) -> Usage:
        """How full the account's quota was at its last answer."""
        return self._graph.usage(account_id)

    async def probe(self, credential: Credential) -> Probe:
        """Every account. Scopes are empty where Meta does not tell them, as may be without META_APP_ID and secret."""
        scopes, expires_at = await inspect(self._graph, credential, self._app_id, self._app_secret)
        found = await self._graph.read_all(
            credential, "me/adaccounts", {"fields": ACCOUNT_FIELDS, "limit": _LIST_PAGE}, as_account
        )
        return Probe(tuple(found), scopes, expires_at)

    async def campaigns(
        self, credential: Credential, account: Account, *, status: Status | None, cursor: str | None, limit: int
    ) -> CampaignPage:
        """One page of campaigns whose own status is `status`; None: all but deleted ones. A page may hold fewer than
        `limit` and still have a next one, because Meta filters by effective status only.
        """
        params = {
            "fields": FIELDS,
            "effective_status": json_param(EFFECTIVE[status]),
            "limit": str(limit),
        } | ({"after": cursor} if cursor else {})
        page = await self._graph.read(
            credential, f"{_account_id(account.account_id)}/campaigns", params, account_id=account.account_id
        )
        found = (campaign_state(row, account.currency) for row in rows(page))
        return CampaignPage(tuple(each for each in found if status in (None, each.status)), next_cursor(page))

    async def campaign(self, credential: Credential, campaign_id: str) -> CampaignState:
        row = await self._graph.read(credential, _campaign_id(campaign_id), {"fields": FIELDS})
        return campaign_state(row, await self._currency(credential, f"act_{text(row, 'account_id')}"))

    async def _currency(self, credential: Credential, account_id: str) -> str:
        key = (credential.connection_id, account_id)
        if key not in self._currencies:
            row = await self._graph.read(
                credential, _account_id(account_id), {"fields": "currency"}, account_id=account_id
            )
            if len(self._currencies) >= _MOST_CURRENCIES:
                self._currencies.clear()
            self._currencies[key] = text(row, "currency")
        return self._currencies[key]

    async def _time_zone(self, credential: Credential, account_id: str) -> str:
        known = next((each.time_zone for each in credential.accounts if each.account_id == account_id), None)
        if known is not None:
            return known
        fields = {"fields": "timezone_name"}
        return text(
            await self._graph.read(credential, _account_id(account_id), fields, account_id=account_id), "timezone_name"
        )

    async def insights(self, credential: Credential, account: Account, query: InsightsQuery) -> InsightsReport:
        """All rows of all pages. More than 30 days by day and campaign, and whatever Meta finds too large, is asked for
        as an asynchronous report and waited for, two minutes at most.
        """
        check_range(query, self._clock().date())
        node = _campaign_id(query.campaign_id) if query.campaign_id else _account_id(account.account_id)
        return report(await self._tallies(credential, account, node, query), query, self._clock())

    async def _tallies(self, credential: Credential, account: Account, node: str, query: InsightsQuery) -> list[Tally]:
        params = parameters(query)
        if not is_large(query):
            try:
                return await self._rows(credential, account, node, params)
            except TooMuchData:
                pass  # the asynchronous report may succeed
        return await self._rows(credential, account, await self._finished(credential, account, node, params), {})

    async def _rows(
        self, credential: Credential, account: Account, node: str, params: Mapping[str, str]
    ) -> list[Tally]:
        asked = {**params, "limit": _INSIGHTS_PAGE}
        return await self._graph.read_all(credential, f"{node}/insights", asked, tally, account_id=account.account_id)

    async def _finished(self, credential: Credential, account: Account, node: str, params: Mapping[str, str]) -> str:
        """Have Meta make the report; answers the id under which its rows are."""
        form = {**params, "fields": json_param(params["fields"].split(","))}
        started = await self._graph.read(
            credential, f"{node}/insights", form, account_id=account.account_id, method="POST"
        )
        run = text(started, "report_run_id")
        delay, waited = _FIRST_POLL, 0.0
        while waited < _REPORT_PATIENCE:
            await self._sleep(delay)
            waited, delay = waited + delay, min(delay * 1.5, _LONGEST_POLL)
            state = await self._graph.read(credential, run, {}, account_id=account.account_id)
            if state.get("async_status") == "Job Completed":
                return run
            if state.get("async_status") in ("Job Failed", "Job Skipped"):
                raise report_failed(state)
        raise PlatformFailure(
            f"Meta had not finished the report after {_REPORT_PATIENCE:.0f} seconds.",
            fix="Ask again in a few minutes, or for fewer days, or without a breakdown.",
            platform=META,
        )

    async def validate(self, credential: Credential, operation: Operation) -> None:
        """The same call with Meta's validate_only."""
        await self._write(credential, operation, dry_run=True)

    async def apply(self, credential: Credential, operation: Operation) -> str:
        return _written(operation, await self._write(credential, operation, dry_run=False))

    async def apply_each(self, credential: Credential, operations: Sequence[Operation]) -> tuple[Applied, ...]:
        """One batch. What cannot even be prepared is not sent, and the others are."""
        if len(operations) > MOST:
            raise ValueError(f"a batch has at most {MOST} writes")
        ready: dict[int, Part] = {}
        found: dict[int, Applied] = {}
        for at, operation in enumerate(operations):
            try:
                ready[at] = await self._prepared(credential, operation)
            except CapabilityError as error:
                found[at] = Applied(operation.campaign_id, error)
        if ready:
            answers = await self._graph.write_each(
                credential, list(ready.values()), account_id=operations[0].account_id
            )
            found |= {at: _applied(operations[at], answer) for at, answer in zip(ready, answers, strict=True)}
        return tuple(found[at] for at in range(len(operations)))

    async def _write(self, credential: Credential, operation: Operation, *, dry_run: bool) -> Row:
        path, form = await self._prepared(credential, operation)
        if dry_run:
            form["execution_options"] = json_param(["validate_only"])
        return await self._graph.write(credential, path, form, account_id=operation.account_id, dry_run=dry_run)

    async def _prepared(self, credential: Credential, operation: Operation) -> tuple[str, dict[str, str]]:
        """What goes wrong before the one call that writes has the outcome not_sent."""
        try:
            return await self._path_and_form(credential, operation)
        except CapabilityError as error:
            error.details["outcome"] = Outcome.NOT_SENT.value
            raise

    async def _path_and_form(self, credential: Credential, operation: Operation) -> tuple[str, dict[str, str]]:
        currency = time_zone = None
        if operation.fields.get("daily_budget") is not None:
            currency = await self._currency_of(credential, operation)
        if "start_date" in operation.fields:
            time_zone = await self._time_zone(credential, operation.account_id or "")
        form = write_form(operation, currency, time_zone)
        if operation.kind == "create_campaign":
            return f"{_account_id(operation.account_id or '')}/campaigns", form
        return _campaign_id(operation.campaign_id or ""), form

    async def _currency_of(self, credential: Credential, operation: Operation) -> str:
        if operation.account_id:
            return await self._currency(credential, operation.account_id)
        return (await self.campaign(credential, operation.campaign_id or "")).currency

    async def observe(self, credential: Credential, operation: Operation, sent_at: dt.datetime) -> Observed:
        """A created campaign is known by its exact name and by not being older than the call, give or take a minute."""
        if operation.kind == "create_campaign":
            return await self._observe_created(credential, operation, sent_at - _CLOCK_SKEW)
        try:
            campaign = await self.campaign(credential, operation.campaign_id or "")
        except NotFound:
            return Observed(Observation.UNCLEAR)
        return observed(campaign, operation)

    async def _observe_created(self, credential: Credential, operation: Operation, since: dt.datetime) -> Observed:
        since = since.replace(microsecond=0)  # Meta's times are whole seconds
        params = {
            "fields": "id,name,created_time",
            "effective_status": json_param(EVERY_STATUS),
            "filtering": json_param(
                [{"field": "campaign.updated_time", "operator": "GREATER_THAN", "value": int(since.timestamp()) - 1}]
            ),
            "limit": _LIST_PAGE,
        }
        path = f"{_account_id(operation.account_id or '')}/campaigns"
        found = await self._graph.read_all(credential, path, params, lambda row: row, account_id=operation.account_id)
        ids = [
            str(row["id"])
            for row in found
            if same_name(row.get("name"), operation.fields.get("name"))
            and dt.datetime.fromisoformat(text(row, "created_time")) >= since
        ]
        if len(ids) > 1:
            return Observed(Observation.UNCLEAR)
        return Observed(Observation.APPLIED, ids[0]) if ids else Observed(Observation.NOT_APPLIED)


def _written(operation: Operation, answer: Row) -> str:
    if operation.kind == "create_campaign":
        done, campaign_id = bool(answer.get("id")), str(answer.get("id"))
    else:
        done, campaign_id = answer.get("success") is True, str(operation.campaign_id)
    if not done:
        raise PlatformFailure(
            "Meta's answer does not say that the change was made.",
            fix="Read the campaign back before doing it again.",
            platform=META,
            outcome=Outcome.UNKNOWN.value,
        )
    return campaign_id


def _applied(operation: Operation, answer: Row | Failed) -> Applied:
    if isinstance(answer, Failed):
        return Applied(operation.campaign_id, answer.error)
    try:
        return Applied(_written(operation, answer))
    except PlatformFailure as unclear:
        return Applied(operation.campaign_id, unclear)


def _account_id(given: str) -> str:
    """Checked, because it becomes a path."""
    if not _ACCOUNT_ID.fullmatch(given):
        raise NotFound(f"{given[:64]!r} is not a Meta ad account id.", fix="Take the id from list_connections.")
    return given


def _campaign_id(given: str) -> str:
    if not _CAMPAIGN_ID.fullmatch(given):
        raise NotFound(f"{given[:64]!r} is not a Meta campaign id.", fix="Take the id from list_campaigns.")
    return given
