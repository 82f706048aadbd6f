"""Quick numbers of figures, computed once in a process, whichever test asks for them."""

from functools import cache

from figures import Numbers
from figures.recipe import Recipe


@cache
def computed(kind: type[Recipe], seed: int = 0) -> Numbers:
    """Of one recipe."""
    return kind().compute(seed=seed)
