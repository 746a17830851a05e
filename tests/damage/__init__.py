"""Damaged copies of the published files, and what becomes of them."""
