"""Modelled samples: files in the published layouts, built from real totals (see figures/README.md)."""
