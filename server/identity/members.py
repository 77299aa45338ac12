"""Which person in which workspace a local caller means, when it does not or need not say."""

from collections.abc import Sequence

from tools.errors import Conflict, InvalidArguments
from tools.store.statements import Row


def choose_member(memberships: Sequence[Row], workspace: str | None) -> Row:
    """The oldest of the memberships in the workspace named by id or name, or in the only one there is."""
    if not memberships:
        raise Conflict(
            "Nobody owns this data directory yet.",
            fix="Create the first user: adwright users create EMAIL --role owner.",
        )
    named = [row for row in memberships if workspace in {None, row.workspace_id, row.workspace_name}]
    if len({row.workspace_id for row in named}) == 1:
        return named[0]
    problem = "there are several to choose from" if named else "there is none of this name or id"
    raise InvalidArguments(
        f"Which workspace? {problem.capitalize()}.",
        fix="Name one of details.choices: --workspace, or the header X-Adwright-Workspace.",
        problems=[{"field": "workspace", "problem": problem}],
        choices=[{"id": key, "name": name} for key, name in _workspaces(memberships).items()],
    )


def _workspaces(memberships: Sequence[Row]) -> dict[str, str]:
    return {row.workspace_id: row.workspace_name for row in memberships}
