"""First-party web analytics: the websites of a workspace, what is watched on them, and what they tell."""

from tools.capability import AnyCapability

CAPABILITIES: tuple[AnyCapability, ...] = ()
