"""The fixtures of identity's tests."""

from tests.server.identity.directory import directory, store

__all__ = ["directory", "store"]
