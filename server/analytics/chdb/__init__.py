"""ClickHouse inside our process: one path a process, sessions pooled, queries stopped when nobody waits for them."""
