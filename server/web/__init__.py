"""The pages people meet: rendered here, the same without scripts, every one of them a client of the registry."""
