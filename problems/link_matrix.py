"""Sums of scalar functions of a matrix along orthonormal rank-one matrices."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from assumptions import EUCLIDEAN, Certificate, Layers, Lp, Norm
from assumptions.column_norms import MaxColumn, MaxRow, SumColumns, SumRows
from assumptions.guards import as_floats, require_dimension, require_points
from assumptions.matrix_norms import Nuclear, Spectral
from assumptions.rounding import ROUNDINGS
from problems.arguments import require_start, start_point
from problems.base import Problem
from problems.link_matrix_facts import Terms, matrix_facts
from problems.links import LINKS, Link, require_link
from problems.matrix_constants import require_matrix_norm
from problems.oracle_guards import require_euclidean, require_vector
from problems.space import Choice, Integers, LogUniform, Range, Uniform, Vector

LARGEST = 1e290
"""Room for the products that inequalities make of values and derivatives."""


@dataclass(frozen=True)
class LinkMatrix(Problem):
    """f(X) = sum_j (c_j / b_j^2) h(b_j (s_j - a_j)), s_j = u_j' X v_j, u_j orthonormal, v_j orthonormal.

    link: the name of h in ``LINKS``. m, n: rows and columns of X, >= 1. weights: c_j > 0, one for each term,
    at most min(m, n). rates: b_j > 0, 1 if empty. shifts: a_j, 0 if empty. norm: that of the layer,
    ``Spectral(m, n)`` by default, Nuclear, or Lp(2). seed: u and v are drawn; None: they are the first unit
    vectors, s_j = X_jj, and the norm may be MaxColumn, SumColumns, MaxRow, SumRows, Lp(1), Lp(inf) too.
    start: overrides x0, by default sum_j (a_j + 2 / b_j) E_j. ValueError otherwise, TypeError for norms.

    On X = sum_j s_j E_j + rest, E_j = u_j v_j', the gradient is sum_j phi_j'(s_j) E_j and the Hessian takes Z
    to sum_j phi_j''(s_j) s_j(Z) E_j, with |phi_j''| <= c_j l0 + b_j l1 |phi_j'|.
    """

    link: str
    m: int
    n: int
    weights: tuple[float, ...] = (1.0,)
    rates: tuple[float, ...] = ()
    shifts: tuple[float, ...] = ()
    norm: Norm | None = None
    seed: int | None = 0
    start: tuple[float, ...] = ()

    space: ClassVar[Mapping[str, Range]] = {
        "link": Choice(tuple(LINKS)),
        "m": Integers(3, 4),
        "n": Integers(3, 5),
        "weights": Vector(LogUniform(0.1, 10.0), 3, 3),
        "rates": Vector(LogUniform(0.3, 3.0), 3, 3),
        "shifts": Vector(Uniform(-1.0, 1.0), 3, 3),
        "seed": Integers(0, 10_000),
    }

    def __post_init__(self) -> None:
        """Tuples of floats, checked."""
        require_link(self.link)
        require_dimension(m=self.m, n=self.n)
        weights = require_vector("weights", self.weights)
        if len(weights) > min(self.m, self.n):
            raise ValueError(f"weights must have at most min(m, n) entries, got {self.weights!r}")
        object.__setattr__(self, "weights", weights)
        for name in ("rates", "shifts"):
            if as_floats(name, getattr(self, name)):
                object.__setattr__(self, name, require_vector(name, getattr(self, name), len(weights)))
        for name in ("weights", "rates"):
            if not all(entry > 0 for entry in getattr(self, name)):
                raise ValueError(f"{name} must be > 0, got {getattr(self, name)!r}")
        whole = isinstance(self.seed, int) and not isinstance(self.seed, bool)
        if self.seed is not None and (not whole or self.seed < 0):
            raise ValueError(f"seed must be an integer >= 0 or None, got {self.seed!r}")
        if self.norm is None:
            object.__setattr__(self, "norm", Spectral(self.m, self.n))
        require_matrix_norm(self.m, self.n, self._norm)
        _ = self._adds
        require_start(self.start, self.d)

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

    @property
    def _link(self) -> Link:
        return LINKS[self.link]

    @property
    def _adds(self) -> bool:
        """Whether the dual norm of sum_j t_j E_j is sum |t_j| / scale, not max |t_j| or |t|_2 over scale.

        TypeError for another norm.
        """
        aligned = self.seed is None
        match self._norm:
            case Spectral():
                return True
            case Nuclear() | Lp(p=2):
                return False
            case MaxColumn() | MaxRow() | Lp(p=math.inf) if aligned:
                return True
            case SumColumns() | SumRows() | Lp(p=1) if aligned:
                return False
        more = ", MaxColumn, SumColumns, MaxRow, SumRows, Lp with p = 1, inf" if aligned else ""
        raise TypeError(f"norm must be one of Spectral, Nuclear, Lp(2){more}, got {self.norm!r}")

    @cached_property
    def _frame(self) -> tuple[Tensor, Tensor]:
        """u_j and v_j as rows, (terms, m) and (terms, n)."""
        count, sizes = len(self.weights), (self.m, self.n)
        if self.seed is None:
            u, v = (torch.eye(count, size, dtype=torch.float64) for size in sizes)
            return u, v
        rng = np.random.default_rng(self.seed)
        u, v = (np.linalg.qr(rng.standard_normal((size, count)))[0].T for size in sizes)
        return torch.from_numpy(np.ascontiguousarray(u)), torch.from_numpy(np.ascontiguousarray(v))

    @cached_property
    def _terms(self) -> Tensor:
        """Rows b, a and c, (3, terms)."""
        count = len(self.weights)
        rows = (self.rates or (1.0,) * count, self.shifts or (0.0,) * count, self.weights)
        return torch.tensor(rows, dtype=torch.float64)

    def _combine(self, t: Tensor) -> Tensor:
        """sum_j t_j E_j. t: (*batch, terms). Returns (*batch, d)."""
        u, v = (part.to(t) for part in self._frame)
        return ((u.mT * t.unsqueeze(-2)) @ v).flatten(-2)

    def _inner(self, x: Tensor) -> Tensor:
        """u_j' X v_j, (*batch, terms)."""
        require_points(x, self.d)
        u, v = (part.to(x) for part in self._frame)
        return ((u @ x.reshape(*x.shape[:-1], self.m, self.n)) * v).sum(dim=-1)

    def _argument(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """b_j (s_j - a_j), b and c; (*batch, terms), (terms,), (terms,)."""
        b, a, c = self._terms.to(x)
        return b * (self._inner(x) - a), b, c

    @property
    def f_star(self) -> float:
        """0, the infimum of every h; attained or not."""
        return 0.0

    @cached_property
    def _target(self) -> Tensor | None:
        """s_j at a minimiser, (terms,); None if there is none."""
        if self._link.minimiser is None:
            return None
        b, a, _ = self._terms
        return a + self._link.minimiser / b

    @cached_property
    def x_star(self) -> Tensor | None:
        """sum_j s_j E_j with h minimal at each s_j, (d,); None where inf h is not attained."""
        return None if self._target is None else self._combine(self._target)

    @property
    def x0(self) -> Tensor:
        """sum_j (a_j + 2 / b_j) E_j, (d,)."""
        b, a, _ = self._terms
        return start_point(self, self.start, self._combine(a + 2 / b))

    @property
    def unique_star(self) -> bool:
        """True for numbers, if h has one minimiser."""
        return self.d == 1 and self._link.unique

    @property
    def certified(self) -> tuple[Certificate, ...]:
        """What the bounds of h' and h'' prove; see ``matrix_facts``."""
        terms = Terms(self._link, self.weights, tuple(self._terms[0].tolist()), self.seed is None)
        return matrix_facts(terms, self._norm, self._adds)

    def contains(self, x: Tensor) -> Tensor:
        """False where f or a derivative is beyond 1e290: exponentials are not told there. Bool (*batch,)."""
        z, b, c = self._argument(x)
        size = (
            c * (1 + b.square().reciprocal()) * torch.maximum(self._link.h(z), self._link.curvature(z).abs())
        )
        # written so that nan is inside, as for every other problem
        return ~(size > LARGEST).any(dim=-1)

    def value(self, x: Tensor) -> Tensor:
        """x: (*batch, d). Returns (*batch,)."""
        z, b, c = self._argument(x)
        return (c / b.square() * self._link.h(z)).sum(dim=-1)

    def gap(self, x: Tensor) -> Tensor:
        """The value: f_star = 0. x: (*batch, d). Returns (*batch,)."""
        return self.value(x)

    def gap_cancellation(self, x: Tensor, gap: Tensor) -> Tensor:
        """The gap, and what the inner products add up times the slopes nearby, (*batch,)."""
        z, b, c = self._argument(x)
        u, v = (part.abs().to(x) for part in self._frame)
        size = ((u @ x.abs().reshape(*x.shape[:-1], self.m, self.n)) * v).sum(dim=-1)
        size = b * (size + self._terms[1].to(x).abs())
        ends = self._link.slope(z - ROUNDINGS * size).abs(), self._link.slope(z + ROUNDINGS * size).abs()
        return gap + (c / b.square() * size * torch.maximum(*ends)).sum(dim=-1)

    def grad(self, x: Tensor) -> Tensor:
        """sum_j (c_j / b_j) h'(b_j (s_j - a_j)) E_j. Shapes (*batch, d)."""
        z, b, c = self._argument(x)
        return self._combine(c / b * self._link.slope(z))

    def hvp(self, x: Tensor, v: Tensor) -> Tensor:
        """sum_j c_j h''(b_j (s_j - a_j)) (u_j' V v_j) E_j. Shapes (*batch, d)."""
        z, _, c = self._argument(x)
        return self._combine(c * self._link.curvature(z) * self._inner(v))

    def offers(self, name: str) -> bool:
        """True if the problem has this oracle or fact; the projection where h has one minimiser."""
        return self._link.unique if name == "nearest_star" else super().offers(name)

    def nearest_star(self, x: Tensor, norm: Norm = EUCLIDEAN) -> Tensor:
        """X moved along the E_j to where every h is minimal. Shapes (*batch, d).

        ValueError for a norm without ``offers_dist``; TypeError unless h has one minimiser.
        """
        require_points(x, self.d)
        if self._target is None or not self._link.unique:
            raise TypeError(f"the solution set of {self!r} is empty or not known")
        require_euclidean(self, norm)
        target = self._target.to(x)
        return x + self._combine(target - self._inner(x))
