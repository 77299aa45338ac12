"""The MCP face: one endpoint for both protocol eras, a projection of the registry and nothing else."""
