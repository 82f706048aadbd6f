"""The stochastic multi-proximal method: proximal steps on a random, possibly empty, subset of the terms."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from assumptions.base import EPS
from assumptions.guards import Number, require_positive
from problems.base import Problem
from workbench.draws import Space
from workbench.methods.base import Method
from workbench.methods.dual_quantities import DUAL_QUANTITIES
from workbench.quantity import Quantity
from workbench.samplings import Sampling

ROUNDINGS = 8
"""Roundings of one sum of a step."""


class MultiPoint(NamedTuple):
    """The iterate, the duals, and the last proximal points.

    x: (*batch, d). u: (*batch, n, d), subgradients that stand for those of h_j at the minimiser. y:
    (*batch, n, d), the point that the last step found for term j, where ``picked`` says that it drew j; else
    the point that it started from. picked: bool (*batch, n).
    """

    x: Tensor
    u: Tensor
    y: Tensor
    picked: Tensor


@dataclass(frozen=True)
class MultiProximal(Method):
    """min f(x) + g(x) + sum_j h_j(x) through grad f, prox of g and prox of the terms h_j that are drawn.

    z     = prox_{stepsize g}(x - stepsize grad f(x) - stepsize sum_j u_j)
    y_j   = prox_{h_j / tau_j}(z + u_j / tau_j),  u_j_next = u_j + tau_j (z - y_j)    for j drawn
    x_next = z - stepsize sum_{j drawn} (u_j_next - u_j) / p_j

    stepsize > 0: units of squared x per unit of f; a float or (*batch, 1). dual_stepsize_j = tau_j > 0: its
    inverse unit; a float, (*batch, 1) or (*batch, n). sampling: how terms are drawn, j with probability p_j;
    its constants v_j obey E|sum_{j drawn} d_j / p_j|^2 <= sum_j v_j |d_j|^2, and the theorems take
    tau_j <= 1 / (stepsize v_j). TypeError, ValueError otherwise. Duals start at 0.

    Source: a reconstruction of the stochastic multi-proximal method, arXiv:2505.12409, from its abstract,
    built on RandProx (Condat, Richtarik 2022, arXiv:2207.12891); it has the cases that the abstract names.
    """

    stepsize: Number
    dual_stepsize_j: Number
    sampling: Sampling
    anywhere: ClassVar[bool] = True
    needs: ClassVar[tuple[str, ...]] = ("parts",)
    free: ClassVar[tuple[str, ...]] = ("x", "u")
    options: ClassVar[tuple[str, ...]] = ("sampling",)
    facts: ClassVar[tuple[str, ...]] = ("p_j", "v_j", "n_parts")
    quantities: ClassVar[Mapping[str, Quantity | Callable[..., Tensor]]] = DUAL_QUANTITIES
    source: ClassVar[str] = (
        "a reconstruction of arXiv:2505.12409 from its abstract, built on arXiv:2207.12891"
    )

    def __post_init__(self) -> None:
        """Guard the stepsizes and the sampling."""
        require_positive(stepsize=self.stepsize, dual_stepsize_j=self.dual_stepsize_j)
        if not isinstance(self.sampling, Sampling):
            raise TypeError(f"sampling must be a Sampling such as Nice(2), got {self.sampling!r}")
        self.check_shapes()

    @classmethod
    def unfit(cls, problem: Problem) -> str:
        """Without a term h_j there is nothing to draw."""
        return "it has no terms h_j" if parts_of(problem).n == 0 else ""

    @classmethod
    def known(cls, problem: Problem, options: Mapping[str, Any]) -> Mapping[str, float | Tensor]:
        """p_j and v_j of the sampling, (n,), and n."""
        sampling, n = options["sampling"], parts_of(problem).n
        p, v = (torch.tensor(t, dtype=torch.float64) for t in (sampling.probabilities(n), sampling.eso(n)))
        return {"p_j": p, "v_j": v, "n_parts": float(n)}

    def draws(self, problem: Problem) -> Mapping[str, Space]:
        """The set of terms, (*batch, n) bool. ValueError for dual stepsizes that are neither one nor n."""
        n, tau = parts_of(problem).n, self.dual_stepsize_j
        if isinstance(tau, Tensor) and tau.dim() and tau.shape[-1] not in (1, n):
            raise ValueError(
                f"dual_stepsize_j must have one entry, or one for each of the {n} terms, got {tau.shape[-1]}"
            )
        return {"sample": self.sampling.space(n)}

    def init(self, problem: Problem, x0: Tensor, draw: SimpleNamespace) -> MultiPoint:
        """Duals 0. x0: (*batch, d)."""
        del draw
        n = parts_of(problem).n
        y = x0.unsqueeze(-2).repeat(*[1] * (x0.dim() - 1), n, 1)
        return MultiPoint(x0, torch.zeros_like(y), y, y.new_zeros(y.shape[:-1], dtype=torch.bool))

    def step(self, problem: Problem, state: MultiPoint, draw: SimpleNamespace) -> MultiPoint:
        """draw.sample: bool (*batch, n)."""
        parts, x, drawn = parts_of(problem), state.x, draw.sample[..., None]
        point = x - self.stepsize * state.u.sum(dim=-2)
        if parts.has_smooth:
            point = point - self.stepsize * parts.smooth_grad(x)
        if parts.has_prox:
            point = parts.prox(point, self.stepsize)
        z, tau = point.unsqueeze(-2), self._tau(x)
        y = parts.picked_prox(z + state.u / tau, 1 / tau, draw.sample)
        change = torch.where(drawn, tau * (z - y), 0.0)
        x_next = point - self.stepsize * (change / self._p(problem, x)).sum(dim=-2)
        return MultiPoint(x_next, state.u + change, torch.where(drawn, y, z), draw.sample.clone())

    def _tau(self, x: Tensor) -> Tensor:
        """dual_stepsize_j, ready for (*batch, n, d)."""
        tau = torch.as_tensor(self.dual_stepsize_j, dtype=x.dtype, device=x.device)
        return tau.unsqueeze(-1) if tau.dim() else tau

    def _p(self, problem: Problem, x: Tensor) -> Tensor:
        """p_j, (n, 1)."""
        return x.new_tensor(_probabilities(self.sampling, parts_of(problem).n)).unsqueeze(-1)

    def x_error(self, problem: Problem, state: MultiPoint, new: MultiPoint) -> Tensor:
        """Rounding of what the step takes away and adds again, and the error of the terms' oracles.

        An error e of y_j moves x_next by stepsize tau_j e / p_j. y_j is the proximal point of
        y_j + u_j_next / tau_j.
        """
        tau = self._tau(state.x).expand(*new.y.shape[:-1], 1)
        asked = new.y + new.u / tau
        oracle = parts_of(problem).picked_prox_error(asked, 1 / tau, new.y, new.picked)
        sizes = ROUNDINGS * EPS * (state.u.norm(dim=-1) + new.u.norm(dim=-1))
        moves = ROUNDINGS * EPS * new.y.norm(dim=-1) + oracle
        each = (sizes + tau[..., 0] * moves) / self._p(problem, state.x)[:, 0]
        return (self.stepsize * each.sum(dim=-1, keepdim=True))[..., 0]

    def cost(self, problem: Problem, state: MultiPoint, draw: SimpleNamespace) -> Mapping[str, Tensor]:
        """A proximal call for each term drawn, a gradient if there is an f; the prox of g is not counted.

        One round of communication, unless nothing is drawn.
        """
        drawn = draw.sample.sum(dim=-1).to(state.x)
        gradients = torch.full_like(drawn, float(parts_of(problem).has_smooth))
        return {"prox_calls": drawn, "grad_calls": gradients, "communications": (drawn > 0).to(state.x)}


@lru_cache(maxsize=256)
def _probabilities(sampling: Sampling, n: int) -> tuple[float, ...]:
    """p_j; every step asks for them."""
    return sampling.probabilities(n)


def parts_of(problem: Problem) -> Any:
    """f, g and the h_j of a problem: its ``Parts``."""
    return problem.parts
