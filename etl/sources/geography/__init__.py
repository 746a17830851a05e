"""Reader of lookups, code histories and code changes."""
