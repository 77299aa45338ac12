"""Adwright as processes: who owns a data directory, how it is served, and how every other command finds it."""
