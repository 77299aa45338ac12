"""The registry as a Claude agent uses it."""
