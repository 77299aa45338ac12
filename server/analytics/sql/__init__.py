"""SQL before it reaches the engine: which tables it names, what it may not do, and how pipes become one statement."""
