"""Every run of a few steps: the whole tree of draws from one start, with its probabilities."""

import math
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from workbench.match import Case
from workbench.measure import read_walk
from workbench.methods.base import Method
from workbench.stretch import finite
from workbench.verify.claim import Comparison, compare
from workbench.verify.enumeration import listed, outcomes_of, repeated, tiled
from workbench.verify.environment import Numbers, named
from workbench.verify.reading import read_all
from workbench.verify.setting import Setting, numbers_in, set_up
from workbench.verify.states import shaped
from workbench.walk import Walk

FLOATS = 2**24
"""Numbers that the states of a tree may hold."""


class Tree(NamedTuple):
    """Every run of ``steps`` steps. weights: (leaves,); comparison and numbers: (leaves, steps + 1)."""

    steps: int
    weights: Tensor
    comparison: Comparison
    numbers: Numbers
    setting: Setting


def depth(case: Case, leaves: int, most: int) -> int:
    """Steps of a tree of at most so many leaves, at most ``most``; 0 if there is none."""
    setting = set_up(case, case.problem.x0[None], 1)
    method, _ = setting.methods()[0]
    size = outcomes_of(method.draws(case.problem))
    if size == 1:
        return most
    if size > leaves:
        return 0
    try:
        state = method.init(case.problem, setting.x0, SimpleNamespace())
    except AttributeError:
        return 0  # the first state is random too
    room = min(leaves, FLOATS // (numbers_in(state) * 4))
    return min(most, int(math.log(room) / math.log(size) + 1e-9)) if room >= size else 0


def grown(case: Case, steps: int) -> Tree:
    """The tree from the problem's own start."""
    setting = set_up(case, case.problem.x0[None], steps)
    method, tables = setting.methods()[0]
    changing = shaped(tables)
    with torch.no_grad():
        walked, weights = _walked(case, method, changing, setting.first_states(), steps)
        reading = read_walk(case.problem, method, walked, changing, case.norm)
        alive = torch.stack([finite(state) for state in walked.states], 1)
        read = read_all(case, reading, ~alive)
        found = named(case, {**setting.known, **setting.solved}, read, reading.x, ~alive, method)
        comparison = compare(case, found, torch.ones(len(weights), dtype=torch.bool))
    return Tree(steps, weights, comparison, found, setting)


def _walked(
    case: Case, base: Method, changing: dict[str, Tensor], start: Any, steps: int
) -> tuple[Walk, Tensor]:
    """One step after the other, each run split into all outcomes of it that have a probability.

    Returns all runs, a row each, and their probabilities, (leaves,).
    """
    problem, weights = case.problem, torch.ones(1, dtype=torch.float64)
    states, stated, costs = [start], [torch.zeros_like(weights)], [dict[str, Tensor]()]
    for k in range(steps):
        method = base.with_values({name: t[:, k] for name, t in changing.items()})
        draws, chances = listed(method.draws(problem))
        likely = chances.flatten() > 0
        chances, rows = chances.flatten()[likely], len(weights)
        state = repeated(states[-1], len(chances))
        draw = SimpleNamespace(**{n: tiled(v[likely], rows) for n, v in draws.items()})
        new = method.step(problem, state, draw)
        costs.append(dict(method.cost(problem, state, draw)))
        weights = (weights[:, None] * chances).flatten()
        stated.append(torch.zeros_like(weights) + method.x_error(problem, state, new))
        states.append(new)
    return _side_by_side(states, stated, costs, len(weights)), weights


def _side_by_side(
    states: list[Any], stated: list[Tensor], costs: list[dict[str, Tensor]], leaves: int
) -> Walk:
    """Every run with all its steps: what was before a step split is repeated."""

    def until(each: Sequence[Tensor]) -> Tensor:
        spread = [t.repeat_interleave(leaves // t.shape[0], 0) for t in each]
        return torch.stack(spread, 1).cumsum(1)

    whole = [type(s)(*(f.repeat_interleave(leaves // f.shape[0], 0) for f in s)) for s in states]
    units = dict.fromkeys(unit for spent in costs for unit in spent)
    nothing = stated[0]
    return Walk(
        kept=list(range(len(states))),
        states=whole,
        before=None,
        stated=until(stated),
        reach=torch.stack([s.x.norm(dim=-1).nan_to_num(0.0) for s in whole], 1).cummax(1).values,
        costs={unit: until([spent.get(unit, nothing) for spent in costs]) for unit in units},
        seconds=torch.zeros(len(states), dtype=torch.float64),
        diverged_at=torch.full((leaves,), -1),
    )


def expected(tree: Tree) -> Comparison:
    """The claim about the mean: measured and tolerance averaged over all runs, (1, steps + 1)."""
    each, w = tree.comparison, tree.weights[:, None]
    return Comparison(
        measured=(w * each.measured).sum(0, keepdim=True),
        bound=each.bound[:1],
        tolerance=(w * each.tolerance).sum(0, keepdim=True),
        asked=each.asked.all(0, keepdim=True),
        lost=each.lost.any(0, keepdim=True),
    )
