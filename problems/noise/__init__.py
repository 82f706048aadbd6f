"""Noise with certified moments."""
