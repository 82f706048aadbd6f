"""A problem after a linear map of its variable."""

import dataclasses
import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import torch
from torch import Tensor

from assumptions import EUCLIDEAN, EVERYWHERE, Certificate, Norm
from assumptions.base import EPS, Assumption
from assumptions.guards import as_floats, require_points
from assumptions.outward import root_down, root_up, round_down, round_up
from problems.arguments import require_start, start_point
from problems.base import Problem
from problems.calculus.lower_bound import floor, lower_bound
from problems.calculus.members import OfOne, has_domain
from problems.gram import Bounds, gram_bounds
from problems.oracle_guards import project_unique, require_euclidean

UPPER = {
    **dict.fromkeys(("L", "tau", "L_max", "L_avg", "tau_component", "delta", "delta_avg"), 2),
    **dict.fromkeys(("G", "sigma", "sigma_p"), 1),
    "L_h": 3,
}
"""Constant -> k: |A|^k times it holds after the map, for |A v| <= |A| |v| and |A' g| <= |A| |g|."""
KEPT = {"Convex", "Affine", "AffineGradient", "Continuous", "QuasiConvex", "ComponentConvex"}
"""Statements about lines and segments: a linear map takes these to lines and segments."""


@dataclass(frozen=True)
class LinearMap(OfOne):
    """F(x) = f(A x).

    problem: f on R^m, finite everywhere. matrix: A, m rows of d finite numbers, not 0. start: overrides
    x0, by default the shortest x with A x = x0 of f up to least squares. ValueError otherwise.

    Constants: |A|^2 and the smallest squared singular value are bounds of the eigenvalues of the smaller of
    A A' and A'A (``gram_bounds``). What needs full rank is there only where the smallest is proved to be
    > 0. The minimum is known where A has full row rank: then inf F = inf f.
    """

    problem: Problem
    matrix: tuple[tuple[float, ...], ...]
    start: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Rows of floats, checked."""
        self._require_members(self.problem)
        if has_domain(self.problem):
            raise ValueError(f"problem must be finite everywhere, got {self.problem!r}")
        rows = tuple(as_floats("matrix", row) for row in self.matrix)
        lengths = {len(row) for row in rows}
        entries = [entry for row in rows for entry in row]
        if len(rows) != self.problem.d or len(lengths) != 1 or not entries:
            raise ValueError(f"matrix must have {self.problem.d} rows of one length > 0, got {self.matrix!r}")
        if not all(abs(entry) < math.inf for entry in entries) or not any(entries):
            raise ValueError(f"matrix must have finite entries, not all 0, got {self.matrix!r}")
        object.__setattr__(self, "matrix", rows)
        require_start(self.start, self.d)

    @property
    def d(self) -> int:
        """Columns of A."""
        return len(self.matrix[0])

    @cached_property
    def _a(self) -> Tensor:
        return torch.tensor(self.matrix, dtype=torch.float64)

    @cached_property
    def _squares(self) -> Bounds:
        """Of squared singular values: all are <= high; low > 0 only if it is proved."""
        a = self._a
        return gram_bounds(a.mT if a.shape[0] <= a.shape[1] else a, 1)

    @property
    def onto(self) -> bool:
        """True if A is proved to have full row rank."""
        return len(self.matrix) <= self.d and self._squares.low > 0

    @property
    def one_to_one(self) -> bool:
        """True if A is proved to have full column rank."""
        return len(self.matrix) >= self.d and self._squares.low > 0

    @cached_property
    def _pinv(self) -> Tensor:
        return torch.linalg.pinv(self._a)

    def _map(self, x: Tensor) -> Tensor:
        require_points(x, self.d)
        return x @ self._a.to(x).mT

    @property
    def x0(self) -> Tensor:
        """As the class says, (d,)."""
        return start_point(self, self.start, self._pinv @ self.problem.x0)

    @property
    def unique_star(self) -> bool:
        """Where that of f is, and A is invertible."""
        return self.onto and self.one_to_one and self.problem.unique_star

    @property
    def certified(self) -> tuple[Certificate, ...]:
        """What is known of f everywhere, in Euclidean norms; constants by the singular values of A."""
        passed = []
        for certificate in self.problem.certified:
            assumption = self._passed(certificate.assumption)
            if assumption is None or certificate.region != EVERYWHERE:
                continue
            proof = f"{certificate.assumption!r} of f at A x; singular values of A, rounded outward"
            passed.append(dataclasses.replace(certificate, assumption=assumption, proof=proof, steps=()))
        return tuple(passed)

    def _passed(self, assumption: Assumption) -> Assumption | None:
        names = type(assumption).constants()
        if getattr(assumption, "norm", EUCLIDEAN) != EUCLIDEAN:
            return None
        if not names:
            return assumption if type(assumption).__name__ in KEPT else None
        if set(names) <= UPPER.keys():
            changed = {n: _times_power(getattr(assumption, n), self._squares.high, UPPER[n]) for n in names}
        elif names in {("mu",), ("mu_component",)} and self.one_to_one:
            changed = {names[0]: _times_down(getattr(assumption, names[0]), self._squares.low)}
        elif names == ("mu_pl",) and self.onto:
            # |A' g|^2 >= low |g|^2 >= 2 low mu_pl (f - inf f), and inf F = inf f
            changed = {"mu_pl": _times_down(assumption.mu_pl, self._squares.low)}  # pyright: ignore[reportAttributeAccessIssue]
        elif names == ("L0_hessian", "L1_hessian") and self.onto:
            # |A' H A v| <= high (L0 + L1 |g|) |v| and |g| <= |A' g| / low^(1/2)
            low, high = self._squares
            changed = {
                "L0_hessian": _times_power(assumption.L0_hessian, high, 2),  # pyright: ignore[reportAttributeAccessIssue]
                "L1_hessian": round_up(Fraction(assumption.L1_hessian) * high / root_down(low)),  # pyright: ignore[reportAttributeAccessIssue]
            }
        else:
            return None
        usable = all(
            0 < value < math.inf or value == getattr(assumption, n) == 0 for n, value in changed.items()
        )
        return dataclasses.replace(assumption, **changed) if usable else None  # pyright: ignore[reportArgumentType]

    def value(self, x: Tensor) -> Tensor:
        """f(A x). x: (*batch, d). Returns (*batch,)."""
        return self.problem.value(self._map(x))

    def grad(self, x: Tensor) -> Tensor:
        """A' times the gradient at A x. Shapes (*batch, d)."""
        return self.problem.grad(self._map(x)) @ self._a.to(x)

    def hvp(self, x: Tensor, v: Tensor) -> Tensor:
        """A' H A v. Shapes (*batch, d)."""
        return self.problem.hvp(self._map(x), self._map(v)) @ self._a.to(x)  # pyright: ignore[reportAttributeAccessIssue]

    def part_value(self, x: Tensor, j: Tensor | None = None) -> Tensor:
        """Of term j of f at A x; shapes as ``Problem.part_value``."""
        return self.problem.part_value(self._map(x), j)

    def part_grad(self, x: Tensor, j: Tensor | None = None) -> Tensor:
        """A' times that of term j of f; shapes as ``Problem.part_grad``."""
        return self.problem.part_grad(self._map(x), j) @ self._a.to(x)

    def part_values(self, x: Tensor) -> Tensor:
        """Of all terms, (*batch, n_terms)."""
        return self.problem.part_values(self._map(x))

    def part_grads(self, x: Tensor) -> Tensor:
        """Of all terms, (*batch, n_terms, d)."""
        return self.problem.part_grads(self._map(x)) @ self._a.to(x)

    def gap(self, x: Tensor) -> Tensor:
        """That of f at A x, (*batch,)."""
        return self.problem.gap(self._map(x))

    def gap_cancellation(self, x: Tensor, gap: Tensor) -> Tensor:
        """That of f, and |g| times the sums that A x adds up, d roundings each; (*batch,)."""
        z = self._map(x)
        sums = (x.abs() @ self._a.to(x).abs().mT).norm(dim=-1)
        return self.problem.gap_cancellation(z, gap) + self.d * self.problem.grad(z).norm(dim=-1) * sums

    def offers(self, name: str) -> bool:
        """Hessian products with f; facts about the minimum also need full row rank of A."""
        if name in ("f_star", "x_star", "nearest_star"):
            known = name != "nearest_star" or self.problem.unique_star
            return self.onto and known and self.problem.offers("f_star" if name == "f_star" else "x_star")
        return (name != "hvp" or self.problem.offers("hvp")) and super().offers(name)

    @cached_property
    def f_star(self) -> float | None:
        """That of f, where A has full row rank."""
        return getattr(self.problem, "f_star", None) if self.onto else None

    @property
    def f_star_error(self) -> float:  # pyright: ignore[reportIncompatibleVariableOverride]
        """That of f."""
        return self.problem.f_star_error

    @cached_property
    def f_lower(self) -> float | None:
        """A lower bound of f: its own, or f_star less its error."""
        bound = lower_bound(self.problem)
        return None if bound is None else floor(bound)

    @cached_property
    def x_star(self) -> Tensor | None:
        """The shortest x with A x = x_star of f, (d,)."""
        return self._pinv @ self.problem.x_star if self.offers("x_star") else None  # pyright: ignore[reportAttributeAccessIssue]

    @property
    def x_star_error(self) -> float:  # pyright: ignore[reportIncompatibleVariableOverride]
        """That of f over the smallest singular value, and 100 d roundings times the condition number."""
        if self.x_star is None:
            return 0.0
        low, high = root_down(self._squares.low), root_up(self._squares.high)
        inner, size = self.problem.x_star_error, float(self.x_star.norm())
        if not max(inner, size) < math.inf:
            return math.inf
        rounded = 100 * self.d * Fraction(EPS) * high * Fraction(size)
        return round_up((Fraction(inner) + rounded) / low)

    def nearest_star(self, x: Tensor, norm: Norm = EUCLIDEAN) -> Tensor:
        """The nearest x with A x = x_star of f, where that is unique. Shapes (*batch, d)."""
        require_points(x, self.d)
        require_euclidean(self, norm)
        assert self.x_star is not None
        if self.unique_star:
            return project_unique(self, x, self.x_star, norm)
        off = self.x_star.to(x) - x
        return x + self._map(off) @ self._pinv.to(x).mT


def _times_power(constant: float, square: Fraction, power: int) -> float:
    """Constant times square^(power / 2), rounded up."""
    length = root_up(square) if power % 2 else Fraction(1)
    return round_up(Fraction(constant) * square ** (power // 2) * length)


def _times_down(constant: float, square: Fraction) -> float:
    return round_down(Fraction(constant) * square)
