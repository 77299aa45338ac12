"""The outside world in a process of its own: demo and tests speak real wire protocols without a real account."""
