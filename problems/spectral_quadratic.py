"""Quadratics of a matrix, with exact constants in the norms of matrices."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import ClassVar

import torch
from torch import Tensor

from assumptions import EUCLIDEAN, PL, Certificate, Layers, Norm, Smooth, StronglyConvex
from assumptions.guards import require_dimension
from assumptions.layerwise.left_smooth import LeftSmooth
from assumptions.layerwise.pl import LayerPL
from assumptions.layerwise.smooth import LayerSmooth
from assumptions.matrix_norms import Spectral
from assumptions.outward import certify, round_down, round_up
from problems.arguments import require_start, start_point
from problems.general_quadratic import GeneralQuadratic
from problems.matrix_constants import comparison, left_smoothness, require_matrix_norm
from problems.matrix_space import Rows, Semidefinite
from problems.oracle_guards import require_vector
from problems.quadratic_oracles import QuadraticOracles
from problems.space import Integers, Range
from problems.spectrum import Spectrum


@dataclass(frozen=True)
class SpectralQuadratic(QuadraticOracles):
    """f(X) = <X - B, Q (X - B)> / 2 for matrices X of m rows and n columns, one layer.

    hessian: Q, a tuple of m rows of m numbers, symmetric, positive semidefinite, not 0, units of f per
    squared unit of X (see ``GeneralQuadratic`` for what is refused). n: columns, >= 1. norm: that of the
    layer, ``Spectral(m, n)`` by default; or Nuclear, MaxColumn, SumColumns, MaxRow, SumRows, Lp(1, 2 or inf).
    center: B, row by row, 0 if empty. start: overrides x0, by default B_kl + 1 / (1 + |k - l|). ValueError
    otherwise; TypeError for another norm. Each column has the Hessian Q: oracles are those of a quadratic.
    """

    hessian: Rows
    n: int
    norm: Norm | None = None
    center: tuple[float, ...] = ()
    start: tuple[float, ...] = ()
    f_star: ClassVar[float] = 0.0  # pyright: ignore[reportIncompatibleVariableOverride]

    space: ClassVar[Mapping[str, Range]] = {"hessian": Semidefinite(1, 4), "n": Integers(1, 4)}

    def __post_init__(self) -> None:
        """The arguments, checked; the eigenvalues of Q are computed here."""
        object.__setattr__(self, "hessian", GeneralQuadratic(self.hessian).hessian)
        require_dimension(n=self.n)
        if self.norm is None:
            object.__setattr__(self, "norm", Spectral(self.m, self.n))
        require_matrix_norm(self.m, self.n, self._norm)
        if self.center:
            object.__setattr__(self, "center", require_vector("center", self.center, self.d))
        require_start(self.start, self.d)

    @property
    def m(self) -> int:
        """Rows."""
        return len(self.hessian)

    @property
    def d(self) -> int:
        """Number of entries, m n."""
        return self.m * self.n

    @property
    def _norm(self) -> Norm:
        return self.norm or EUCLIDEAN

    @property
    def layers(self) -> Layers:
        """One layer, (m, n)."""
        return Layers(((self.m, self.n),), (self._norm,))

    @cached_property
    def _left(self) -> GeneralQuadratic:
        """One column."""
        return GeneralQuadratic(self.hessian)

    @cached_property
    def _spectrum(self) -> Spectrum:  # pyright: ignore[reportIncompatibleMethodOverride]
        a, basis, _, _ = self._left._spectrum
        assert basis is not None
        identity = torch.eye(self.n, dtype=torch.float64)
        return Spectrum.of(a.repeat_interleave(self.n), torch.kron(basis.contiguous(), identity))

    @cached_property
    def _hessian(self) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        return torch.kron(self._left._hessian, torch.eye(self.n, dtype=torch.float64))

    @cached_property
    def x_star(self) -> Tensor:  # pyright: ignore[reportIncompatibleVariableOverride]
        """B, (m n,)."""
        return torch.tensor(self.center or (0.0,) * self.d, dtype=torch.float64)

    @property
    def x0(self) -> Tensor:
        """B plus a matrix of full rank, (m n,)."""
        rows, columns = torch.arange(self.m).unsqueeze(-1), torch.arange(self.n)
        full = 1 / (1.0 + (rows - columns).abs().to(torch.float64))
        return start_point(self, self.start, self.x_star + full.flatten())

    @property
    def certified(self) -> tuple[Certificate, ...]:
        """Euclidean facts from the eigenvalues of Q; then smoothness, PL and more in the layer's norm."""
        a, margin = self._left._spectrum.eigenvalues, self._left._margin
        low, high = float(a[a > 0][0]) - margin, float(a[-1]) + margin
        facts = self._facts(low, high, "eigenvalues of Q, rounded outward by 10 m roundings of the largest")
        smooth = left_smoothness(self.hessian, a, margin, self.n, self._norm)
        k = comparison(self.m, self.n, self._norm)
        mu = round_down(Fraction(low) / k)
        strong = f"<Z, Q Z> >= mu |Z|_F^2 >= (mu / k) |Z|^2, k = {float(k):g}"
        slope = f"|Q Z|_*^2 >= |Q Z|_F^2 / k >= 2 (mu / k) (f - f_star), k = {float(k):g}"
        own = certify(lambda L: Smooth(L, self._norm), round_up(smooth.value), smooth.proof)
        own += certify(lambda L: LayerSmooth((L,)), round_up(smooth.value), smooth.proof)
        own += certify(lambda mu: PL(mu, self._norm), mu, slope)
        own += certify(LayerPL, mu, slope)
        if self.unique_star:
            own += certify(lambda mu: StronglyConvex(mu, self._norm), mu, strong)
        own += (Certificate(LeftSmooth((self.hessian,)), proof="both sides are equal"),)
        said = [c.assumption for c in facts]
        return (*facts, *(c for c in own if c.assumption not in said))
