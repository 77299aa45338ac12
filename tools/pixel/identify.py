"""Attach who a visitor is, without telling the analytics store."""

from hashlib import sha256
from typing import Annotated, Any

import orjson
from pydantic import Field

from tools.analytics import Event, Kind, external_id_sha256
from tools.authority import Scope
from tools.capability import POST, Input, Output, Rate, Toolset, record
from tools.context import Context
from tools.fields import AnyWebsite, ExternalId, Pairs, VisitorId
from tools.pixel.store import website
from tools.store.sealing import TRAITS, SealingError, trait_row
from tools.store.tables import visitor_traits


class Identification(Input):
    website_id: Annotated[AnyWebsite, Field(description="Website id, from list_websites.")]
    visitor_id: Annotated[VisitorId, Field(description="The visitor, as the script or your events name them.")]
    external_id: Annotated[ExternalId, Field(description="E-mail address or user id. Only its SHA-256 is kept.")]
    traits: Annotated[
        Pairs | None, Field(description="What you know of them, at most 50. Values are sealed; only names are counted.")
    ] = None


class Identified(Output):
    visitor_id: str
    external_id_sha256: str
    traits: tuple[str, ...] = ()  # the names of all that are kept of this visitor


@record(scope=Scope.PIXEL_WRITE, rest=POST("/pixel/identify"), toolset=Toolset.ANALYTICS, rate=Rate.INGEST)
async def identify_visitor(context: Context, given: Identification) -> Identified:
    """Attach an e-mail address or user id to a visitor. It is hashed with SHA-256 before it is written (an address
    trimmed and in lower case), and the values of traits stay sealed in Adwright's own database: the analytics store
    learns the hash and the names of the traits. Traits sent later are added; those of another person are replaced."""
    site = await website(context, given.website_id)
    known = external_id_sha256(given.external_id)
    names: tuple[str, ...] = ()
    if given.traits:
        held = await _held(context, site.id, given.visitor_id, known)
        names = _stage(context, site.id, given.visitor_id, known, held | given.traits)
    # The same person again is the same fact.
    event_id = sha256("\0".join((site.id, given.visitor_id, known, *sorted(names))).encode()).hexdigest()[:32]
    event = Event(
        kind=Kind.IDENTIFY,
        workspace_id=context.principal.workspace,
        website_id=site.id,
        visitor_id=given.visitor_id,
        event_id=event_id,
        external_id_sha256=known,
        traits=names,
    )
    await context.arrivals.accept([event])
    return Identified(visitor_id=given.visitor_id, external_id_sha256=known, traits=names)


async def _held(context: Context, website_id: str, visitor_id: str, known: str) -> dict[str, Any]:
    """What was told of the same person before; what cannot be unsealed any more is told anew."""
    mine = (visitor_traits.c.website_id == website_id, visitor_traits.c.visitor_id == visitor_id)
    row = await context.rows.first(context.rows.select(visitor_traits).where(*mine))
    if row is None or row.external_id_sha256 != known:
        return {}
    try:
        sealed = context.keyring.unseal(
            row.sealed_traits,
            workspace=context.principal.workspace,
            row=trait_row(website_id, visitor_id),
            field=TRAITS,
        )
    except SealingError:
        return {}
    held: dict[str, Any] = orjson.loads(sealed.reveal())
    return held


def _stage(context: Context, website_id: str, visitor_id: str, known: str, traits: dict[str, Any]) -> tuple[str, ...]:
    sealed = context.keyring.seal(
        orjson.dumps(traits).decode(),
        workspace=context.principal.workspace,
        row=trait_row(website_id, visitor_id),
        field=TRAITS,
    )
    values = {
        "website_id": website_id,
        "visitor_id": visitor_id,
        "external_id_sha256": known,
        "sealed_traits": sealed,
        "updated_at": context.now_ms(),
    }
    context.rows.stage(context.rows.upsert(visitor_traits, values))
    return tuple(sorted(traits))
