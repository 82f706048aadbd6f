"""max_i (c_i + <r_i, y>): its proximal steps, its minimisation over balls, the set where it is <= 0."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from assumptions.guards import as_floats
from problems.affine_faces import Face, Faces, face_count, require_supported
from problems.ball_newton import SolverError
from problems.max_affine import FACES
from problems.oracle_guards import require_vector

INSIDE = 1e-9
"""A projection may leave the set by this share of the size of the largest piece."""


class AffinePieces:
    """rows r_i: (m, d). intercepts c_i: (m,). Points y: (*batch, d)."""

    def __init__(self, rows: Tensor, intercepts: Tensor) -> None:
        self.rows = rows
        self.intercepts = intercepts

    @cached_property
    def _faces(self) -> Faces:
        return Faces(self.rows)

    def levels(self, y: Tensor) -> Tensor:
        """c_i + <r_i, y>, (*batch, m)."""
        return y @ self.rows.to(y).mT + self.intercepts.to(y)

    def largest(self, y: Tensor) -> Tensor:
        """The maximum, (*batch,)."""
        return self.levels(y).amax(dim=-1)

    def face(self, y: Tensor, size: Tensor, ball: bool = False) -> Face:
        """The step from y that minimises max + |step|^2 / (2 size), or max over |step| <= size.

        size: > 0, (*batch, 1) or (). Fields (*batch, d) and (*batch,). Up to FACES, every face is
        tried, beyond a conic solver says which. SolverError where no face leaves a small gap. No gradient.
        """
        y, (m, d) = y.detach(), self.rows.shape
        shape = torch.broadcast_shapes(y.shape[:-1], size.shape[:-1])
        levels = self.levels(y)
        levels = (levels - levels.amax(dim=-1, keepdim=True)).expand((*shape, m)).reshape(-1, m)
        at, rows = size.expand((*shape, 1)).reshape(-1), self.rows.to(y)
        if face_count(m, d) <= FACES:
            found = self._faces.ball(levels, at) if ball else self._faces.prox(levels, at)
            require_supported(found, rows, levels)
        else:
            from problems.affine_support import supported_face  # a conic solver takes a second to import

            found = supported_face(rows, levels, at, ball)
        step, pull = (part.reshape((*shape, d)) for part in found[:2])
        return Face(step, pull, found.gap.reshape(shape))

    def project(self, y: Tensor) -> Tensor:
        """The point of {z : max_i (c_i + <r_i, z>) <= 0} nearest to y; row by row. (*batch, d).

        The set is not empty. nan where y is. Least distance as nonnegative least squares: Lawson, Hanson
        1974, Solving Least Squares Problems, chapter 23. SolverError where it fails.
        """
        steps = [self._into(point) for point in y.detach().reshape(-1, y.shape[-1])]
        return y + (torch.stack(steps).reshape(y.shape) if steps else torch.zeros_like(y))

    def _into(self, y: Tensor) -> Tensor:
        """u of least length with <r_i, u> <= -level_i, for one y (d,)."""
        from scipy.optimize import nnls  # takes a third of a second to import

        if bool(y.isnan().any()):
            return torch.full_like(y, torch.nan)
        levels = self.levels(y)
        if float(levels.max()) <= 0:
            return torch.zeros_like(y)
        size = levels.max()
        system = torch.cat([-self.rows.to(y).mT, (levels / size).unsqueeze(0)]).cpu().numpy()
        target = np.zeros(len(system))
        target[-1] = 1.0
        residual = system @ nnls(system, target)[0] - target
        step = y.new_tensor(-residual[:-1] / residual[-1]) * size if residual[-1] else torch.zeros_like(y)
        if not float(self.largest(y + step)) <= INSIDE * float(size + self.intercepts.abs().max()):
            raise SolverError(f"no projection of {y.tolist()} on the set of minimisers was found")
        return step

    def conic(self, z: Any, cp: Any) -> Any:
        """The maximum at z, an expression of ``cp``."""
        return cp.max(self.rows.numpy() @ z + self.intercepts.numpy())


def vectors(
    name: str, value: Sequence[Sequence[float]], count: int, d: int | None = None
) -> tuple[tuple[float, ...], ...]:
    """``value`` as tuples of floats. ValueError unless it holds ``count`` vectors of d (or equal) length."""
    if len(value) != count:
        raise ValueError(f"{name} must hold {count} vectors, one for each value, got {len(value)}")
    first = require_vector(name, as_floats(name, value[0]), d)
    return (first, *(require_vector(name, as_floats(name, one), len(first)) for one in value[1:]))
