"""A project's tables in the engine: their DDL, what may change about them, and the rows that fit them."""
