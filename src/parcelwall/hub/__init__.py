"""The centre: desk, queries, followers, sweeps, migrations. PostgreSQL only; processes hold no state."""
