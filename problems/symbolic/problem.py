"""A formula in one or two variables on a box; constants are proved by branch and bound."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import sympy as sp
import torch
from torch import Tensor

from assumptions import EUCLIDEAN, Assumption, Certificate, Norm
from assumptions.guards import require_points
from problems.arguments import require_start, start_point
from problems.base import Problem
from problems.oracle_guards import project_unique, require_euclidean, require_vector
from problems.sets import Box
from problems.symbolic.bounds import Value
from problems.symbolic.derivatives import Cell, Derivatives, derivatives_of
from problems.symbolic.evaluation import PRECISIONS, evaluate, nearest_floats
from problems.symbolic.expression import expression_text
from problems.symbolic.finite_on_box import require_finite_on
from problems.symbolic.minimum import Minimum, prove_minimum
from problems.symbolic.proof import Proof, certify, enclose
from problems.symbolic.search import search


@dataclass(frozen=True)
class SymbolicProblem(Problem):
    """f(x) = the formula ``expr`` on a box; f is finite there alone.

    expr: a formula in x, y or x1, x2 (of one variable: x or x1), as text (``parse_expression``) or as a sympy
    expression, kept as its text. box: for each variable, one or two, a pair (low, high) of finite numbers,
    low < high. prove: assumptions to be proved on the box now, with the slack of ``certify``; they are
    ``certified`` with the box as their region. minimiser: empty, or a point close to a minimiser over the
    box, which is proved (``prove_minimum``). start: overrides x0, the centre of the box; in the box.

    Oracles are right to 512 roundings of each entry in the box: floating point with a running error analysis,
    and balls, which are slow, for the rows that it does not vouch for (``evaluate``). Points that
    ask for a gradient get plain floating point.

    Construction proves that f, its gradient and its Hessian are finite on the box. ValueError otherwise,
    naming a part where that is not seen (a pole, a root of something that touches 0), for what cannot be
    proved, and for formulas too long to be differentiated or with numbers that 2048 bits do not tell.
    """

    expr: str
    box: Cell
    prove: tuple[Assumption, ...] = ()
    start: tuple[float, ...] = ()
    minimiser: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Text, tuples of floats, and the proofs."""
        object.__setattr__(self, "expr", expression_text(self.expr))
        object.__setattr__(self, "box", _require_box(self.box))
        require_finite_on(self.expr, self.box)
        self._require_known()
        for name in ("start", "minimiser"):
            self._require_inside(name)
        for proof in self._proofs:
            if not proof.proved:
                raise ValueError(f"prove holds what could not be proved: {proof}")

    def _require_known(self) -> None:
        """ValueError where even many bits tell nothing of f at the centre, as of sin(exp(exp(10)))."""
        centre = [low + (high - low) / 2 for low, high in self.box]
        if any(math.isnan(a) for order in (0, 1) for a in nearest_floats(self.derivatives, order, centre)):
            raise ValueError(f"expr must hold numbers that {PRECISIONS[-1]} bits tell, got {self.expr!r}")

    def _require_inside(self, name: str) -> None:
        point = getattr(self, name)
        if point == ():
            return
        point = require_vector(name, point, self.d)
        object.__setattr__(self, name, point)
        require_start(point, self.d)
        if not all(low <= p <= high for p, (low, high) in zip(point, self.box, strict=True)):
            raise ValueError(f"{name} must be in the box {self.box!r}, got {point!r}")
        if name == "minimiser":
            _ = self.minimum

    @property
    def d(self) -> int:
        """Sides of the box."""
        return len(self.box)

    @property
    def derivatives(self) -> Derivatives:
        """f and its derivatives as expressions, and enclosed on boxes."""
        return derivatives_of(self.expr, self.d)

    @property
    def latex(self) -> str:
        """The formula, for LaTeX."""
        return sp.latex(self.derivatives.tree)

    @property
    def domain(self) -> Box:
        """The box, as a set."""
        low, high = zip(*self.box, strict=True)
        return Box(low, high)

    @property
    def x0(self) -> Tensor:
        """The centre of the box, (d,)."""
        centre = torch.tensor([low + (high - low) / 2 for low, high in self.box], dtype=torch.float64)
        return start_point(self, self.start, centre)

    def contains(self, x: Tensor) -> Tensor:
        """Whether x is in the box. x: (*batch, d). Returns bool (*batch,)."""
        return self.domain.contains(x)

    def value(self, x: Tensor) -> Tensor:
        """The formula; nothing is promised outside the box. (*batch, d) -> (*batch,)."""
        return self._run(x, 0).squeeze(-1)

    def grad(self, x: Tensor) -> Tensor:
        """The derivatives of the formula. Shapes (*batch, d)."""
        return self._run(x, 1)

    def hessian(self, x: Tensor) -> Tensor:
        """(*batch, d, d). x: (*batch, d)."""
        entries = self._run(x, 2)
        index = [0] if self.d == 1 else [0, 1, 1, 2]
        return entries[..., index].unflatten(-1, (self.d, self.d))

    def hvp(self, x: Tensor, v: Tensor) -> Tensor:
        """The Hessian times v. Shapes (*batch, d)."""
        return (self.hessian(x) @ v.unsqueeze(-1)).squeeze(-1)

    def _run(self, x: Tensor, order: int) -> Tensor:
        require_points(x, self.d)
        return evaluate(self.derivatives, order, x, self.contains)

    def certify(self, assumption: Assumption, slack: float = 1e-3, budget: int = 200_000) -> Proof:
        """Prove an assumption on the box, or find where it fails; see ``interval_proof.certify``."""
        return certify(self, assumption, slack, budget)

    def enclose(
        self, kind: type[Assumption], rel: float = 1e-3, budget: int = 20_000, **options: Any
    ) -> tuple[float, float]:
        """Two bounds of the best constant of a class on the box; see ``interval_proof.enclose``."""
        return enclose(self, kind, rel, budget, **options)

    @cached_property
    def _proofs(self) -> tuple[Proof, ...]:
        if not isinstance(self.prove, tuple) or not all(isinstance(a, Assumption) for a in self.prove):
            raise ValueError(
                f"prove must be a tuple of assumptions such as (Smooth(L=1.0),), got {self.prove!r}"
            )
        plain = SymbolicProblem(self.expr, self.box, minimiser=self.minimiser) if self.prove else self
        return tuple(_certified(plain, assumption) for assumption in self.prove)

    @property
    def certified(self) -> tuple[Certificate, ...]:
        """What ``prove`` names, with constants enlarged by the slack, on the box."""
        return tuple(proof.certificate for proof in self._proofs)

    @property
    def minimum(self) -> Minimum | None:
        """The minimum over the box, proved from ``minimiser``; None without one."""
        return _minimum(self.expr, self.box, self.minimiser) if self.minimiser else None

    @property
    def x_star(self) -> Tensor | None:
        """``minimiser``, (d,); None if it is empty."""
        return torch.tensor(self.minimiser, dtype=torch.float64) if self.minimiser else None

    @property
    def x_star_error(self) -> float:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Distance from ``x_star`` to a minimiser over the box, at most."""
        return self.minimum.x_error if self.minimum else 0.0

    @property
    def f_star(self) -> float | None:
        """An upper bound of the infimum over the box, off by at most ``f_star_error``; None if not known."""
        return self.minimum.f_star if self.minimum else None

    @property
    def f_star_error(self) -> float:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Rounding of f at the minimiser, and |grad f|^2 / (2 mu) there."""
        return self.minimum.f_star_error if self.minimum else 0.0

    @cached_property
    def f_lower(self) -> float:
        """A lower bound of f on the box, by branch and bound; to 1e-6 of the infimum unless that is 0."""
        if self.minimum:
            return self.minimum.f_lower
        found = search(
            self.derivatives,
            Value(-1),
            self.box,
            lambda upper, lower: upper - lower <= 1e-6 * abs(lower),
            2000,
        )
        return -found.upper

    def gap(self, x: Tensor) -> Tensor:
        """f(x) - f_star, cut at 0: f_star is an upper bound, and f is rounded. (*batch, d) -> (*batch,).

        TypeError without a minimiser.
        """
        if self.f_star is None:
            raise TypeError(f"f_star of {self!r} is not known; give it a minimiser")
        return super().gap(x).clamp(min=0)

    @property
    def unique_star(self) -> bool:
        """True if the minimiser was proved to be the only one in the box."""
        return self.minimum is not None and self.minimum.unique

    @property
    def nearest_star(self) -> Callable[..., Tensor] | None:
        """The projection x -> x_star if the minimiser is unique, else None."""
        return self._nearest if self.unique_star else None

    def _nearest(self, x: Tensor, norm: Norm = EUCLIDEAN) -> Tensor:
        """The minimiser. Shapes (*batch, d)."""
        require_euclidean(self, norm)
        assert self.x_star is not None
        return project_unique(self, x, self.x_star)


def _require_box(box: Any) -> Cell:
    """Pairs of floats; ValueError unless there are one or two, finite and increasing."""
    accepted = f"box must hold one or two pairs (low, high) of finite numbers, low < high, got {box!r}"
    try:
        sides = tuple((float(low), float(high)) for low, high in box)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(accepted) from None
    if not 1 <= len(sides) <= 2 or not all(-math.inf < low < high < math.inf for low, high in sides):
        raise ValueError(accepted)
    return sides


@lru_cache(maxsize=256)
def _minimum(expr: str, box: Cell, point: tuple[float, ...]) -> Minimum:
    return prove_minimum(derivatives_of(expr, len(box)), box, point)


@lru_cache(maxsize=256)
def _certified(problem: SymbolicProblem, assumption: Assumption) -> Proof:
    return certify(problem, assumption)
