"""First-party analytics: Tinybird projects and their protocol over an embedded ClickHouse, a cluster, or Tinybird."""
