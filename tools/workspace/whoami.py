"""Who is asking."""

from tools.authority import Role, Scope
from tools.capability import GET, Nothing, Output, Toolset, read
from tools.context import Context


class Whoami(Output):
    principalId: str
    name: str
    workspaceId: str
    workspaceName: str
    plan: str
    role: Role
    scopes: tuple[Scope, ...]
    via: str
    gated: bool


@read(scope=None, rest=GET("/me"), toolset=Toolset.WORKSPACE)
async def whoami(context: Context, _: Nothing) -> Whoami:
    """Say who is asking: the workspace, role and scopes of this credential, and whether its changes wait for a person
    (gated). Changes nothing."""
    principal = context.principal
    return Whoami(
        principalId=principal.id,
        name=principal.name,
        workspaceId=principal.workspace,
        workspaceName=principal.workspace_name,
        plan=principal.plan,
        role=principal.role,
        scopes=tuple(sorted(principal.scopes)),
        via=principal.via,
        gated=principal.gated,
    )
