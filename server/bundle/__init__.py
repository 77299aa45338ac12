"""Adwright for Claude Desktop, as one file that a person opens."""
