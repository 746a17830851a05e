"""Measurements for the README: reading a full-size open-data workbook, building from five million figures."""
