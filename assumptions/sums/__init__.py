"""Assumptions about the terms of a mean."""
