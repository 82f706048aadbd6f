"""Finite sums of a link of affine functions."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import torch
from torch import Tensor

from assumptions import EUCLIDEAN, Certificate, Norm
from assumptions.guards import require_points
from assumptions.rounding import ROUNDINGS
from problems.arguments import require_start, start_point
from problems.gram import row_rank, row_space
from problems.link_facts import monotone_margin, sum_facts
from problems.link_terms import LinkData, LinkTerms
from problems.links import LINKS, Link, require_link
from problems.oracle_guards import require_euclidean, require_vector
from problems.separator import separator
from problems.space import Choice, Range, Uniform, Vector


@dataclass(frozen=True)
class LinkSum(LinkTerms):
    """f(x) = (1/n) sum_j h(<a_j, x - c> - b_j), h one of the links: a mean of n terms.

    link: the name of h, see ``problems.links``. rows: a_1, ..., a_n, each of d finite numbers, not 0.
    targets: b, n finite numbers, 0 if empty. center: c, d finite numbers, 0 if empty. start: overrides x0, by
    default c + (1, ..., 1). ValueError otherwise.

    What is known of the minimum:

    interpolation     without targets, and with h minimal at 0: every term is minimal at c, f_star = 0. If
                      0 is the only minimiser of h, the solution set is c + {y : <a_j, y> = 0 for all j}
    separated rows    for "logistic" and "exp", a u with <a_j, u> > 0 for all j: f_star = 0, not attained
    else              f >= 0 = ``f_lower``; f_star, x_star and nearest_star are None

    Regression with outliers is "robust", with targets; the interpolated sums of quartics or of hyperbolic
    cosines have no global smoothness constant.
    """

    link: str
    rows: tuple[tuple[float, ...], ...]
    targets: tuple[float, ...] = ()
    center: tuple[float, ...] = ()
    start: tuple[float, ...] = ()
    f_lower: ClassVar[float] = 0.0

    space: ClassVar[Mapping[str, Range]] = {
        "link": Choice(("square", "quartic", "cosh", "log-cosh", "robust")),
        "rows": Vector(Vector(Uniform(-2.0, 2.0), 3, 3), 1, 6),
        "center": Vector(Uniform(-1.0, 1.0), 3, 3),
    }

    def __post_init__(self) -> None:
        """Tuples of floats, checked."""
        require_link(self.link)
        object.__setattr__(self, "rows", require_rows("rows", self.rows))
        for j, row in enumerate(self.rows):
            if not any(row):
                raise ValueError(f"rows must not be 0, got row {j} = {row!r}")
        if self.targets:
            object.__setattr__(self, "targets", require_vector("targets", self.targets, self.n_terms))
        if self.center:
            object.__setattr__(self, "center", require_vector("center", self.center, self.d))
        require_start(self.start, self.d)

    @property
    def _link(self) -> Link:
        return LINKS[self.link]

    @property
    def d(self) -> int:
        """Length of the rows."""
        return len(self.rows[0])

    @property
    def n_terms(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Number of rows."""
        return len(self.rows)

    @cached_property
    def _data(self) -> tuple[Tensor, Tensor, Tensor]:
        """Rows (n, d), targets (n,), center (d,)."""
        targets = self.targets or (0.0,) * self.n_terms
        parts = self.rows, targets, self.center or (0.0,) * self.d
        rows, b, c = (torch.tensor(part, dtype=torch.float64) for part in parts)
        return rows, b, c

    @cached_property
    def _links(self) -> LinkData:  # pyright: ignore[reportIncompatibleMethodOverride]
        rows, b, c = self._data
        return LinkData(self.link, rows, b if self.targets else None, c if self.center else None)

    @property
    def x0(self) -> Tensor:
        """c + (1, ..., 1), (d,)."""
        return start_point(self, self.start, self._data[2] + 1)

    @property
    def interpolates(self) -> bool:
        """True if every term is minimal at c."""
        return self._link.minimiser == 0 and not any(self.targets)

    @cached_property
    def _separator(self) -> tuple[float, ...] | None:
        """u with <a_j, u> > 0 for all j, if h is monotone and one is found."""
        return separator(self.rows) if self._link.minimiser is None else None

    @property
    def f_star(self) -> float | None:
        """0 where that is known, else None."""
        return 0.0 if self.interpolates or self._separator is not None else None

    @property
    def x_star(self) -> Tensor | None:
        """c under interpolation, (d,); else None."""
        return self._data[2] if self.interpolates else None

    @cached_property
    def _rank(self) -> int:
        return row_rank(self.rows)

    @property
    def unique_star(self) -> bool:
        """True if the terms are minimal at c, h at 0 only, and the rows span R^d."""
        return self.interpolates and self._link.unique and self._rank == self.d

    @cached_property
    def _seen(self) -> Tensor:
        """Orthonormal basis of the span of the rows, (d, rank)."""
        return row_space(self._data[0], self._rank)

    @property
    def certified(self) -> tuple[Certificate, ...]:
        """What the bounds of h' and h'' and the rows prove; see ``link_facts``."""
        margin = 0.0 if self._separator is None else monotone_margin(self.rows, self._separator)
        return sum_facts(self._link, self.rows, self._rank, self.interpolates, margin)

    def value(self, x: Tensor) -> Tensor:
        """x: (*batch, d). Returns (*batch,)."""
        return self.part_values(x).mean(dim=-1)

    def gap(self, x: Tensor) -> Tensor:
        """The value; TypeError where f_star is not known. x: (*batch, d). Returns (*batch,)."""
        if self.f_star is None:
            raise TypeError(f"f_star of {self!r} is not known; f >= f_lower = 0")
        return self.value(x)

    def gap_cancellation(self, x: Tensor, gap: Tensor) -> Tensor:
        """The gap, and the mean of what the inner products add up times the slope of h nearby, (*batch,)."""
        rows, b, c = (part.to(x) for part in self._data)
        size = (x.abs() + c.abs()) @ rows.abs().mT + b.abs()
        s = self._inner(x)
        ends = self._link.slope(s - ROUNDINGS * size).abs(), self._link.slope(s + ROUNDINGS * size).abs()
        return gap + (size * torch.maximum(*ends)).mean(dim=-1)

    def grad(self, x: Tensor) -> Tensor:
        """mean_j h'(s_j) a_j. Shapes (*batch, d)."""
        return self._link.slope(self._inner(x)) @ self._data[0].to(x) / self.n_terms

    def hvp(self, x: Tensor, v: Tensor) -> Tensor:
        """mean_j h''(s_j) <a_j, v> a_j. Shapes (*batch, d)."""
        rows = self._data[0].to(x)
        return (self._link.curvature(self._inner(x)) * (v @ rows.mT)) @ rows / self.n_terms

    def nearest_star(self, x: Tensor, norm: Norm = EUCLIDEAN) -> Tensor:
        """Projection on the solution set. Shapes (*batch, d).

        ValueError for a norm without ``offers_dist``; TypeError where the solution set is not known.
        """
        require_points(x, self.d)
        if not self._solved:
            raise TypeError(f"the solution set of {self!r} is not known")
        require_euclidean(self, norm)
        c = self._data[2].to(x)
        if self._rank == self.d:
            return c.expand_as(x)
        seen = self._seen.to(x)
        # twice: the first leaves roundings of x, the second those of the result
        for _ in range(2):
            x = x - ((x - c) @ seen) @ seen.mT
        return x

    @property
    def _solved(self) -> bool:
        return self.interpolates and self._link.unique

    def offers(self, name: str) -> bool:
        """True if the problem has this oracle or fact; the projection where the solution set is known."""
        return self._solved if name == "nearest_star" else super().offers(name)


def require_rows(name: str, rows: tuple[tuple[float, ...], ...]) -> tuple[tuple[float, ...], ...]:
    """Rows of floats, all of one length. ValueError unless they are finite and there is at least one."""
    try:
        listed = [tuple(row) for row in rows]
    except TypeError:
        raise ValueError(f"{name} must be a tuple of rows of numbers, got {rows!r}") from None
    if not listed:
        raise ValueError(f"{name} must have at least one row, got ()")
    first = require_vector(f"{name} row 0", listed[0])
    return (first, *(require_vector(f"{name} row {j}", r, len(first)) for j, r in enumerate(listed) if j))
