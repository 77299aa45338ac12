"""What endpoints ask about a website in passing, kept until what is written may have changed it.

Up to when its rollups answer, and in what it is mostly paid: a row each, which costs the engine as much as half of a
short answer. What is known stands in the statement in place of the pipe. It is true only where nobody else writes."""

from collections import OrderedDict
from collections.abc import Awaitable, Mapping

import orjson

from server.analytics.composition import Composition, Constant, Values
from server.analytics.datafiles.model import Project

CUTS = ("site_rollup", "site_parts_cut")
CURRENCY = "site_currency"
_VIEWS, _PAYMENTS = "pageviews", "visitor_payments"
_MOST = 10_000
Site = tuple[str, str | None]


class Known:
    def __init__(self, project: Project, *, sole: bool) -> None:
        """It keeps nothing of a project without our pipes, nor where not everything written is told to it."""
        self._kept = frozenset((*CUTS, CURRENCY)) if sole and {*CUTS, CURRENCY} <= project.pipes.keys() else frozenset()
        self._answers: OrderedDict[Site, dict[str, Constant]] = OrderedDict()
        self._changes = 0

    def about(self, values: Values) -> dict[str, Constant]:
        """Of the pipes whose answer to these values is known."""
        site = _site(values)
        told = self._answers.get(site, {}) if site is not None else {}
        return {name: told[name] for name in self._kept_for(values) & told.keys()}

    def unknown(self, composition: Composition) -> list[str]:
        """Pipes in it whose answer could be known."""
        return sorted(self._kept_for(composition.values) & composition.pipes - composition.known.keys())

    async def learn(self, pipe: str, values: Values, answer: Awaitable[bytes]) -> Constant:
        """From the answer of the pipe, which is JSON."""
        before = self._changes
        learned = _answer(await answer)
        if self._changes == before:  # what was written meanwhile may not be in it: then it is used, not kept
            self._keep(_site(values), pipe, learned)
        return learned

    def written(self, datasource: str, earliest: Mapping[tuple[str, str], str]) -> None:
        """After an insert, whether it succeeded or not. `earliest`: the first moment of each website in it, as text."""
        self._changes += 1
        for (workspace, website), moment in earliest.items():
            for told in (self._answers.get((workspace, website), {}), self._answers.get((workspace, None), {})):
                if datasource == _PAYMENTS:
                    told.pop(CURRENCY, None)
                elif datasource == _VIEWS:
                    for name in CUTS:
                        if name in told and moment < told[name].text:
                            del told[name]

    def copied(self) -> None:
        """A rollup was made anew."""
        self._changes += 1
        self._answers.clear()

    def _keep(self, site: Site | None, pipe: str, learned: Constant) -> None:
        if site is not None:
            self._answers.setdefault(site, {})[pipe] = learned
            self._answers.move_to_end(site)
            if len(self._answers) > _MOST:
                self._answers.popitem(last=False)

    def _kept_for(self, values: Values) -> frozenset[str]:
        if _site(values) is None:
            return frozenset()
        return self._kept - {CURRENCY} if values.get("currency") is not None else self._kept


def _site(values: Values) -> Site | None:
    """None where it is not said as it should be: the statement itself tells what is wrong."""
    workspace, website = values.get("workspace_id"), values.get("website_id")
    return (workspace, website) if isinstance(workspace, str) and isinstance(website, str | None) else None


def _answer(answered: bytes) -> Constant:
    """One row of one column, as JSON tells it."""
    found = orjson.loads(answered)
    column = found["meta"][0]
    return Constant(column["name"], column["type"], str(found["data"][0][column["name"]]))
