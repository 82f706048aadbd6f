"""How curves of methods that end are drawn."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

BELOW = 1e-300
"""Stands for 0 where a curve on a logarithmic axis falls out of it."""
RESTS = 1e-12
"""Steps shorter than this are rounding of a point that stays."""


def falling(y: ArrayLike) -> NDArray[np.float64]:
    """For a logarithmic axis: down to the first 0, and nothing from there on. y: (n,), >= 0."""
    y = np.asarray(y, dtype=float)
    past = np.concatenate([[False], np.cumsum(y <= 0)[:-1] > 0])
    return np.where(past, np.nan, np.maximum(y, BELOW))


def ended(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The iterates up to the first that moves no more, (n, d)."""
    still = np.linalg.norm(np.diff(x, axis=0), axis=1) <= RESTS
    return x[: int(still.argmax()) + 1] if still.any() else x
