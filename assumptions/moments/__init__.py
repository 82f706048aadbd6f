"""Assumptions about the noise of a stochastic gradient."""
