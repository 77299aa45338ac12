"""The in-app agent: its loop over the registry, on the Messages API."""
