"""Everything Adwright can do, in the order every face shows it."""

from tools import approvals, campaigns, changes, connections, conversations, insights, keys, pixel, workspace
from tools.registry import Registry

catalog = Registry(
    workspace.CAPABILITIES,
    connections.CAPABILITIES,
    campaigns.CAPABILITIES,
    insights.CAPABILITIES,
    changes.CAPABILITIES,
    pixel.CAPABILITIES,
    approvals.CAPABILITIES,
    conversations.CAPABILITIES,
    keys.CAPABILITIES,
)
