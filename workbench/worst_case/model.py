"""Functions as a programme sees them: unknown points, gradients and values, tied by a class."""

from flint import fmpq

from workbench.worst_case.classes import BoundedIndicators, FunctionClass, Sample, SmoothFunctions
from workbench.worst_case.gram import NOTHING, ORIGIN, Basis, Form, Vector


class Unknown:
    """A function of a class, known where it was asked; plays ``Oracles`` of a chain.

    name    prefix of its vectors and values in the basis
    offset  added to every new gradient: with offset the gradient at a minimiser of f + h, the squares of long
            gradients cancel in every condition (``programme`` then treats their products as free numbers)
    """

    def __init__(self, basis: Basis, name: str, kind: FunctionClass, offset: Vector = ORIGIN) -> None:
        """Nothing known yet."""
        self.basis, self.name, self.kind, self.offset = basis, name, kind, offset
        self.samples: list[Sample] = []
        self._known: dict[object, Sample] = {}
        self.f_star: Form | None = None

    def know(self, x: Vector, g: Vector, f: Form, name: str) -> Sample:
        """Record a subgradient and the value at x."""
        sample = Sample(f"{self.name}{name}", x, g, f)
        self.samples.append(sample)
        self._known.setdefault(x.key(), sample)
        return sample

    def at(self, x: Vector) -> Sample:
        """The sample at x; a new one where the function was not asked."""
        known = self._known.get(x.key())
        return known if known is not None else self._fresh(x)

    def gradient(self, x: Vector) -> tuple[Vector, Form]:
        """A (sub)gradient and the value at x; the same at equal points."""
        sample = self.at(x)
        return sample.g, sample.f

    def prox(self, x: Vector, stepsize: fmpq) -> tuple[Vector, Vector, Form]:
        """x_next = x - stepsize g, g a new subgradient at x_next; x_next, g and the value there."""
        g, f, name = self._new()
        x_next = x - stepsize * g
        self.know(x_next, g, f, name)
        return x_next, g, f

    def lmo(self, direction: Vector) -> Vector:
        """A new point s of the domain with -direction normal to it at s."""
        name = str(len(self.samples))
        point = self.basis.vector(f"{self.name}s{name}")
        self.know(point, -direction, NOTHING, name)
        return point

    def conditions(self) -> dict[str, Form]:
        """All conditions of the class on the samples, and that ``f_star``, if set, is a lower bound."""
        found = dict(self.kind.conditions(self.samples))
        if self.f_star is not None and isinstance(self.kind, SmoothFunctions):
            found |= dict(self.kind.above(self.samples, self.f_star))
        return found

    def _new(self) -> tuple[Vector, Form, str]:
        name = str(len(self.samples))
        g = self.basis.vector(f"{self.name}g{name}") + self.offset
        return g, self.basis.value(f"{self.name}f{name}"), name

    def _fresh(self, x: Vector) -> Sample:
        if isinstance(self.kind, BoundedIndicators):
            return self.know(x, ORIGIN, NOTHING, str(len(self.samples)))
        g, f, name = self._new()
        return self.know(x, g, f, name)
