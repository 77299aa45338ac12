"""Tinybird's HTTP API over a deployed project: what its SDKs, its CLI's users and our own client speak."""
