"""Events from the script and from servers: enriched, made durable in a spool, written to the store in batches."""
