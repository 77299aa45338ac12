"""Mint a token that reads one visitor's profile."""

from typing import Annotated

from pydantic import Field

from tools.authority import Scope
from tools.capability import GET, Input, Toolset, read
from tools.context import Context
from tools.fields import AnyWebsite, VisitorId
from tools.pipes import PROFILE
from tools.pixel.get_pipe_token import PipeToken, minted
from tools.pixel.store import website


class VisitorWanted(Input):
    visitor_id: Annotated[VisitorId, Field(description="The visitor, as your events or the script name them.")]
    websiteId: Annotated[AnyWebsite, Field(description="Only of this website; of all if left out.")] | None = None


@read(scope=Scope.PIXEL_READ, rest=GET("/pixel/visitors/{visitor_id}"), toolset=Toolset.ANALYTICS)
async def get_visitor(context: Context, wanted: VisitorWanted) -> PipeToken:
    """Mint a token that for 120 seconds reads the profile of one visitor and of nobody else: sessions, first and last
    seen, country, device, LLM engine and recent events. It is for a program that queries the analytics server itself;
    to read the profile here, use query_metrics with the pipe p_visitor_profile."""
    fixed = {"visitor_id": wanted.visitor_id}
    if wanted.websiteId is not None:
        fixed["website_id"] = (await website(context, wanted.websiteId)).id
    return minted(context, PROFILE, fixed, {})
