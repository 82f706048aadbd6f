"""Quadratics of several layers, convex or not, with the coupling of the layers."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from assumptions import EUCLIDEAN, AffineGradient, Certificate, Continuous, Layers, Norm, Smooth
from assumptions.base import EPS
from assumptions.guards import require_dimension, require_points
from assumptions.layerwise.coupled_smooth import CoupledSmooth
from assumptions.outward import certify, length_up
from assumptions.weakly_convex import WeaklyConvex
from problems.arguments import require_start, start_point
from problems.base import Problem
from problems.exact_rank import positive_rank
from problems.general_quadratic import GeneralQuadratic, symmetric_rows
from problems.matrix_space import Rows
from problems.oracle_guards import require_vector


@dataclass(frozen=True)
class CoupledQuadratic(Problem):
    """f(x) = (x - c)' H (x - c) / 2 for x = (X_1, ..., X_p), each layer in its Euclidean norm.

    hessian: H, a tuple of d rows of d finite numbers, symmetric, not 0; indefinite ones are allowed, and f
    has no infimum then. sizes: entries of each layer, d in all. center: c, 0 if empty. start: overrides x0,
    by default c + 1. ValueError otherwise, also for a semidefinite H that ``GeneralQuadratic`` refuses.
    """

    hessian: Rows
    sizes: tuple[int, ...]
    center: tuple[float, ...] = ()
    start: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Tuples of floats, checked."""
        object.__setattr__(self, "hessian", symmetric_rows("hessian", self.hessian))
        if not any(entry for row in self.hessian for entry in row):
            raise ValueError(f"hessian must not be 0, got {self.hessian!r}")
        if not isinstance(self.sizes, tuple) or not self.sizes:
            raise ValueError(f"sizes must be a non-empty tuple of integers >= 1, got {self.sizes!r}")
        for size in self.sizes:
            require_dimension(sizes=size)
        if sum(self.sizes) != self.d:
            raise ValueError(f"sizes must add up to {self.d}, the rows of the hessian, got {self.sizes!r}")
        if self.center:
            object.__setattr__(self, "center", require_vector("center", self.center, self.d))
        require_start(self.start, self.d)
        _ = self._convex

    @property
    def d(self) -> int:
        """Rows of H."""
        return len(self.hessian)

    @property
    def layers(self) -> Layers:
        """Euclidean layers of the given sizes."""
        return Layers(tuple((size,) for size in self.sizes), (EUCLIDEAN,) * len(self.sizes))

    @cached_property
    def _convex(self) -> GeneralQuadratic | None:
        """The same function where H is positive semidefinite, in exact arithmetic; else None."""
        if positive_rank(self.hessian) is None:
            return None
        return GeneralQuadratic(self.hessian, center=self.center)

    @cached_property
    def _matrix(self) -> Tensor:
        return torch.tensor(self.hessian, dtype=torch.float64)

    @cached_property
    def _center(self) -> Tensor:
        return torch.tensor(self.center or (0.0,) * self.d, dtype=torch.float64)

    @property
    def f_star(self) -> float | None:
        """0 where H is positive semidefinite, else None."""
        return None if self._convex is None else 0.0

    @property
    def x_star(self) -> Tensor | None:
        """c where H is positive semidefinite, (d,); else None."""
        return None if self._convex is None else self._center

    @property
    def unique_star(self) -> bool:
        """True where H is positive definite."""
        return self._convex is not None and self._convex.unique_star

    @property
    def x0(self) -> Tensor:
        """The center plus 1, (d,)."""
        return start_point(self, self.start, self._center + 1)

    @cached_property
    def coupling(self) -> CoupledSmooth:
        """h_ij: the operator norms of the blocks of H, rounded up."""
        blocks = [columns.split(self.sizes) for columns in self._matrix.split(list(self.sizes), dim=-1)]
        p = len(self.sizes)
        upper = {(i, j): operator_norm_up(blocks[j][i]) for j in range(p) for i in range(j + 1)}
        return CoupledSmooth(tuple(tuple(upper[min(i, j), max(i, j)] for j in range(p)) for i in range(p)))

    @property
    def certified(self) -> tuple[Certificate, ...]:
        """The coupling; then what is known of a convex quadratic, or of the eigenvalues of H."""
        proof = "layer i of H (x - y) has length <= sum_j |H_ij| |X_j - Y_j|; operator norms, rounded up"
        coupling = (Certificate(self.coupling, proof=proof),)
        if self._convex is not None:
            return (*coupling, *self._convex.certified)
        values = torch.linalg.eigvalsh(self._matrix)
        margin = 10 * self.d * EPS * float(values.abs().amax()) * 1.01
        why = "eigenvalues of H, rounded outward by 10 d roundings of the largest"
        return (
            *coupling,
            *certify(Smooth, float(values.abs().amax()) + margin, f"|H y| <= max |eigenvalue| |y|; {why}"),
            *certify(WeaklyConvex, margin - float(values[0]), f"y'Hy >= (smallest eigenvalue) |y|^2; {why}"),
            Certificate(AffineGradient(), proof="the gradient is H (x - c)"),
            Certificate(Continuous(), proof="a polynomial"),
        )

    def value(self, x: Tensor) -> Tensor:
        """x: (*batch, d). Returns (*batch,)."""
        if self._convex is not None:
            return self._convex.value(x)
        g = self.grad(x)
        return ((x - self._center.to(x)) * g).sum(dim=-1) / 2

    def gap(self, x: Tensor) -> Tensor:
        """The value, as f_star = 0; TypeError where f has no infimum. x: (*batch, d). Returns (*batch,)."""
        return self._known().gap(x)

    def gap_cancellation(self, x: Tensor, gap: Tensor) -> Tensor:
        """As for ``GeneralQuadratic``, (*batch,)."""
        return self._known().gap_cancellation(x, gap)

    def grad(self, x: Tensor) -> Tensor:
        """H (x - c). Shapes (*batch, d)."""
        require_points(x, self.d)
        return self.hvp(x, x - self._center.to(x))

    def hvp(self, x: Tensor, v: Tensor) -> Tensor:
        """H v. Shapes (*batch, d)."""
        require_points(x, self.d)
        return v @ self._matrix.to(v)

    def offers(self, name: str) -> bool:
        """True if the problem has this oracle or fact; a projection where H is positive semidefinite."""
        return self._convex is not None if name == "nearest_star" else super().offers(name)

    def nearest_star(self, x: Tensor, norm: Norm = EUCLIDEAN) -> Tensor:
        """Projection on c + ker H; TypeError where f has no infimum. Shapes (*batch, d)."""
        return self._known().nearest_star(x, norm)

    def _known(self) -> GeneralQuadratic:
        if self._convex is None:
            raise TypeError(f"{self!r} has no infimum: its hessian is not positive semidefinite")
        return self._convex


def operator_norm_up(block: Tensor) -> float:
    """At least the largest singular value, exact to rounding for a row, a column or a number."""
    rows: list[list[float]] = block.tolist()
    whole = length_up(tuple(entry for row in rows for entry in row))
    if min(block.shape) == 1:
        return whole
    margin = 1 + 10 * max(block.shape) * EPS * 1.01
    return min(whole, float(torch.linalg.svdvals(block)[0]) * margin)
