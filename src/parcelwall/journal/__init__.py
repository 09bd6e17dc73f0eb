"""What happened: append, read since, cursors, hash chain. One form for PostgreSQL, one for SQLite, one contract."""
