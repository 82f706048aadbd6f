"""Where in a run something was found, with what reruns it."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from workbench.match import Case
from workbench.verify.claim import Comparison


def described(case: Case, seed: int, horizon: int) -> dict[str, Any]:
    """The case as a witness names it."""
    return {
        "theorem": case.theorem.id,
        "norm": repr(case.norm),
        "problem": repr(case.problem),
        "methods": [m.__name__ for m in case.methods],
        "rules": {name: str(rule) for name, rule in case.rules.items()},
        "certificates": [repr(c.assumption) for c in case.certificates],
        "seed": seed,
        "horizon": horizon,
    }


def found_at(
    case: Case, c: Comparison, entry: tuple[int, int], solved: Mapping[str, Tensor], k: int, **more: Any
) -> dict[str, Any] | None:
    """The entry (row, column) of a comparison that speaks of step k, enough to rerun it; None if not asked.

    more: ``seed`` and ``horizon``, and what the kind of claim needs beside them.
    """
    row, column = entry
    if not bool(c.asked[row, column]):
        return None
    return {
        **described(case, more.pop("seed"), more.pop("horizon")),
        "k": k,
        "measured": float(c.measured[row, column]),
        "bound": float(c.bound[row, column]),
        "tolerance": float(c.tolerance[row, column]),
        "hyperparameters": hyperparameters(solved, row, k),
        **more,
    }


def hyperparameters(solved: Mapping[str, Tensor], row: int, k: int) -> dict[str, float]:
    """The numbers of one replicate at one step; tables (batch or 1, K + 1 or 1), those with axes left out."""
    return {n: float(_entry(v, row, k)) for n, v in solved.items() if v.dim() == 2}


def _entry(table: Tensor, row: int, k: int) -> Tensor:
    return table[min(row, table.shape[0] - 1), min(k, table.shape[1] - 1)]
