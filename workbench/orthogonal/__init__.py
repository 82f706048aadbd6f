"""Orthogonalisation of matrices: M = U diag(s) V' -> about U V', with certified factors (a, b).

Kernels for methods and for networks alike; batched over leading axes, in any floating point type.
"""

from workbench.orthogonal.base import Orthogonaliser, as_matrix, like
from workbench.orthogonal.direction import inexact_direction, lmo_factors
from workbench.orthogonal.exact import EXACT, Exact
from workbench.orthogonal.newton_schulz import NewtonSchulz
from workbench.orthogonal.nuclear import GramPolar, by_shape, nuclear_norm, spectral_norm
from workbench.orthogonal.polar_express import PolarExpress
from workbench.orthogonal.rescaled import Rescaled

ORTHOGONALISERS: tuple[type[Orthogonaliser], ...] = (Exact, GramPolar, NewtonSchulz, PolarExpress, Rescaled)
"""Every orthogonaliser."""

__all__ = [
    "EXACT",
    "ORTHOGONALISERS",
    "Exact",
    "GramPolar",
    "NewtonSchulz",
    "Orthogonaliser",
    "PolarExpress",
    "Rescaled",
    "as_matrix",
    "by_shape",
    "inexact_direction",
    "like",
    "lmo_factors",
    "nuclear_norm",
    "spectral_norm",
]
