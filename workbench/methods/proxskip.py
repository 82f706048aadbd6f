"""ProxSkip: gradient steps with a control variate, and a proximal step now and then."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from assumptions.base import EPS
from assumptions.guards import Number, require_positive
from problems.arguments import column
from problems.base import Problem
from workbench.draws import Coin, Space
from workbench.methods.base import Method, require_probability
from workbench.methods.multi_proximal import parts_of
from workbench.quantity import Quantity, Reading


class ControlledPoint(NamedTuple):
    """An iterate, the control variate, and whether the last step was proximal.

    x, h: (*batch, d); h learns grad f at the minimiser. proximal: bool (*batch, 1).
    """

    x: Tensor
    h: Tensor
    proximal: Tensor


def _control_star(r: Reading) -> Tensor:
    """Minus the dual of the only term: grad f(x_star), (d,)."""
    return -parts_of(r.problem).dual_star[0].to(r.x)


def _read_control_error(r: Reading) -> Tensor:
    return (r.state.h - _control_star(r)).norm(dim=-1)


def _control_error_resolution(r: Reading, value: Tensor) -> Tensor:
    """Rounding, and the error of the points that make the control variate: p / stepsize times theirs."""
    del value
    sizes = r.state.h.norm(dim=-1) + _control_star(r).norm(dim=-1)
    scale = (torch.as_tensor(r.method.p) / torch.as_tensor(r.method.stepsize)).to(r.x)
    scale = scale[..., 0] if scale.dim() else scale
    return 8 * EPS * sizes + scale * r.x_error + parts_of(r.problem).dual_star_error


@dataclass(frozen=True)
class ProxSkip(Method):
    """min f(x) + psi(x), psi the only term of the problem, which has no g.

    x_hat  = x - stepsize (grad f(x) - h)
    x_next = prox_{(stepsize / p) psi}(x_hat - (stepsize / p) h) with probability p, else x_hat
    h_next = h + (p / stepsize) (x_next - x_hat)

    stepsize > 0: units of squared x per unit of f. p in (0, 1]. Both a float or (*batch, 1); ValueError
    otherwise. h starts at 0.
    Source: Mishchenko, Malinovsky, Stich, Richtarik (2022), ProxSkip, arXiv:2202.09357, algorithm 1.
    """

    stepsize: Number
    p: Number
    anywhere: ClassVar[bool] = True
    needs: ClassVar[tuple[str, ...]] = ("parts",)
    free: ClassVar[tuple[str, ...]] = ("x", "h")
    quantities: ClassVar[Mapping[str, Quantity | Callable[..., Tensor]]] = {
        "control_error": Quantity(
            "distance of the control variate from grad f at the minimiser",
            r"\|h_k - h^\star\|",
            _read_control_error,
            _control_error_resolution,
            lambda r, _: r.state.h.norm(dim=-1) + _control_star(r).norm(dim=-1),
            needs=("parts", "dual_star"),
            unit="f / x",
            nonnegative=True,
        )
    }
    source: ClassVar[str] = "arXiv:2202.09357"

    def __post_init__(self) -> None:
        """Guard the hyperparameters."""
        require_positive(stepsize=self.stepsize)
        require_probability(p=self.p)
        self.check_shapes()

    @classmethod
    def unfit(cls, problem: Problem) -> str:
        """One term psi, an f, no g."""
        parts = parts_of(problem)
        if parts.n != 1:
            return f"it has {parts.n} terms h_j, one is accepted"
        return "it has a proximal part g" if parts.has_prox else ""

    def draws(self, problem: Problem) -> Mapping[str, Space]:
        """Whether the proximal step is taken, (*batch, 1) bool."""
        del problem
        return {"coin": Coin(self.p)}

    def init(self, problem: Problem, x0: Tensor, draw: SimpleNamespace) -> ControlledPoint:
        """h = 0. x0: (*batch, d)."""
        del problem, draw
        return ControlledPoint(x0, torch.zeros_like(x0), x0.new_zeros(*x0.shape[:-1], 1, dtype=torch.bool))

    def step(self, problem: Problem, state: ControlledPoint, draw: SimpleNamespace) -> ControlledPoint:
        """draw.coin: bool (*batch, 1). Where nobody's coin is heads no proximal point is computed."""
        parts = parts_of(problem)
        stepsize = column(self.stepsize, state.x)
        slope = parts.smooth_grad(state.x) - state.h if parts.has_smooth else -state.h
        x_hat = state.x - stepsize * slope
        if not bool(draw.coin.any()):
            return ControlledPoint(x_hat, state.h.expand(x_hat.shape).clone(), draw.coin.clone())
        longer = stepsize / self.p
        point = x_hat - longer * state.h
        near = parts.term_prox(point.unsqueeze(-2), longer.unsqueeze(-1) if longer.dim() else longer)
        x = torch.where(draw.coin, near.squeeze(-2), x_hat)
        return ControlledPoint(x, state.h + (x - x_hat) / longer, draw.coin.clone())

    def x_error(self, problem: Problem, state: ControlledPoint, new: ControlledPoint) -> Tensor:
        """Rounding of what the step adds and takes away again, and the stated error of a proximal step.

        x_next is the proximal point of x_next - (stepsize / p) h_next.
        """
        longer = column(self.stepsize, state.x) / self.p
        point, x = (new.x - longer * new.h).unsqueeze(-2), new.x.unsqueeze(-2)
        stated = parts_of(problem).term_prox_error(point, longer.unsqueeze(-1) if longer.dim() else longer, x)
        duals = state.h.norm(dim=-1, keepdim=True) + new.h.norm(dim=-1, keepdim=True)
        return (8 * EPS * longer * duals + torch.where(new.proximal, stated, 0.0))[..., 0]

    def cost(self, problem: Problem, state: ControlledPoint, draw: SimpleNamespace) -> Mapping[str, Tensor]:
        """A gradient of f each step; a proximal call and a round of communication where the coin is heads."""
        heads = draw.coin[..., 0].to(state.x)
        gradients = torch.full_like(heads, float(parts_of(problem).has_smooth))
        return {"grad_calls": gradients, "prox_calls": heads, "communications": heads.clone()}
