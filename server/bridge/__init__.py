"""`adwright mcp`: MCP on stdin and stdout, carried to a server by a process that starts without SDK or database."""
