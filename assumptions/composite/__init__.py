"""Assumptions about f + g + sum_j h_j, part by part."""
