"""Two linear layers in a row: coupled, not convex, smooth where both are bounded."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import ClassVar

import torch
from torch import Tensor

from assumptions import Certificate, Continuous, Layers
from assumptions.base import EPS
from assumptions.guards import require_dimension, require_points, require_positive
from assumptions.layerwise.coupled_smooth import CoupledSmooth
from assumptions.matrix_norms import Spectral
from assumptions.outward import round_up
from problems.arguments import require_start, start_point
from problems.base import Problem
from problems.layer_region import LayerBalls
from problems.link_sum import require_rows
from problems.matrix_space import Matrices, Rows
from problems.space import Integers, LogUniform, Range

INSIDE = Fraction(1) + Fraction(1, 10**12)
"""Room for rounding of the norms that say whether a point is in the region."""


@dataclass(frozen=True)
class LinearNetwork(Problem):
    """f(W_1, W_2) = |W_2 W_1 - M|_F^2 / 2, W_1 of size k x n, W_2 of size m x k, spectral norms.

    target: M, a tuple of m rows of n finite numbers. width: k >= 1. r1, r2: radii > 0; the constants hold
    where |W_1| <= r1 and |W_2| <= r2. start: overrides x0, by default W_i with r_i / 2 on the diagonals; it
    must lie in that region. ValueError otherwise. W_1 comes first in the flat variable, row by row.
    """

    target: Rows
    width: int
    r1: float = 1.0
    r2: float = 1.0
    start: tuple[float, ...] = ()

    space: ClassVar[Mapping[str, Range]] = {
        "target": Matrices(1, 3),
        "width": Integers(1, 3),
        "r1": LogUniform(0.3, 3.0),
        "r2": LogUniform(0.3, 3.0),
    }

    def __post_init__(self) -> None:
        """Tuples of floats, checked."""
        object.__setattr__(self, "target", require_rows("target", self.target))
        require_dimension(width=self.width)
        require_positive(r1=self.r1, r2=self.r2)
        object.__setattr__(self, "r1", float(self.r1))
        object.__setattr__(self, "r2", float(self.r2))
        require_start(self.start, self.d)
        if not bool(self.region.contains(self.x0)):
            raise ValueError(
                f"start must have |W_1| <= {self.r1!r} and |W_2| <= {self.r2!r}, got {self.start!r}"
            )

    @property
    def _sizes(self) -> tuple[int, int, int]:
        """m, k and n."""
        return len(self.target), self.width, len(self.target[0])

    @property
    def d(self) -> int:
        """Entries of both matrices."""
        m, k, n = self._sizes
        return k * n + m * k

    @property
    def layers(self) -> Layers:
        """W_1 and W_2 in spectral norms."""
        m, k, n = self._sizes
        return Layers(((k, n), (m, k)), (Spectral(k, n), Spectral(m, k)))

    @property
    def region(self) -> LayerBalls:
        """Where the constants hold: |W_1| <= r1 and |W_2| <= r2."""
        return LayerBalls(self.layers, (self.r1, self.r2))

    @cached_property
    def _factors(self) -> tuple[Tensor, Tensor, Tensor]:
        """M = U diag(s) V': U, s and V'."""
        return tuple(torch.linalg.svd(self._target, full_matrices=False))

    @cached_property
    def _target(self) -> Tensor:
        return torch.tensor(self.target, dtype=torch.float64)

    @property
    def _margin(self) -> float:
        """Error of a computed singular value of M, at most (backward stability, Weyl's inequality)."""
        return 10 * max(self._target.shape) * EPS * float(self._factors[1][0]) * 1.01

    @cached_property
    def f_star(self) -> float:
        """Half the sum of squares of the singular values of M past the k-th (Eckart and Young)."""
        rest = self._factors[1][self.width :]
        return float(rest.square().sum()) / 2

    @property
    def f_star_error(self) -> float:  # pyright: ignore[reportIncompatibleVariableOverride]
        """What the error of the singular values does; 0 where f_star is 0 by their number."""
        rest = self._factors[1][self.width :].tolist()
        return sum(self._margin * (s + self._margin) for s in rest) * 1.01

    @cached_property
    def x_star(self) -> Tensor:
        """W_2 = U_k sqrt(S_k) and W_1 = sqrt(S_k) V_k', filled with zeros; one of many, (d,)."""
        u, s, vh = self._factors
        m, k, n = self._sizes
        first, second = s.new_zeros(k, n), s.new_zeros(m, k)
        count = min(k, len(s))
        root = s[:count].sqrt()
        first[:count], second[:, :count] = root.unsqueeze(-1) * vh[:count], u[:, :count] * root
        return self.layers.join((first, second))

    @property
    def x0(self) -> Tensor:
        """r1 / 2 and r2 / 2 on the diagonals, (d,)."""
        first, second = (torch.eye(*shape, dtype=torch.float64) for shape in self.layers.shapes)
        return start_point(self, self.start, self.layers.join((self.r1 / 2 * first, self.r2 / 2 * second)))

    @property
    def coupling(self) -> CoupledSmooth:
        """h_ij as below; ValueError where one is beyond the floats."""
        return CoupledSmooth(self._h)

    @cached_property
    def _h(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """h_11 = q r2^2, h_22 = q r1^2, h_12 = 2 q r1 r2 + M_q: q = min(m, k, n), M_q its q largest s_i(M).

        D^2 f [Z, V] = <W_2 Z_1, W_2 V_1> + <Z_2 W_1, V_2 W_1> + (<W_2 Z_1, V_2 W_1> + <R, V_2 Z_1>) + those
        two with Z and V exchanged, R = W_2 W_1 - M. Products have rank <= q: <A, B> <= q |A| |B| for spectral
        norms, and <M, V_2 Z_1> <= M_q |V_2| |Z_1| (von Neumann).
        """
        q = min(self._sizes)
        r1, r2 = (Fraction(r) * INSIDE for r in (self.r1, self.r2))
        largest = sum(
            (Fraction(s) + Fraction(self._margin) for s in self._factors[1][:q].tolist()), Fraction(0)
        )
        cross = round_up(2 * q * r1 * r2 + largest)
        return (round_up(q * r2**2), cross), (cross, round_up(q * r1**2))

    @property
    def certified(self) -> tuple[Certificate, ...]:
        """The coupling on the region, rounded outward, where it is within the floats."""
        proof = "bilinear bound of the Hessian, block by block, integrated along segments of a convex region"
        known = max(map(max, self._h)) < math.inf
        return (
            *((Certificate(self.coupling, proof=proof, region=self.region),) if known else ()),
            Certificate(Continuous(), proof="a polynomial"),
        )

    def _split(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """W_1, W_2 and W_2 W_1 - M."""
        first, second = self.layers.split(x)
        return first, second, second @ first - self._target.to(x)

    def value(self, x: Tensor) -> Tensor:
        """x: (*batch, d). Returns (*batch,)."""
        return self._split(x)[2].square().sum(dim=(-2, -1)) / 2

    def gap_cancellation(self, x: Tensor, gap: Tensor) -> Tensor:
        """The gap, f_star, and the residual times the products that it subtracts, (*batch,)."""
        first, second, residual = self._split(x)
        size = second.abs() @ first.abs() + self._target.abs().to(x)
        terms = (residual.abs() + EPS * size) * size
        return gap.abs() + self.f_star + self.width * terms.sum(dim=(-2, -1))

    def grad(self, x: Tensor) -> Tensor:
        """(W_2' R, R W_1'). Shapes (*batch, d)."""
        first, second, residual = self._split(x)
        return self.layers.join((second.mT @ residual, residual @ first.mT))

    def hvp(self, x: Tensor, v: Tensor) -> Tensor:
        """(W_2' P + V_2' R, P W_1' + R V_1'), P = V_2 W_1 + W_2 V_1. Shapes (*batch, d)."""
        require_points(v, self.d, "v")
        first, second, residual = self._split(x)
        v1, v2 = self.layers.split(v)
        product = v2 @ first + second @ v1
        moved = second.mT @ product + v2.mT @ residual, product @ first.mT + residual @ v1.mT
        return self.layers.join(moved)
