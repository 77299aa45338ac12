"""The chat's turn runner, built from settings and opened with the house."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace

from agent.limits import Limits
from agent.model import Model, ModelSettings
from agent.prices import Prices, shipped
from agent.runs import Runner
from server.house import House
from tools.authority import Principal, Role, Scope, Via


@contextlib.asynccontextmanager
async def open_chat(house: House) -> AsyncIterator[Runner]:
    settings = house.settings
    model = ModelSettings(
        api_key=settings.anthropic_api_key,
        base_url=settings.anthropic_base_url,
        model=settings.anthropic_model,
        effort=settings.anthropic_effort,
        title_model=settings.title_model,
        prices=shipped() if settings.anthropic_prices is None else Prices.read(settings.anthropic_prices),
    )

    async def standing(principal: Principal) -> Principal | None:
        return await as_now(house, principal)

    limits = Limits(dollars=settings.chat_turn_usd)
    runner = Runner(
        house.door, house.store, Model(model), standing=standing, report=house.metrics.report, limits=limits
    )
    runner.open()
    try:
        yield runner
    finally:
        await runner.close()


async def as_now(house: House, principal: Principal) -> Principal | None:
    """Whoever asked, with the authority they have left: None once they are no member, or their key is gone."""
    member = await house.identity.member(principal.workspace, principal.user)
    if member is None:
        return None
    role = Role(member.role)
    scopes = role.scopes
    if principal.via is Via.KEY:
        key = next(iter(await house.identity.api_keys(principal.id)), None)
        now = int(house.door.clock().timestamp() * 1000)
        if key is None or key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= now):
            return None
        scopes &= frozenset(map(Scope, key.scopes))
    return replace(principal, role=role, scopes=scopes)
