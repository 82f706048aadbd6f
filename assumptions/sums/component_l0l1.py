"""(L0, L1)-smoothness of every term."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, cast

import torch
from torch import Tensor

from assumptions.base import Function, Sides
from assumptions.guards import require_nonnegative
from assumptions.inequality import EntryInequality
from assumptions.l0l1.segment import SegmentL0L1
from assumptions.norms import EUCLIDEAN, Norm, require_norm
from assumptions.sums.terms import by_rows


class SumByIndex(Function, Protocol):
    """f is the mean of its terms, each of which is read by its index. x: (*batch, d); j: (*batch,)."""

    @property
    def n_terms(self) -> int:
        """How many terms."""
        ...

    def part_value(self, x: Tensor, j: Tensor) -> Tensor:
        """f_j(x), (*batch,)."""
        ...

    def part_grad(self, x: Tensor, j: Tensor) -> Tensor:
        """grad f_j(x), (*batch, d)."""
        ...


@dataclass(frozen=True)
class OwnTerms:
    """Term j at a point of its own. x: (*batch, n_terms or 1, d), the last axis but one that of the terms."""

    problem: SumByIndex

    @property
    def d(self) -> int:
        """Dimension."""
        return self.problem.d

    @property
    def x0(self) -> Tensor:
        """The start, (d,)."""
        return self.problem.x0

    def offers(self, name: str) -> bool:
        """What the sum offers is said of f, not of its terms: values and gradients alone."""
        return name in ("value", "grad")

    def _indexed(self, x: Tensor) -> tuple[Tensor, Tensor]:
        n = self.problem.n_terms
        j = torch.arange(n, device=x.device).expand(*x.shape[:-2], n)
        return x.expand(*j.shape, x.shape[-1]), j

    def value(self, x: Tensor) -> Tensor:
        """f_j(x_j), (*batch, n_terms). At the start, (d,), the largest |f_j|: the size of what may round."""
        if x.dim() == 1:
            return self.value(x.unsqueeze(0)).abs().amax()
        return self.problem.part_value(*self._indexed(x))

    def grad(self, x: Tensor) -> Tensor:
        """grad f_j(x_j), (*batch, n_terms, d)."""
        return self.problem.part_grad(*self._indexed(x))


@dataclass(frozen=True)
class ComponentL0L1(EntryInequality):
    """|grad f_j(x) - grad f_j(y)|_* <= (L0_max + L1_max S_j) |x - y|, S_j = sup |grad f_j|_* on [x, y].

    For all x, y and all terms j. Where the terms are in C^2 it is |H_j(x) v|_* <= (L0_max + L1_max
    |grad f_j(x)|_*) |v|: integrate along the segment, or let it shrink. Constants: finite, >= 0. ValueError
    otherwise. With L1_max = 0: every term is smooth. norm: the norm of x - y; gradients are measured in its
    dual. Tried as ``SegmentL0L1``.
    """

    L0_max: float
    L1_max: float
    norm: Norm = EUCLIDEAN
    sense: ClassVar[Mapping[str, int]] = {"L0_max": -1, "L1_max": -1}
    needs: ClassVar[tuple[str, ...]] = ("part_grad", "part_value")
    instead: ClassVar[str] = "a mean of terms offers the values and gradients of each"

    def __post_init__(self) -> None:
        """Both constants as floats."""
        for name in self.constants():
            require_nonnegative(**{name: getattr(self, name)})
            object.__setattr__(self, name, float(getattr(self, name)))
        require_norm(self.norm)

    def entry_sides(self, problem: Function, *points: Tensor) -> Sides:
        """Both sides for every term, (*batch, n_terms). x, y: (*batch, d)."""
        terms, one = OwnTerms(cast(SumByIndex, problem)), SegmentL0L1(self.L0_max, self.L1_max, self.norm)
        return by_rows(lambda *rows: one.sides(terms, *_for_each(problem, *rows)), problem, *points)

    @classmethod
    def estimate(cls, problem: Function, *points: Tensor, **options: Any) -> dict[str, Any]:
        """One pair for all terms, as ``SegmentL0L1.estimate`` with its options. points: each (*batch, d)."""
        cls.require(problem)
        rows = _for_each(problem, *torch.broadcast_tensors(*points))
        seen = SegmentL0L1.estimate(OwnTerms(cast(SumByIndex, problem)), *rows, **options)
        return {name.replace("_segment", "_max"): value for name, value in seen.items()}


def _for_each(problem: Function, *points: Tensor) -> tuple[Tensor, ...]:
    """The points once for every term: (*batch, d) -> (*batch, n_terms, d)."""
    n = cast(SumByIndex, problem).n_terms
    return tuple(p.unsqueeze(-2).expand(*p.shape[:-1], n, p.shape[-1]) for p in points)
