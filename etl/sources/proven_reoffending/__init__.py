"""Reader of proven reoffending statistics."""
