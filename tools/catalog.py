"""Everything Adwright can do, in the order every face shows it."""

from tools import approvals, campaigns, changes, connections, insights, keys, workspace
from tools.registry import Registry

catalog = Registry(
    workspace.CAPABILITIES,
    connections.CAPABILITIES,
    campaigns.CAPABILITIES,
    insights.CAPABILITIES,
    changes.CAPABILITIES,
    approvals.CAPABILITIES,
    keys.CAPABILITIES,
)
