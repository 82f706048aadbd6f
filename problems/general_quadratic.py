"""Convex quadratics with a given Hessian."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from assumptions import Certificate
from assumptions.base import EPS
from assumptions.guards import require_finite
from problems.arguments import require_start, start_point
from problems.exact_rank import positive_rank
from problems.oracle_guards import require_vector
from problems.quadratic_oracles import QuadraticOracles
from problems.spectrum import Spectrum


@dataclass(frozen=True)
class GeneralQuadratic(QuadraticOracles):
    """f(x) = (x - c)' H (x - c) / 2 + f_star.

    hessian: H, a tuple of d rows of d finite numbers, symmetric, positive semidefinite, not 0, units of f
    per squared unit of x; a singular one is allowed, the solution set is then c + ker H. center: c, (d,),
    0 if empty. f_star: finite. start: overrides x0, by default c + 1. ValueError otherwise, also for a
    smallest nonzero eigenvalue that is rounding of the largest.

    Constants: with n = 10 d EPS max |lambda|, every eigenvalue of H lies within n of the computed one
    (backward stability of the symmetric eigensolver, Weyl's inequality). If that does not decide the
    sign of the smallest one, the rank is found in exact arithmetic.
    """

    hessian: tuple[tuple[float, ...], ...]
    center: tuple[float, ...] = ()
    f_star: float = 0.0
    start: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Tuples of floats, checked; the eigenvalues are computed here."""
        object.__setattr__(self, "hessian", symmetric_rows("hessian", self.hessian))
        if self.center:
            object.__setattr__(self, "center", require_vector("center", self.center, self.d))
        require_finite(f_star=self.f_star)
        require_start(self.start, self.d)
        _ = self._spectrum

    @property
    def d(self) -> int:
        """Rows of H."""
        return len(self.hessian)

    @cached_property
    def _hessian(self) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        return torch.tensor(self.hessian, dtype=torch.float64)

    @cached_property
    def _margin(self) -> float:
        """Error of a computed eigenvalue, at most."""
        return 10 * self.d * EPS * float(torch.linalg.eigvalsh(self._hessian).abs().amax()) * 1.01

    @cached_property
    def _spectrum(self) -> Spectrum:  # pyright: ignore[reportIncompatibleMethodOverride]
        eigenvalues, basis = torch.linalg.eigh(self._hessian)
        smallest, margin = float(eigenvalues[0]), self._margin
        rank = self.d if smallest > margin else None if smallest < -margin else positive_rank(self.hessian)
        if rank is None:
            raise ValueError(
                f"hessian must be positive semidefinite, got one with smallest eigenvalue {smallest:.6g}"
            )
        if not rank:
            raise ValueError(f"hessian must not be 0, got {self.hessian!r}")
        kernel = self.d - rank
        if not float(eigenvalues[kernel]) > margin:
            raise ValueError(
                f"hessian must have nonzero eigenvalues above rounding, {margin:.3g}, got one of about "
                f"{float(eigenvalues[kernel]):.3g}"
            )
        eigenvalues[:kernel] = 0
        return Spectrum.of(eigenvalues, basis)

    @cached_property
    def x_star(self) -> Tensor:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The center, (d,)."""
        return torch.tensor(self.center or (0.0,) * self.d, dtype=torch.float64)

    @property
    def x0(self) -> Tensor:
        """The center plus 1, (d,)."""
        return start_point(self, self.start, self.x_star + 1)

    @property
    def certified(self) -> tuple[Certificate, ...]:
        """From the eigenvalues of H, rounded outward."""
        a = self._spectrum.eigenvalues
        low, high = float(a[a > 0][0]) - self._margin, float(a[-1]) + self._margin
        return self._facts(low, high, "eigenvalues of H, rounded outward by the margin of the class")


def symmetric_rows(name: str, matrix: tuple[tuple[float, ...], ...]) -> tuple[tuple[float, ...], ...]:
    """The rows as tuples of floats. ValueError unless square and symmetric, naming the worst pair."""
    try:
        rows = tuple(tuple(row) for row in matrix)
    except TypeError:
        raise ValueError(f"{name} must be a tuple of rows of numbers, got {matrix!r}") from None
    if not rows:
        raise ValueError(f"{name} must have at least one row, got ()")
    rows = tuple(require_vector(f"{name} row {i}", row, len(rows)) for i, row in enumerate(rows))
    pairs = ((abs(rows[i][j] - rows[j][i]), i, j) for i in range(len(rows)) for j in range(i))
    worst, i, j = max(pairs, default=(0.0, 0, 0))
    if worst > 0:
        raise ValueError(
            f"{name} must be symmetric, got entries ({i}, {j}) = {rows[i][j]!r} and "
            f"({j}, {i}) = {rows[j][i]!r}"
        )
    return rows
