"""Smoothness of networks along their training."""
