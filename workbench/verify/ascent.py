"""Worse states for a step claim: gradient ascent on log(E[measured] / bound)."""

from typing import Any

import torch
from torch import Tensor

from workbench.expressions import Evaluator
from workbench.match import Case
from workbench.verify.claim import asked_where
from workbench.verify.enumeration import averaged, steps_from
from workbench.verify.reading import numbers_of
from workbench.verify.states import Pool, setting_of

FIRST, GROWTH, SHRINK = 0.1, 1.5, 0.3
"""The first move, relative to the size of a field, and how it changes where a move helped or did not."""


def climbed(case: Case, pool: Pool, steps: int) -> Pool:
    """States at which the claim is at least as tight; the fields of ``movable`` move.

    Each state keeps the best it has seen. A method or problem that autograd cannot follow stays where it is.
    """
    names = movable(case.methods[0].free, pool.state)
    if not names:
        return pool
    move = torch.full((len(pool.k),), FIRST, dtype=torch.float64)
    best, direction = _uphill(case, pool, names)
    for _ in range(steps):
        trial = _moved(pool, direction, move)
        found, slope = _uphill(case, trial, names)
        better = found > best
        pool = _chosen(better, trial, pool)
        best = torch.where(better, found, best)
        direction = {n: torch.where(_rows(better, d), slope[n], d) for n, d in direction.items()}
        move = torch.where(better, move * GROWTH, move * SHRINK)
    return pool


def movable(free: tuple[str, ...], state: Any) -> tuple[str, ...]:
    """Fields that may be moved: the free ones; x too where no other number of the state can hang on it."""
    numbers = {name for name, field in zip(state._fields, state, strict=True) if field.is_floating_point()}
    alone = numbers <= {"x", *free}
    return tuple(name for name in state._fields if name in free or (alone and name == "x"))


def _uphill(case: Case, pool: Pool, names: tuple[str, ...]) -> tuple[Tensor, dict[str, Tensor]]:
    """log(E[measured] / bound) at every state, -inf outside the domain, and its gradient in each field."""
    free = {n: getattr(pool.state, n).detach().requires_grad_() for n in names}
    with torch.enable_grad():
        setting = setting_of(case, pool)
        pairs = steps_from(case, Pool(pool.state._replace(**free), pool.k), setting)
        found = numbers_of(case, pairs, errors=False)
        values = Evaluator(found.values, 1)
        shape = pairs.lost.shape
        measured = averaged(values(case.theorem.measured).expand(shape)[:, 0], pairs)
        bound = values(case.theorem.bound).expand(shape)[:, 0].reshape(pairs.rows, -1)[:, 0]
        height = measured.log() - bound.log()
        height = torch.where(height.isfinite(), height, -torch.inf)
        finite = height[height.isfinite()]
        slopes: list[Tensor | None] = [None] * len(names)
        if len(finite) and finite.requires_grad:
            slopes = list(torch.autograd.grad(finite.sum(), list(free.values()), allow_unused=True))
    asked = asked_where(case, found, pairs.lost)[:, 0].reshape(pairs.rows, -1).all(-1) & setting.rows
    height = torch.where(asked, height.detach(), -torch.inf)
    found_slopes = zip(names, slopes, free.values(), strict=True)
    return height, {n: torch.zeros_like(f) if g is None else g.nan_to_num(0.0) for n, g, f in found_slopes}


def _moved(pool: Pool, direction: dict[str, Tensor], move: Tensor) -> Pool:
    """Each field moved uphill by ``move`` times its own size."""
    fields = {}
    for name, slope in direction.items():
        field = getattr(pool.state, name).detach()
        size, length = (t.flatten(1).norm(dim=1) for t in (field, slope))
        unit = torch.where(length > 0, size.clamp(min=1e-12) * move / length, 0.0)
        fields[name] = field + _rows(unit, field) * slope
    return Pool(pool.state._replace(**fields), pool.k)


def _chosen(better: Tensor, one: Pool, other: Pool) -> Pool:
    fields = (torch.where(_rows(better, a), a, b) for a, b in zip(one.state, other.state, strict=True))
    return Pool(type(one.state)(*fields), one.k)


def _rows(values: Tensor, like: Tensor) -> Tensor:
    return values.reshape(-1, *([1] * (like.dim() - 1)))
