"""The fixtures of ingest's tests."""

from tests.server.analytics.ingest.rig import rig

__all__ = ["rig"]
