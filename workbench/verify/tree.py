"""Every run of a few steps: the whole tree of draws from one start, with its probabilities."""

import math
from types import SimpleNamespace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from workbench.match import Case
from workbench.measure import cumulative, read_block
from workbench.methods.base import Method
from workbench.stretch import finite
from workbench.verify.claim import Comparison, compare
from workbench.verify.enumeration import listed, outcomes_of, repeated, tiled
from workbench.verify.environment import Numbers, named
from workbench.verify.reading import read_all
from workbench.verify.setting import Setting, set_up
from workbench.verify.states import shaped

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
    floats = sum(f[0].numel() for f in state)
    room = min(leaves, FLOATS // (floats * 4))
    return min(most, int(math.log(room) / math.log(size) + 1e-9)) if room >= size else 0


class _Walked(NamedTuple):
    """All runs. states: one a step, fields (leaves, ...); stated: errors of oracles, (leaves, steps + 1)."""

    states: list[Any]
    stated: Tensor
    costs: list[dict[str, Tensor]]
    weights: Tensor


def grown(case: Case, steps: int) -> Tree:
    """The tree from the problem's own start."""
    setting = set_up(case, case.problem.x0[None], steps)
    method, tables = setting.methods()[0]
    changing, every = shaped(tables), list(range(steps + 1))
    with torch.no_grad():
        walked = _walked(case, method, changing, setting.first_states(), steps)
        leaves = len(walked.weights)
        reading = read_block(case.problem, method, walked.states, walked.stated, changing, every, case.norm)
        costs = cumulative(walked.costs, [0.0] * (steps + 1), leaves, every)
        alive = torch.stack([finite(state) for state in walked.states], 1)
        read = read_all(case, reading._replace(costs=costs), ~alive)
        found = named(case, {**setting.known, **setting.solved}, read, reading.x, ~alive, method)
        comparison = compare(case, found, torch.ones(leaves, dtype=torch.bool))
    return Tree(steps, walked.weights, comparison, found, setting)


def _walked(case: Case, base: Method, changing: dict[str, Tensor], start: Any, steps: int) -> _Walked:
    """One step after the other, each run split into all outcomes of it that have a probability."""
    problem, weights = case.problem, torch.ones(1, dtype=torch.float64)
    states = [start]
    stated, costs = [torch.zeros_like(weights)], [dict[str, Tensor]()]
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
    leaves = len(weights)

    def spread(t: Tensor) -> Tensor:
        return t.repeat_interleave(leaves // t.shape[0], 0)

    return _Walked(
        [type(s)(*map(spread, s)) for s in states],
        torch.stack([spread(e) for e in stated], 1),
        [{unit: spread(c) for unit, c in each.items()} for each in costs],
        weights,
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
