"""Words for models: system/*.md is ours and never served, mcp/*.md is served to MCP clients as prompts."""
