"""How much is run: counts, never seconds, so that verdicts do not depend on the machine."""

from dataclasses import dataclass

from assumptions.guards import require_dimension
from assumptions.specification import Specified


@dataclass(frozen=True)
class Budget(Specified):
    """steps of a run; starts of a deterministic method; first_only: one instance per family, first rules."""

    name: str
    steps: int
    starts: int
    first_only: bool = False

    def __post_init__(self) -> None:
        """Counts are positive."""
        require_dimension(steps=self.steps, starts=self.starts)

    @property
    def horizons(self) -> tuple[int, ...]:
        """Values of K for claims that mention it."""
        return tuple(sorted({1, max(1, self.steps // 5), self.steps}))


QUICK = Budget("quick", steps=50, starts=64, first_only=True)
DEFAULT = Budget("default", steps=200, starts=64)
FULL = Budget("full", steps=500, starts=256)
