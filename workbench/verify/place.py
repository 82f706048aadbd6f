"""Where in a run something was found, with what reruns it."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from workbench.match import Case


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


def hyperparameters(solved: Mapping[str, Tensor], row: int, k: int) -> dict[str, float]:
    """The numbers of one replicate at one step; tables (batch or 1, K + 1 or 1), those with axes left out."""
    return {n: float(_entry(v, row, k)) for n, v in solved.items() if v.dim() == 2}


def _entry(table: Tensor, row: int, k: int) -> Tensor:
    return table[min(row, table.shape[0] - 1), min(k, table.shape[1] - 1)]
