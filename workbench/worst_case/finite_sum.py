"""Finite sums in one Gram matrix: terms of a class, their mean, and the quantities of random methods."""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from workbench.worst_case.classes import ConvexFunctions, FunctionClass, Sample, SmoothFunctions
from workbench.worst_case.gram import NOTHING, ORIGIN, Basis, Form, Vector, exact, square
from workbench.worst_case.model import Unknown
from workbench.worst_case.scaling import differentiable
from workbench.worst_case.step_chain import Branch, State, average


class AnyFunctions:
    """Differentiable functions with nothing else known: no condition."""

    def conditions(self, samples: Sequence[Sample]) -> Iterator[tuple[str, Form]]:
        """None."""
        del samples
        yield from ()


class FiniteSum:
    """f = (1/n) sum f_j with the minimiser at the origin, where grad f_j = g_j* with mean 0 and f_j = 0.

    kind          class of every term
    mean_kind     class of f, beyond what the terms say, or None
    stationary    every g_j* is 0
    average_L     mean_j |grad f_j(x) - grad f_j(y)|^2 <= average_L^2 |x - y|^2, or None
    lower         no minimiser is known, only that f >= 0 (nonconvex f); then the start is the origin

    The conditions on f and the average smoothness are necessary at the points seen, not sufficient, and so
    are those on terms that are not convex, whose mean has its minimum at the origin: with them the programme
    bounds the worst case from above (``exact`` is False).
    """

    def __init__(
        self,
        n: int,
        kind: FunctionClass,
        mean_kind: FunctionClass | None = None,
        stationary: bool = False,
        average_L: Fraction | None = None,
        lower: bool = False,
    ) -> None:
        """Terms with their gradients at the minimiser."""
        self.basis, self.kind, self.mean_kind, self.lower = Basis(), kind, mean_kind, lower
        self.average_L = average_L
        flat = stationary or lower
        stars = [ORIGIN if flat else self.basis.vector(f"g{j}*") for j in range(n - 1)]
        last = -sum(stars, start=ORIGIN)
        self.stars = [*stars, last]
        self.terms = [Unknown(self.basis, f"f{j}", kind, star) for j, star in enumerate(self.stars)]
        if not lower:
            for f, star in zip(self.terms, self.stars, strict=True):
                f.know(ORIGIN, star, NOTHING, "*")

    @property
    def exact(self) -> bool:
        """True if the conditions are sufficient too."""
        return self.mean_kind is None and self.average_L is None and isinstance(self.kind, ConvexFunctions)

    @property
    def differentiable(self) -> bool:
        """True if every term has one gradient at each point."""
        return self.average_L is not None or differentiable(self.terms[0])

    @property
    def start(self) -> Vector:
        """x of a state."""
        return ORIGIN if self.lower else self.basis.vector("x0")

    def table(self, name: str) -> list[Vector]:
        """One vector per term, any: g_j* plus a new one."""
        return [star + self.basis.vector(f"{name}{j}") for j, star in enumerate(self.stars)]

    def gradients(self, x: Vector) -> list[Vector]:
        """Of all terms at x."""
        return [f.gradient(x)[0] for f in self.terms]

    def mean_at(self, x: Vector) -> Sample:
        """Gradient and value of f at x."""
        values = [f.gradient(x)[1] for f in self.terms]
        return Sample("", x, average(self.gradients(x)), average(values))

    def spread(self, table: Sequence[Vector]) -> Form:
        """mean_j |t_j - g_j*|^2."""
        return average([square(t - star) for t, star in zip(table, self.stars, strict=True)])

    def conditions(self) -> dict[str, Form]:
        """Of the terms, and those on f at the points where every term was asked."""
        found = {name: form for f in self.terms for name, form in f.conditions().items()}
        shared = self._shared()
        if self.mean_kind is not None:
            found |= {f"mean {name}": form for name, form in self.mean_kind.conditions(shared)}
            if isinstance(self.mean_kind, SmoothFunctions):
                found |= {f"mean {name}": form for name, form in self.mean_kind.above(shared, NOTHING)}
        if self.average_L is not None:
            for i, a in enumerate(shared):
                for b in shared[:i]:
                    change = zip(self.gradients(a.x), self.gradients(b.x), strict=True)
                    moved = average([square(u - v) for u, v in change])
                    bound = square(a.x - b.x) * exact(self.average_L**2)
                    found[f"average {a.name}-{b.name}"] = moved - bound
        return found

    def _shared(self) -> list[Sample]:
        """f where all terms are known."""
        keys = set.intersection(*({s.x.key() for s in f.samples} for f in self.terms))
        points = [s for s in self.terms[0].samples if s.x.key() in keys]
        distinct = {s.x.key(): s for s in reversed(points)}.values()
        return [self.mean_at(s.x)._replace(name=s.name) for s in reversed(list(distinct))]


def composite(constants: Mapping[str, Fraction]) -> tuple[Basis, Unknown, Unknown]:
    """f, mu_f-strongly convex and L_f-smooth, and a convex psi; the minimiser of f + psi is the origin."""
    basis = Basis()
    slope = basis.vector("h*")
    f = Unknown(basis, "f", ConvexFunctions(constants["mu_f"], constants["L_f"]), slope)
    psi = Unknown(basis, "psi", ConvexFunctions(), -slope)
    f.know(ORIGIN, slope, NOTHING, "*")
    psi.know(ORIGIN, -slope, NOTHING, "*")
    return basis, f, psi


def expectation(branches: Sequence[Branch], read: Any) -> Form:
    """sum over the branches of probability times read(state)."""
    return sum((read(branch.state) * branch.probability for branch in branches), start=NOTHING)


__all__ = ["AnyFunctions", "FiniteSum", "State", "composite", "expectation"]
