"""Mint a token that reads one pipe."""

import datetime as dt
from collections.abc import Mapping
from typing import Annotated
from urllib.parse import urlencode

from pydantic import Field

from tools.approval import moment
from tools.authority import Scope
from tools.capability import GET, Input, Output, Toolset, read
from tools.context import Context
from tools.fields import AnyWebsite, Since, Until
from tools.pipes import require_pipe, require_range
from tools.pixel.store import website

LASTS = dt.timedelta(seconds=120)


class PipeWanted(Input):
    pipe: Annotated[str, Field(description="Name of the pipe, such as p_top_pages; list_metrics shows them all.")]
    websiteId: (
        Annotated[
            AnyWebsite, Field(description="Only of this website, whatever the bearer asks for; of all if left out.")
        ]
        | None
    ) = None
    since: Annotated[Since | None, Field(description="First day, YYYY-MM-DD; it becomes part of the url.")] = None
    until: Annotated[Until | None, Field(description="Last day (included), YYYY-MM-DD; part of the url.")] = None


class PipeToken(Output):
    shown_once = frozenset({"token"})
    token: str
    pipe: str
    url: str
    expires_at: str


@read(scope=Scope.PIXEL_READ, rest=GET("/pixel/metrics/{pipe}"), toolset=Toolset.ANALYTICS)
async def get_pipe_token(context: Context, wanted: PipeWanted) -> PipeToken:
    """Mint a token that reads one analytics pipe for 120 seconds, for a program that queries the analytics server
    itself: GET the url with ?token= or as a bearer token. The workspace is fixed in it, and the website where one is
    named; the days are part of the url. To read figures here, use query_metrics instead."""
    require_pipe(wanted.pipe)
    require_range(wanted.since, wanted.until)
    fixed = {}
    if wanted.websiteId is not None:
        fixed["website_id"] = (await website(context, wanted.websiteId)).id
    days = {"from": wanted.since, "to": wanted.until}
    return minted(context, wanted.pipe, fixed, {name: str(day) for name, day in days.items() if day})


def minted(context: Context, pipe: str, fixed: Mapping[str, str], asked: Mapping[str, str]) -> PipeToken:
    """Of this workspace, always: the server counts the token against it by its name, too."""
    workspace, expires_at = context.principal.workspace, context.clock() + LASTS
    token = context.pipes.mint(
        pipe, name=f"adwright/{workspace}", fixed={"workspace_id": workspace, **fixed}, expires_at=expires_at
    )
    url = f"{context.pipes.url}/v0/pipes/{pipe}.json"
    return PipeToken(
        token=token,
        pipe=pipe,
        url=f"{url}?{urlencode(asked)}" if asked else url,
        expires_at=moment(int(expires_at.timestamp() * 1000)),
    )
