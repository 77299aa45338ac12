"""Read and set the limits a workspace puts on its agents."""

from typing import Annotated, Literal

from pydantic import Field

from tools.authority import Scope
from tools.capability import GET, PATCH, Effect, Input, Nothing, Output, Toolset, human, read
from tools.context import Context
from tools.fields import Amount
from tools.guardrails import Guardrails, WorkspaceSettings, workspace_settings
from tools.store.tables import workspaces

Percent = Annotated[int, Field(ge=1, le=1000)]


class Settings(Output):
    warn_change_percent: int
    typed_amount_percent: int
    budget_edits_per_hour: int
    bulk_limit: int
    approvals: Literal["page", "client"]
    campaign_daily_ceiling: Amount | None = None
    account_daily_ceiling: Amount | None = None
    chat_month_usd: Amount


class SettingsChange(Input):
    warn_change_percent: Annotated[Percent, Field(description="Warn beyond this budget change, in percent.")] | None = (
        None
    )
    typed_amount_percent: (
        Annotated[Percent, Field(description="From this increase on, a person types the new daily budget.")] | None
    ) = None
    budget_edits_per_hour: Annotated[int, Field(ge=1, le=60, description="Budget edits an hour a campaign.")] | None = (
        None
    )
    bulk_limit: Annotated[int, Field(ge=1, le=50, description="Campaigns one bulk change may touch.")] | None = None
    campaign_daily_ceiling: Annotated[
        Amount | None, Field(description="No campaign may spend more a day, in its account's currency.")
    ] = None
    account_daily_ceiling: Annotated[
        Amount | None, Field(description="No account's active campaigns may spend more a day together.")
    ] = None
    chat_month_usd: Annotated[
        Amount | None,
        Field(description="What the chat may cost in a calendar month, in USD, in place of the server's own limit."),
    ] = None
    approvals: (
        Annotated[
            Literal["page", "client"],
            Field(
                description="Where a yes is given: on our page, or in an MCP client's form where no amount is typed."
            ),
        ]
        | None
    ) = None


@read(scope=Scope.ADS_READ, rest=GET("/workspace/settings"), toolset=Toolset.WORKSPACE)
async def get_workspace_settings(context: Context, _: Nothing) -> Settings:
    """Read the workspace's guardrails: when a budget change warns, when a person has to type the amount, the daily
    ceilings (left out: twice the active budgets at the last approved change), where approvals are given, and what the
    chat may cost in a calendar month (USD)."""
    return _shown(context, await workspace_settings(context))


@human(scope=Scope.WORKSPACE_ADMIN, effect=Effect.CHANGE, rest=PATCH("/workspace/settings"), toolset=Toolset.WORKSPACE)
async def update_workspace_settings(context: Context, change: SettingsChange) -> Settings:
    """Set the workspace's guardrails. Only a signed-in admin does this; fields left out stay as they are."""
    before = await workspace_settings(context)
    sent = change.model_dump(exclude_unset=True)
    after = WorkspaceSettings(
        approvals=sent.pop("approvals", before.approvals),
        chat_month_usd=sent.pop("chat_month_usd", before.chat_month_usd),
        guardrails=Guardrails.model_validate(before.guardrails.model_dump() | sent),
    )
    stored = after.model_dump(mode="json", exclude_defaults=True)
    context.rows.stage(context.rows.update(workspaces).values(settings=stored))
    return _shown(context, after)


def _shown(context: Context, settings: WorkspaceSettings) -> Settings:
    return Settings(
        **settings.guardrails.model_dump(),
        approvals=settings.approvals,
        chat_month_usd=settings.chat_month_usd or context.chat_month_usd,
    )
