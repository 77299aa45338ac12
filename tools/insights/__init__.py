"""What the ads cost and what came of it, as the platforms report it."""

from tools.insights.get import get_insights

CAPABILITIES = (get_insights,)
