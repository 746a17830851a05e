"""Tests by kind; see the folders."""
