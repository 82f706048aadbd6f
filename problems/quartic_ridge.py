"""Fourth power of an affine function."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from problems.curved_ridge import LinkRidge
from problems.ridge import AttainedRidge
from problems.scalar_root import cubic_split
from problems.space import Range, Uniform, Vector


@dataclass(frozen=True)
class QuarticRidge(LinkRidge, AttainedRidge):
    """f(x) = (<a, x> - b)^4 / 4: convex, flat at its minimum, with no bound on its curvature.

    a: nonzero; with b, in units of f to the power 1/4. b: finite. start: overrides x0, by default the
    point x_star + a / |a|. ValueError otherwise. Source: definition.

    Neither Lipschitz nor smooth on the whole space; |grad f|^2 / f falls to 0 with f: not PL. |Hessian| <=
    4 |a|^2 + |a| |grad f|, and more generally 4 |a|^2 / c^2 + c |a| |grad f| for every c > 0.
    """

    a: tuple[float, ...]
    b: float = 0.0
    start: tuple[float, ...] = ()
    link: ClassVar[str] = "quartic"

    space: ClassVar[Mapping[str, Range]] = {"a": Vector(Uniform(-3.0, 3.0), 1, 5), "b": Uniform(-2.0, 2.0)}

    @property
    def interval(self) -> tuple[float, float]:
        """{0}."""
        return 0.0, 0.0

    def _shift(self, m: Tensor, k: Tensor) -> Tensor:
        """s - m = -k s^3, in parts of m."""
        return -m * cubic_split(m, k)[1]

    def _conjugate(self, slope: Tensor) -> Tensor:
        """(3/4) |r|^(4/3), attained at s^3 = r."""
        return 0.75 * slope.abs() ** (4 / 3)

    def conic(self, z: Any, cp: Any) -> Any:
        """(<a, z> - b)^4 / 4."""
        return cp.power(self._affine(z), 4) / 4
