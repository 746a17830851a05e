"""Reader of local adult reoffending (2011 to 2013)."""
