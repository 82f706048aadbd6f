"""Point-SAGA: proximal steps on single terms of a finite sum, corrected by a table of their gradients."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from assumptions.base import EPS
from assumptions.guards import Number, require_dimension, require_positive
from assumptions.rounding import directions
from problems.arguments import column
from problems.base import Problem
from workbench.draws import Space, Subset
from workbench.methods.base import Method, ones
from workbench.methods.stochastic_gradient import require_minibatch
from workbench.quantity import Quantity, Reading


class TablePoint(NamedTuple):
    """An iterate, the last gradient found for each term, and which terms the last step drew.

    x: (*batch, d). G: (*batch, n, d). picked: bool (*batch, n).
    """

    x: Tensor
    G: Tensor
    picked: Tensor


def table_star(problem: Any) -> Tensor:
    """G_j*: gradients of the terms at x_star, or the problem's own subgradients with mean 0; (n, d)."""
    if problem.offers("star_grads"):
        return problem.star_grads
    if problem.n_terms == 1:  # a subgradient at a kink need not be 0
        return torch.zeros(1, problem.d, dtype=torch.float64)
    return problem.part_grads(problem.x_star)


def table_star_error(problem: Any) -> float:
    """Bound on the root mean square error of the rows of ``table_star``.

    Rounding; and, of gradients at an inexact x_star, their change when it moves by its error.
    """
    star = table_star(problem)
    rounding = 8 * EPS * float(star.square().sum(dim=-1).mean().sqrt())
    if problem.offers("star_grads"):
        return rounding + float(getattr(problem, "star_grads_error", 0.0))
    if problem.n_terms == 1:
        return 0.0
    length = problem.x_star_error + 8 * EPS * float(problem.x_star.norm())
    moves = directions(problem.d, problem.x_star) * length / problem.d**0.5
    changes = problem.part_grads(problem.x_star + moves) - star
    return rounding + 4 * float(changes.square().sum(dim=-1).mean(dim=-1).amax().sqrt())


def _read_table_error(r: Reading) -> Tensor:
    return (r.state.G - table_star(r.problem).to(r.x)).square().sum(dim=-1).mean(dim=-1).sqrt()


def _table_error_resolution(r: Reading, value: Tensor) -> Tensor:
    """An error e of a proximal point is e / stepsize in the table."""
    del value
    stepsize = torch.as_tensor(r.method.stepsize).to(r.x)
    stepsize = stepsize[..., 0] if stepsize.dim() else stepsize
    size = r.state.G.square().sum(dim=-1).mean(dim=-1).sqrt()
    return 8 * EPS * size + r.x_error / stepsize + table_star_error(r.problem)


@dataclass(frozen=True)
class PointSAGA(Method):
    """x_next = mean of y_j over a set S of minibatch terms, all sets equally likely; f the mean of its terms.

    z_j = x + stepsize (G_j - mean_i G_i),  y_j = prox_{stepsize f_j}(z_j),  G_j_next = (z_j - y_j) / stepsize

    for j in S; the other rows of the table G stay. stepsize > 0: units of squared x per unit of f; a float or
    (*batch, 1). minibatch: an integer in 1..n. ValueError otherwise. The table starts at 0.
    Source: Defazio (2016), A simple practical accelerated method for finite sums, arXiv:1602.02442,
    algorithm 1, which is minibatch 1; the mean over a set is ours.
    """

    stepsize: Number
    minibatch: int = 1
    needs: ClassVar[tuple[str, ...]] = ("batch_prox",)
    free: ClassVar[tuple[str, ...]] = ("G",)
    quantities: ClassVar[Mapping[str, Quantity | Callable[..., Tensor]]] = {
        "table_error": Quantity(
            "root mean square distance of the table from the gradients at the minimiser",
            r"\sqrt{\frac{1}{n} \sum_j \|G_{j,k} - G_j^\star\|^2}",
            _read_table_error,
            _table_error_resolution,
            lambda r, _: r.state.G.square().sum(dim=-1).mean(dim=-1).sqrt(),
            needs=("x_star",),
            unit="f / x",
            nonnegative=True,
        )
    }
    source: ClassVar[str] = "arXiv:1602.02442"

    def __post_init__(self) -> None:
        """Guard the hyperparameters."""
        require_positive(stepsize=self.stepsize)
        require_dimension(minibatch=self.minibatch)
        self.check_shapes()

    def draws(self, problem: Problem) -> Mapping[str, Space]:
        """The terms of the step, (*batch, minibatch) int64. ValueError for more of them than there are."""
        require_minibatch(problem.n_terms, self.minibatch)
        return {"j": Subset(problem.n_terms, self.minibatch)}

    def init(self, problem: Problem, x0: Tensor, draw: SimpleNamespace) -> TablePoint:
        """A table of zeros. x0: (*batch, d)."""
        del draw
        table = x0.new_zeros(*x0.shape[:-1], problem.n_terms, x0.shape[-1])
        return TablePoint(x0, table, table[..., 0] > 0)

    def step(self, problem: Problem, state: TablePoint, draw: SimpleNamespace) -> TablePoint:
        """draw.j: int64 (*batch, minibatch)."""
        rows = draw.j.unsqueeze(-1).expand(*draw.j.shape, state.x.shape[-1])
        table = state.G.expand(*draw.j.shape[:-1], *state.G.shape[-2:])
        stepsize = column(self.stepsize, state.x)
        stepsize = stepsize.unsqueeze(-1) if stepsize.dim() else stepsize
        mean = table.mean(dim=-2, keepdim=True)
        z = state.x.unsqueeze(-2) + stepsize * (table.gather(-2, rows) - mean)
        near: Any = problem.batch_prox
        y: Tensor = near(z, draw.j.unsqueeze(-1), _as_given(stepsize))
        picked = torch.zeros_like(table[..., 0], dtype=torch.bool).scatter(-1, draw.j, True)
        return TablePoint(y.mean(dim=-2), table.scatter(-2, rows, (z - y) / stepsize), picked)

    def x_error(self, problem: Problem, state: TablePoint, new: TablePoint) -> Tensor:
        """Rounding of z, to which the table adds, and the stated error of the proximal steps."""
        stepsize = column(self.stepsize, state.x)
        stepsize = stepsize.unsqueeze(-1) if stepsize.dim() else stepsize
        j = new.picked.nonzero()[:, -1].reshape(*state.x.shape[:-1], self.minibatch)
        rows = j.unsqueeze(-1).expand(*j.shape, state.x.shape[-1])
        old, fresh = state.G.gather(-2, rows), new.G.gather(-2, rows)
        z = state.x.unsqueeze(-2) + stepsize * (old - state.G.mean(dim=-2, keepdim=True))
        stated = problem.oracle_error(
            "batch_prox", z, _as_given(stepsize), z - stepsize * fresh, j.unsqueeze(-1)
        )
        sizes = [t.norm(dim=-1).amax(dim=-1, keepdim=True) for t in (z, state.G, fresh)]
        rounding = 8 * EPS * (sizes[0] + column(self.stepsize, state.x) * (sizes[1] + sizes[2]))
        return rounding[..., 0] + stated.mean(dim=-1)

    def cost(self, problem: Problem, state: TablePoint, draw: SimpleNamespace) -> Mapping[str, Tensor]:
        """One proximal call for each term of the set."""
        del problem, draw
        return {"prox_calls": self.minibatch * ones(state.x)}


def _as_given(stepsize: Tensor) -> float | Tensor:
    """A plain number where it is one."""
    return float(stepsize) if stepsize.dim() == 0 else stepsize
