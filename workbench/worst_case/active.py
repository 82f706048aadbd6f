"""A programme solved with few of its constraints: those between neighbours first, the violated ones after."""

from dataclasses import replace

import numpy as np

from workbench.worst_case import conic
from workbench.worst_case.conic import Solution
from workbench.worst_case.gram import Form
from workbench.worst_case.programme import Programme, ProgrammeError

FEW = 60
"""So many constraints are solved at once."""
VIOLATED = 1e-9
"""What a constraint may be missed by."""
ROUNDS = 6
"""After so many rounds of adding the violated ones all are taken."""


def solve(
    programme: Programme, inside: float = 0.0, above: float = 0.0, equilibrate: bool = True
) -> Solution:
    """As ``conic.solve``, with multiplier 0 for constraints that the optimum meets without being asked.

    Fewer constraints can only raise the maximum, so an optimum of some that meets all is one of all; and
    multipliers of some prove an upper bound of all.
    """
    names = list(programme.constraints)
    kept = {n for n, form in programme.constraints.items() if _near(form)}
    if len(names) <= FEW or len(kept) == len(names):
        return conic.solve(programme, inside, above, equilibrate)
    values = _Values(programme)
    for _ in range(ROUNDS):
        part = replace(programme, constraints={n: programme.constraints[n] for n in names if n in kept})
        try:
            found = conic.solve(part, inside, above, equilibrate)
        except ProgrammeError:
            break
        missed = values.of(found) + inside
        missed[[n in kept for n in names]] = -np.inf
        if missed.max() <= VIOLATED:
            return replace(found, multipliers=_spread(found.multipliers, kept, names))
        worst = np.argsort(-missed)[: len(kept)]
        kept |= {names[i] for i in worst if missed[i] > VIOLATED}
    return conic.solve(programme, inside, above, equilibrate)


def _near(form: Form) -> bool:
    """True unless it relates function values that were not added one after the other."""
    return len(form.lin) < 2 or max(form.lin) - min(form.lin) <= 1


def _spread(multipliers: np.ndarray, kept: set[str], names: list[str]) -> np.ndarray:
    """(constraints,), zero where one was left out."""
    spread = np.zeros(len(names))
    spread[[n in kept for n in names]] = multipliers
    return spread


class _Values:
    """The constraints as rows over what a solution holds."""

    def __init__(self, programme: Programme) -> None:
        columns = conic.Columns(programme)
        self.rows, self.constants = conic.form_rows(columns, list(programme.constraints.values()))
        self.columns = columns

    def of(self, solution: Solution) -> np.ndarray:
        """(constraints,): the value of each, which should be <= 0."""
        gram = conic.svec(self.columns, solution.gram)
        unknowns = np.concatenate([gram, solution.values, solution.products, [0.0]])
        return self.rows @ unknowns + self.constants
