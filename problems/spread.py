"""How uneven the weights of a norm may be where a problem mixes its coordinates."""

from assumptions import Norm, Weighted

LARGEST_SPREAD = 1e4
"""Largest weight over smallest, at most.

In coordinates w x the small directions of a dense matrix carry the rounding of the large ones: a step
has a relative error of about EPS times the spread. In the dual norm, weights 1 / w, a gradient's rounding
grows by as much again: for matrices of condition 1e6 the residual is 3e-12 of t |g|_* at a spread of
1e4, and 1e-7 at 1e6.
"""


def evenly_weighted(norm: Norm) -> bool:
    """False for a Weighted norm whose weights spread by more than LARGEST_SPREAD."""
    return not isinstance(norm, Weighted) or max(norm.weights) <= LARGEST_SPREAD * min(norm.weights)
