"""A finished block as quantities see it: states, hyperparameters, the error of x, cumulative costs."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from assumptions import Norm
from problems.base import Problem
from workbench.methods.base import Method
from workbench.quantities import Reading

EPS = torch.finfo(torch.float64).eps


def read_block(
    problem: Problem,
    method: Method,
    states: Sequence[Any],
    stated: Tensor,
    tables: Mapping[str, Tensor],
    kept: list[int],
    norm: Norm,
) -> Reading:
    """The recorded steps; every field (batch, len(kept), ...)."""
    thin = {name: t[:, kept] for name, t in tables.items()}
    return Reading(
        problem,
        method.with_values(measuring(method, thin)),
        type(states[0])(*(torch.stack([states[k][i] for k in kept], 1) for i in range(len(states[0])))),
        norm,
        x_error(problem, stated, torch.stack([s.x for s in states], 1))[:, kept],
        None if len(kept) == len(states) else torch.stack([states[max(k - 1, 0)].x for k in kept], 1),
    )


def measuring(method: Method, tables: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Hyperparameters as quantities see them: (batch, K + 1 or 1, 1)."""
    fixed = {name: getattr(method, name) for name in method.fields()}
    shaped = {n: v[:, None] for n, v in fixed.items() if isinstance(v, Tensor) and v.dim() == 2}
    return {**shaped, **tables}


def x_error(problem: Problem, stated: Tensor, x: Tensor) -> Tensor:
    """Rounding and the stated error of the oracles, both added up over the steps so far; (batch, K + 1)."""
    size = x.norm(dim=-1).nan_to_num(0.0).cummax(1).values
    if problem.offers("x_star"):
        size = size + problem.x_star.norm()  # pyright: ignore[reportAttributeAccessIssue]
    k = torch.arange(x.shape[1], dtype=x.dtype, device=x.device)
    return (8 + k) * EPS * size + stated.cumsum(1)


def cumulative(costs: list[Any], seconds: list[float], rows: int, kept: list[int]) -> dict[str, Tensor]:
    """Cumulative cost before each recorded step, unit by unit; (replicates, len(kept))."""
    units = dict.fromkeys(unit for spent in costs for unit in spent)
    zero = torch.zeros(rows, dtype=torch.float64)
    table = {u: torch.stack([spent.get(u, zero) for spent in costs], 1).cumsum(1)[:, kept] for u in units}
    table["seconds"] = torch.tensor(seconds, dtype=torch.float64)[kept].expand(rows, -1)
    return table
