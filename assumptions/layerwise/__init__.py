"""Assumptions about each layer of the variable."""
