"""The REST projection of the registry: routes, envelope and OpenAPI; it translates and decides nothing."""
