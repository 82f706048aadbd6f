"""Increasing functions of the Euclidean distance to a point."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from assumptions.guards import require_dimension
from problems.arguments import require_start
from problems.oracle_guards import require_vector
from problems.profiles import PROFILES, Profile
from problems.radial_problem import RadialProblem
from problems.space import Choice, Integers, Range


@dataclass(frozen=True)
class EuclideanNorm(RadialProblem):
    """f(x) = phi(|x - c|), |.| Euclidean, phi increasing on r >= 0 with phi(0) = 0.

    d: dimension. center: c, (d,), 0 if empty. profile: the name of phi: "identity" r, "half-square"
    r^2 / 2, "quartic" r^4 / 4, "pseudo-huber" sqrt(1 + r^2) - 1, "log" log(1 + r). All but "log" are
    convex. start: overrides x0, by default c + (5, ..., 5). ValueError otherwise. Source: definition.

    A minimiser over a ball is the same for every phi: the point of the ball nearest to c. Where phi or
    phi' overflows ("quartic" beyond r = 1e77 and 1e102), f is inf and residuals are nan.
    """

    d: int = 2  # pyright: ignore[reportIncompatibleMethodOverride]
    center: tuple[float, ...] = ()
    profile: str = "identity"
    start: tuple[float, ...] = ()

    space: ClassVar[Mapping[str, Range]] = {"d": Integers(1, 6), "profile": Choice(tuple(PROFILES))}

    def __post_init__(self) -> None:
        """Check the arguments."""
        require_dimension(d=self.d)
        if self.center:
            object.__setattr__(self, "center", require_vector("center", self.center, self.d))
        if self.profile not in PROFILES:
            raise ValueError(f"profile must be one of {', '.join(PROFILES)}, got {self.profile!r}")
        require_start(self.start, self.d)

    @property
    def _phi(self) -> Profile:
        return PROFILES[self.profile]
