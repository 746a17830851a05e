"""Reader of mid-year population estimates."""
