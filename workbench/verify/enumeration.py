"""Every outcome of one step from many states: what a claim says of each, averaged exactly."""

import math
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from workbench.draws import Space
from workbench.match import Case
from workbench.measure import measuring, x_error
from workbench.methods.base import Method
from workbench.quantity import Reading
from workbench.stretch import finite
from workbench.verify.claim import Comparison, compare
from workbench.verify.environment import Numbers, make_method, used_quantities
from workbench.verify.reading import Pairs, numbers_of
from workbench.verify.setting import NotApplicableError, Setting, numbers_in
from workbench.verify.states import Pool, setting_of, shaped

FLOATS = 2**23
"""About as many floats of states exist at once."""

FEWEST = 4
"""States at which a step claim is tried at least, or it is not applicable for want of room."""

ORDINARY, SUMMED = 64, 16
"""Numbers in an ordinary state; a larger one counts as several. As to data, 16 numbers count as one."""


class Listed(NamedTuple):
    """All draws of a step, fields (size, ...), and their probabilities, (size,) or (rows, size)."""

    draws: dict[str, Tensor]
    weights: Tensor


def outcomes_of(spaces: Mapping[str, Space]) -> float:
    """How many outcomes a step has; inf where they cannot be listed."""
    return math.prod(space.size for space in spaces.values())


def listed(spaces: Mapping[str, Space]) -> Listed:
    """The product of the spaces."""
    draws: dict[str, Tensor] = {}
    weights = torch.ones(1, dtype=torch.float64)
    for name, space in spaces.items():
        values, chances = space.outcomes()
        size = weights.shape[-1]
        draws = {n: v.repeat_interleave(len(values), 0) for n, v in draws.items()}
        draws[name] = tiled(values, size)
        weights = (weights.unsqueeze(-1) * chances.unsqueeze(-2)).flatten(-2)
    return Listed(draws, weights)


def require_room(case: Case, method: Method, pool: Pool, pairs: int) -> int:
    """How many states fit into ``pairs`` pairs of state and outcome, the larger the state the fewer.

    NotApplicableError where even ``FEWEST`` small ones do not.
    """
    size = outcomes_of(method.draws(case.problem))
    if size * FEWEST > pairs:
        said = "infinitely many" if size == math.inf else f"{size:.4g}"
        raise NotApplicableError(f"a step has {said} outcomes, at most {pairs // FEWEST} are enumerated")
    of_terms = any(quantity.of_terms for quantity in used_quantities(case).values())
    data = case.problem.n_terms * case.problem.d / (1 if of_terms else SUMMED)
    return max(FEWEST, int(pairs / (size * max(1.0, max(numbers_in(pool.state), data) / ORDINARY))))


def steps_from(case: Case, pool: Pool, setting: Setting) -> Pairs:
    """Take one step from each state with each outcome; ``setting`` is that of the pool."""
    problem, rows = case.problem, len(pool.k)
    tables = {n: _at_steps(t, pool.k) for n, t in setting.solved.items()}
    method, _ = make_method(
        case.methods[0], {n: t[:, :1] for n, t in tables.items()}, case.norm, case.options
    )
    draws, weights = listed(method.draws(problem))
    size = weights.shape[-1]

    def spread(t: Tensor) -> Tensor:
        return t if t.shape[0] == 1 else t.repeat_interleave(size, 0)

    fixed = {n: getattr(method, n) for n in method.fields()}
    method = method.with_values(
        {n: spread(v) for n, v in fixed.items() if isinstance(v, Tensor) and v.dim() == 2}
    )
    state = repeated(pool.state, size)
    draw = SimpleNamespace(**{n: tiled(v, rows) for n, v in draws.items()})
    spent = method.cost(problem, state, draw)
    new = method.step(problem, state, draw)
    both = type(new)(*(torch.stack([a, b], 1) for a, b in zip(state, new, strict=True)))
    stated = torch.zeros_like(both.x[..., 0])
    stated[:, 1] = method.x_error(problem, state, new)
    changing = {n: spread(t) for n, t in shaped(tables).items() if t.shape[1] > 1}
    reading = Reading(
        problem,
        method.with_values(measuring(method, changing)),
        both,
        case.norm,
        x_error(problem, stated.detach(), both.x.detach()),
        costs={unit: torch.stack([torch.zeros_like(c), c], 1) for unit, c in spent.items()},
    )
    known = {n: spread(_at_steps(t, pool.k)) for n, t in {**setting.known, **setting.solved}.items()}
    alive = finite(new)
    return Pairs(reading, known, torch.stack([torch.zeros_like(alive), ~alive], 1), rows, weights)


def _at_steps(table: Tensor, k: Tensor) -> Tensor:
    """Entries k and k + 1 of each row: (rows or 1, K + 1 or 1, *axes) -> (rows or 1, 2 or 1, *axes)."""
    if table.shape[1] == 1:
        return table
    two = torch.stack([k, k + 1], 1)
    return table.expand(len(k), *table.shape[1:])[torch.arange(len(k))[:, None], two]


def repeated(state: Any, times: int) -> Any:
    """Each row so many times in succession."""
    return type(state)(*(f.repeat_interleave(times, 0) for f in state))


def tiled(draws: Tensor, times: int) -> Tensor:
    """All draws, again and again."""
    return draws.repeat(times, *([1] * (draws.dim() - 1)))


def averaged(values: Tensor, pairs: Pairs) -> Tensor:
    """Mean over the outcomes; what has no probability does not count. (rows * size,) -> (rows,)."""
    table = values.reshape(pairs.rows, -1)
    return torch.where(pairs.weights > 0, pairs.weights * table, 0.0).sum(-1)


class Judged(NamedTuple):
    """The claim at every state of a pool, and what it was read from."""

    comparison: Comparison
    numbers: Numbers
    setting: Setting
    x: Tensor


def judged(case: Case, pool: Pool) -> Judged:
    """Both sides at each state, (rows, 1); x: (rows, 2, d), each state's iterate and one next."""
    setting = setting_of(case, pool)
    with torch.no_grad():
        pairs = steps_from(case, pool, setting)
        found = numbers_of(case, pairs)
        each = compare(case, found, torch.ones(len(pairs.lost), dtype=torch.bool))
    likely = torch.where(pairs.weights > 0, True, False)

    def every(flags: Tensor) -> Tensor:
        return (flags[:, 0].reshape(pairs.rows, -1) | ~likely).all(-1)

    asked = every(each.asked) & setting.rows
    comparison = Comparison(
        measured=averaged(each.measured[:, 0], pairs)[:, None],
        bound=each.bound[:, 0].reshape(pairs.rows, -1)[:, :1],
        tolerance=averaged(each.tolerance[:, 0], pairs)[:, None],
        asked=asked[:, None],
        lost=~every(~each.lost)[:, None],
    )
    size = pairs.weights.shape[-1]
    some = torch.arange(pairs.rows) * size + torch.arange(pairs.rows) % size
    return Judged(comparison, found, setting, found.x[some])


def chunks(pool: Pool, size: float) -> list[Pool]:
    """Parts of a pool whose steps fit into memory."""
    rows = max(1, int(FLOATS / (8 * size * (numbers_in(pool.state) + 1)))) if len(pool.k) else 1
    return [pool.at(slice(low, low + rows)) for low in range(0, len(pool.k), rows)]


def state_fields(pool: Pool, row: int) -> dict[str, Any]:
    """One state as plain numbers, its step too."""
    values = {n: f[row].tolist() for n, f in zip(pool.state._fields, pool.state, strict=True)}
    return {**values, "k": int(pool.k[row])}
