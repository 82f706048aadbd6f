"""A finished block as quantities see it: states, hyperparameters, the error of x, cumulative costs."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from assumptions import Norm
from assumptions.base import EPS
from problems.base import Problem
from workbench.methods.base import Method
from workbench.quantity import Reading
from workbench.walk import Walk


def read_walk(
    problem: Problem, method: Method, walked: Walk, tables: Mapping[str, Tensor], norm: Norm
) -> Reading:
    """The recorded steps of a walk; every field (batch, len(kept), ...)."""
    k = torch.tensor(walked.kept, dtype=walked.reach.dtype, device=walked.reach.device)
    thin = {name: t[:, walked.kept] for name, t in tables.items()}
    return Reading(
        problem,
        method.with_values(measuring(method, thin)),
        _side_by_side(walked.states),
        norm,
        _drift(problem, walked.stated, walked.reach, k),
        None if walked.before is None else torch.stack(walked.before, 1),
        {unit: spent.to(walked.reach.device) for unit, spent in walked.costs.items()},
    )


def _side_by_side(states: Sequence[Any]) -> Any:
    """One state whose fields have the steps as their second axis."""
    return type(states[0])(*(torch.stack(fields, 1) for fields in zip(*states, strict=True)))


def measuring(method: Method, tables: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Hyperparameters as quantities see them: (batch, K + 1 or 1, 1)."""
    fixed = {name: getattr(method, name) for name in method.fields()}
    shaped = {n: v[:, None] for n, v in fixed.items() if isinstance(v, Tensor) and v.dim() == 2}
    return {**shaped, **tables}


def x_error(problem: Problem, stated: Tensor, x: Tensor) -> Tensor:
    """Rounding and the stated error of the oracles, both added up over the steps so far; (batch, K + 1)."""
    reach = x.norm(dim=-1).nan_to_num(0.0).cummax(1).values
    k = torch.arange(x.shape[1], dtype=x.dtype, device=x.device)
    return _drift(problem, stated.cumsum(1), reach, k)


def _drift(problem: Problem, stated: Tensor, reach: Tensor, k: Tensor) -> Tensor:
    """8 + k roundings of the largest |x| so far and |x_star|, and what was stated so far."""
    if problem.offers("x_star"):
        reach = reach + problem.x_star.norm()  # pyright: ignore[reportAttributeAccessIssue]
    return (8 + k) * EPS * reach + stated
