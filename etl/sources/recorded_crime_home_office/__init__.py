"""Reader of Home Office open data by force and by Community Safety Partnership."""
