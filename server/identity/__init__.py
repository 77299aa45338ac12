"""Who is asking: API keys, sessions and the local token, each turned into one Principal before anything else runs."""
