"""The stochastic variance reduced proximal point method."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from assumptions.base import EPS
from assumptions.guards import Number, require_positive
from assumptions.rounding import ROUNDINGS
from problems.base import Problem
from workbench.draws import Coin, Index, Space
from workbench.methods.base import Method, moved, ones, require_probability
from workbench.methods.stochastic_gradient import grad_where, no_noise, no_steps
from workbench.methods.stochastic_proximal_point import stated_error
from workbench.quantity import Quantity, Reading


class ProximalEpoch(NamedTuple):
    """Iterate, snapshot, the gradient of f there, (*batch, d) each; steps so far, int64 (*batch,).

    error: how far the last step's x may be off: what its oracle says, and rounding of the point that the
    proximal step started from; (*batch,).
    """

    x: Tensor
    snapshot: Tensor
    full: Tensor
    steps: Tensor
    error: Tensor


def _star(r: Reading) -> Tensor:
    return r.problem.x_star.to(r.x)  # pyright: ignore[reportAttributeAccessIssue]


SNAPSHOT_DIST = Quantity(
    "distance of the snapshot from the minimiser x_star",
    r"\|w_k - x^\star\|",
    lambda r: (r.state.snapshot - _star(r)).norm(dim=-1),
    lambda r, v: 8 * EPS * (v + r.state.snapshot.norm(dim=-1)) + r.x_error + r.problem.x_star_error,
    lambda r, _: r.state.snapshot.norm(dim=-1),
    needs=("x_star",),
    unit="x",
    nonnegative=True,
)


@dataclass(frozen=True)
class SVRP(Method):
    """x_next = prox_{stepsize f_j}(x - stepsize (grad f(w) - grad f_j(w))), w_next = x_next or w.

    w_next = x_next with probability p. j: one term, uniform, apart from the coin; w: the snapshot, at
    first x0. Of one term: the proximal point method. snapshot_dist: |w - x_star|.

    stepsize > 0: units of squared x per unit of f; 0 < p <= 1; each a float or (*batch, 1). ValueError
    otherwise. Source: Khaled and Jin (2023), Faster federated optimization under second-order similarity.
    """

    stepsize: Number
    p: Number
    free: ClassVar[tuple[str, ...]] = ("x",)
    needs: ClassVar[tuple[str, ...]] = ("batch_prox",)
    quantities: ClassVar[Mapping[str, Quantity | Callable[..., Tensor]]] = {"snapshot_dist": SNAPSHOT_DIST}
    source: ClassVar[str] = "Khaled and Jin (2023)"

    def __post_init__(self) -> None:
        """Guard the numbers."""
        require_positive(stepsize=self.stepsize)
        require_probability(p=self.p)
        self.check_shapes()

    @classmethod
    def unfit(cls, problem: Problem) -> str:
        """Terms are sampled, not noise."""
        return no_noise(problem)

    def draws(self, problem: Problem) -> Mapping[str, Space]:
        """Whether the snapshot moves, and the term."""
        return {"refresh": Coin(self.p), "j": Index(problem.n_terms)}

    def init(self, problem: Problem, x0: Tensor, draw: SimpleNamespace) -> ProximalEpoch:
        """The snapshot is the start; its gradient is paid for by the first step. x0: (*batch, d)."""
        del draw
        return ProximalEpoch(x0, x0.clone(), problem.grad(x0), no_steps(x0), torch.zeros_like(x0[..., 0]))

    def step(self, problem: Problem, state: ProximalEpoch, draw: SimpleNamespace) -> ProximalEpoch:
        """draw.j: int64 (*batch, 1), draw.refresh: bool (*batch, 1). state.x: (*batch, d)."""
        own = problem.part_grad(state.snapshot, draw.j.squeeze(-1))
        z = state.x - self.stepsize * (state.full - own)
        x_next = problem.batch_prox(z, draw.j, self.stepsize)  # pyright: ignore[reportOptionalCall]
        full = grad_where(problem, x_next, draw.refresh.squeeze(-1), state.full)
        with torch.no_grad():
            sizes = (self.stepsize * (state.full.abs() + own.abs())).norm(dim=-1)
            error = stated_error(problem, z, self.stepsize, x_next, draw.j) + ROUNDINGS * sizes
        snapshot = torch.where(draw.refresh, x_next, state.snapshot)
        return ProximalEpoch(x_next, snapshot, full, state.steps + 1, error)

    def random_state(
        self, problem: Problem, state: ProximalEpoch, generator: torch.Generator
    ) -> ProximalEpoch:
        """Any snapshot, with the gradient at it; (*batch, ...). Neither is free of the other."""
        made = moved(("snapshot",), state, generator)
        return made._replace(full=problem.grad(made.snapshot))

    def x_error(self, problem: Problem, state: ProximalEpoch, new: ProximalEpoch) -> Tensor:
        """Of the one call and of its argument."""
        del problem, state
        return new.error

    def cost(self, problem: Problem, state: ProximalEpoch, draw: SimpleNamespace) -> Mapping[str, Tensor]:
        """A proximal step and a gradient of one term; all gradients where the snapshot moves, or is new."""
        full = problem.n_terms * (draw.refresh.squeeze(-1).to(state.x.dtype) + (state.steps == 0))
        return {"prox_calls": ones(state.x), "grad_calls": ones(state.x) + full}
