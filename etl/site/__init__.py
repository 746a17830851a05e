"""The static site of a version: pages that need no server, no script and nothing from elsewhere."""
