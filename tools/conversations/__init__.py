"""Conversations with the in-app agent, as rows."""
