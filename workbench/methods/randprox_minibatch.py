"""RandProx with a minibatch: the proximal steps of s terms chosen at random."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from assumptions.base import EPS
from assumptions.guards import Number, require_dimension, require_positive
from problems.arguments import column
from problems.base import Problem
from workbench.draws import Space, Subset
from workbench.methods.base import Method, ones
from workbench.methods.multi_proximal import parts_of
from workbench.methods.stochastic_gradient import require_minibatch


class DualPoint(NamedTuple):
    """An iterate and the duals. x: (*batch, d). u: (*batch, n, d)."""

    x: Tensor
    u: Tensor


@dataclass(frozen=True)
class RandProxMinibatch(Method):
    """min f(x) + g(x) + sum_j h_j(x); omega a set of s = minibatch terms, all sets equally likely.

    z        = prox_{stepsize g}(x - stepsize grad f(x) - stepsize v),  v = sum_j u_j
    u_j_next = prox_{tau h_j^*}(u_j + tau z) for j in omega, tau = 1 / (n stepsize); h^* the conjugate
    x_next   = z - (n / s) stepsize (v_next - v)

    stepsize > 0: units of squared x per unit of f; a float or (*batch, 1). minibatch: an integer in 1..n.
    ValueError otherwise. Duals start at 0. The prox of the conjugate is that of h_j by Moreau's identity.
    Source: Condat, Richtarik (2022), RandProx, arXiv:2207.12891, the minibatch version.
    """

    stepsize: Number
    minibatch: int
    anywhere: ClassVar[bool] = True
    needs: ClassVar[tuple[str, ...]] = ("parts",)
    free: ClassVar[tuple[str, ...]] = ("u",)
    source: ClassVar[str] = "arXiv:2207.12891"

    def __post_init__(self) -> None:
        """Guard the hyperparameters."""
        require_positive(stepsize=self.stepsize)
        require_dimension(minibatch=self.minibatch)
        self.check_shapes()

    @classmethod
    def unfit(cls, problem: Problem) -> str:
        """Without a term h_j there is nothing to draw."""
        return "it has no terms h_j" if parts_of(problem).n == 0 else ""

    def draws(self, problem: Problem) -> Mapping[str, Space]:
        """omega, (*batch, s) int64. ValueError for a minibatch larger than n."""
        n = parts_of(problem).n
        require_minibatch(n, self.minibatch)
        return {"omega": Subset(n, self.minibatch)}

    def init(self, problem: Problem, x0: Tensor, draw: SimpleNamespace) -> DualPoint:
        """Duals 0. x0: (*batch, d)."""
        del draw
        return DualPoint(x0, x0.new_zeros(*x0.shape[:-1], parts_of(problem).n, x0.shape[-1]))

    def step(self, problem: Problem, state: DualPoint, draw: SimpleNamespace) -> DualPoint:
        """draw.omega: int64 (*batch, s)."""
        parts, stepsize = parts_of(problem), column(self.stepsize, state.x)
        v = state.u.sum(dim=-2)
        slope = v + parts.smooth_grad(state.x) if parts.has_smooth else v
        z = state.x - stepsize * slope
        z = parts.prox(z, stepsize) if parts.has_prox else z
        tau = 1 / (parts.n * (stepsize.unsqueeze(-1) if stepsize.dim() else stepsize))
        point = state.u + tau * z.unsqueeze(-2)
        conjugate = point - tau * parts.term_prox(point / tau, 1 / tau)
        chosen = draw.omega.unsqueeze(-1).expand(*draw.omega.shape, state.x.shape[-1])
        u = state.u.expand(conjugate.shape).scatter(-2, chosen, conjugate.gather(-2, chosen))
        scale = parts.n / self.minibatch * stepsize
        return DualPoint(z - scale * (u.sum(dim=-2) - v), u)

    def x_error(self, problem: Problem, state: DualPoint, new: DualPoint) -> Tensor:
        """Rounding of what the step takes away and adds again, and the stated error of the proximal steps."""
        parts, n = parts_of(problem), state.u.shape[-2]
        stepsize = column(self.stepsize, state.x)
        change = new.u - state.u
        z = new.x + n / self.minibatch * stepsize * change.sum(dim=-2)
        longer = n * (stepsize.unsqueeze(-1) if stepsize.dim() else stepsize)
        y = z.unsqueeze(-2) - longer * change
        oracle = torch.where(
            (change != 0).any(dim=-1), parts.term_prox_error(y + longer * new.u, longer, y), 0.0
        )
        duals = (state.u.norm(dim=-1) + new.u.norm(dim=-1)).sum(dim=-1, keepdim=True)
        rounding = 8 * EPS * (n / self.minibatch * stepsize * duals + n * z.norm(dim=-1, keepdim=True))
        return (rounding + oracle.sum(dim=-1, keepdim=True) / self.minibatch)[..., 0]

    def cost(self, problem: Problem, state: DualPoint, draw: SimpleNamespace) -> Mapping[str, Tensor]:
        """s proximal calls of terms, a gradient if there is an f; the prox of g is not counted."""
        del draw
        one = ones(state.x)
        gradients = torch.full_like(one, float(parts_of(problem).has_smooth))
        return {"prox_calls": self.minibatch * one, "grad_calls": gradients, "communications": one}
