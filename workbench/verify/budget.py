"""How much is run: counts, never seconds, so that verdicts do not depend on the machine."""

from dataclasses import dataclass

from assumptions.guards import require_dimension
from assumptions.specification import Specified


@dataclass(frozen=True)
class Budget(Specified):
    """How far a claim is tried. Counts are integers >= 1, ValueError otherwise.

    name        in tables and records
    steps       of a run                         starts  of a claim about every run
    replicates  of a claim about a mean, at most; they stop earlier where more would tell little
    states      of a step claim                  ascent  steps of the search for its worst states
    pairs       states times outcomes, and leaves of a tree of draws, at most
    first_only  one instance per family, the first rules only
    """

    name: str
    steps: int
    starts: int
    first_only: bool = False
    replicates: int = 4096
    states: int = 256
    ascent: int = 40
    pairs: int = 2**17

    def __post_init__(self) -> None:
        """Counts are positive."""
        require_dimension(
            steps=self.steps,
            starts=self.starts,
            replicates=self.replicates,
            states=self.states,
            ascent=self.ascent,
            pairs=self.pairs,
        )

    @property
    def horizons(self) -> tuple[int, ...]:
        """Values of K for claims that mention it."""
        return tuple(sorted({1, max(1, self.steps // 5), self.steps}))


QUICK = Budget("quick", 50, 64, first_only=True, replicates=64, states=64, ascent=4, pairs=2**13)
DEFAULT = Budget("default", 200, 64, replicates=1024)
FULL = Budget("full", 500, 256, replicates=2**16, states=2048, ascent=100, pairs=2**20)


def of_mutant(steps: int) -> Budget:
    """What a false variant is tried with, whatever the theorem is: its instance is known to refute it."""
    return Budget("mutant", steps, starts=1, states=QUICK.states, pairs=2**14)
