"""Where a search looks: the spaces of families, and of those that declare none what can be made here."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from problems import AbsAffine, Composite, Indicator, Quadratic, QuadraticSum, WeightedL1
from problems.ball_sets import EuclideanBall
from problems.base import Problem
from problems.space import Choice, Integers, LogUniform, Range, Uniform, Vector, require_cube
from workbench.falsifier.encode import Around, Family, Source, rounded, to_ends

LARGE = 2**10
"""Numbers in the terms of a problem beyond which it is tried as it is, after all others."""
INSIDE = 0.95
"""Subgradients of a kink are drawn from so much of the set, so that rounding does not lead out of it."""

SHARES = Vector(Uniform(-1.0, 1.0), 3, 3)
SIZES = Vector(LogUniform(1e-3, 10.0), 3, 3)
DIMENSION = Integers(1, 3)


@dataclass(frozen=True)
class Made(Source):
    """Members of a family without a space. make: takes a value of each range; ValueError for none."""

    kind: type[Problem]
    ranges: tuple[Range, ...]
    make: Callable[..., Problem]

    @property
    def label(self) -> str:
        """The family, and how its members are made."""
        return f"{self.kind.__name__} ({self.make.__name__.strip('_').replace('_', ' ')})"

    @property
    def width(self) -> int:
        """Of all ranges together."""
        return sum(r.width for r in self.ranges)

    def at(self, u: Sequence[float]) -> Problem:
        """Each argument from its own coordinates, rounded."""
        u, values, low = to_ends(require_cube(u, self.width)), [], 0
        for range_ in self.ranges:
            values.append(rounded(range_.at(u[low : low + range_.width])))
            low += range_.width
        return self.make(*values)


@dataclass(frozen=True)
class Inside(Source):
    """A member of a calculus rule with another problem of the same family in it, its own numbers changed."""

    member: Any

    @property
    def _parts(self) -> tuple[Family, Around]:
        return Family(type(self.member.problem)), Around(self.member)

    @property
    def label(self) -> str:
        """Both families."""
        return f"{self.member.family} of {self.member.problem.family}"

    @property
    def width(self) -> int:
        """Of the inner family, and of the numbers of the whole."""
        return sum(part.width for part in self._parts)

    def at(self, u: Sequence[float]) -> Problem:
        """The inner problem from the first coordinates; the others as around a member."""
        family, around = self._parts
        u = require_cube(u, self.width)
        made: Any = around.at(u[family.width :])
        return dataclasses.replace(made, problem=family.at(u[: family.width]))


def sources(problems: Sequence[Problem]) -> list[Source]:
    """All spaces of the families in the list, in its order; of those without one what lies around members.

    Problems that are large or read files are left out.
    """
    small = [p for p in problems if not is_large(p)]
    found: list[Source] = [Family(k) for k in dict.fromkeys(type(p) for p in small if type(p).space)]
    found += [made for made in MADE if any(type(p) is made.kind for p in small)]
    bare = [p for p in small if not type(p).space]
    found += [Inside(p) for p in bare if type(getattr(p, "problem", None)).__dict__.get("space")]
    return [*found, *(around for around in map(Around, bare) if around.width)]


def is_large(problem: Problem) -> bool:
    """Whether a run on it takes much longer than on others."""
    return bool(problem.files) or problem.n_terms * problem.d > LARGE


# -- families without a space -------------------------------------------------------------------------


def _with_l1(d: int, sizes: Any, weights: Any, shares: Any) -> Problem:
    """A quadratic and an l1 norm: 0 is the minimiser, for the gradient there is within the weights."""
    centre = tuple(
        rounded(INSIDE * s * w / e, 3) for s, w, e in zip(shares[:d], weights[:d], sizes[:d], strict=True)
    )
    smooth = Quadratic(sizes[:d], centre, seed=None)
    return Composite(smooth, WeightedL1(weights[:d]), minimiser=(0.0,) * d)


def _on_a_ball(d: int, size: float, radius: float, beyond: float) -> Problem:
    """A round quadratic on a ball; its own minimiser lies on an axis, outside or on the sphere."""
    rest = (0.0,) * (d - 1)
    smooth = Quadratic((size,) * d, (radius + beyond, *rest), seed=None)
    ball = Indicator(EuclideanBall(radius, (0.0,) * d))
    start = (-radius, *rest)
    return Composite(smooth, ball, minimiser=(radius, *rest), start=start)


def _with_kinks(d: int, sizes: Any, rows: Any, shares: Any, mu_g: float) -> Problem:
    """A quadratic, kinks that meet at the minimiser 0, and a quadratic that balances them."""
    terms = tuple(AbsAffine(row[:d]) for row in rows)
    duals = tuple(tuple(s * a for a in row[:d]) for s, row in zip(shares, rows, strict=True))
    smooth = Quadratic(sizes[:d], seed=None)
    return Composite.around((0.0,) * d, duals, smooth=smooth, terms=terms, mu_g=mu_g, start=(1.0,) * d)


def _diagonal(d: int, n: int, curvatures: Any, slopes: Any) -> Problem:
    """Terms x'A_j x / 2 - <b_j, x> with diagonal A_j of any sign; each coordinate is turned to be convex."""
    columns = [[row[i] for row in curvatures[:n]] for i in range(d)]
    turned = [[-c for c in column] if sum(column) < 0 else column for column in columns]
    hessians = tuple(
        tuple(tuple(turned[i][j] if i == m else 0.0 for m in range(d)) for i in range(d)) for j in range(n)
    )
    return QuadraticSum(hessians, tuple(row[:d] for row in slopes[:n]))


ROWS = Vector(SHARES, 3, 3)
HALVES = Vector(Choice((0.0, 1.0, -1.0, 0.5, -0.5, 0.25)), 3, 3)
"""Products with them are exact."""
MADE = (
    Made(Composite, (DIMENSION, SIZES, SIZES, SHARES), _with_l1),
    Made(
        Composite,
        (DIMENSION, LogUniform(0.01, 10.0), LogUniform(0.1, 10.0), LogUniform(1e-3, 10.0)),
        _on_a_ball,
    ),
    Made(Composite, (DIMENSION, SIZES, ROWS, HALVES, LogUniform(0.01, 10.0)), _with_kinks),
    Made(
        QuadraticSum,
        (Integers(1, 2), DIMENSION, Vector(Vector(Uniform(-5.0, 5.0), 2, 2), 3, 3), ROWS),
        _diagonal,
    ),
)
