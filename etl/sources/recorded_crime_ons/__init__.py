"""Reader of the ONS force area tables, Table C2 and the rolling-year file."""
