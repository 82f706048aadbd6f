"""The trust-region step with the exact quadratic model."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import ClassVar

import torch
from torch import Tensor

from assumptions.base import EPS
from assumptions.guards import Number, require_positive
from problems.arguments import column
from problems.base import Problem
from problems.secular import ball_quadratic
from workbench.methods.base import Method, Point, ones


@dataclass(frozen=True)
class TrustRegion(Method):
    """x_next = x + s, s minimising <grad f(x), s> + <s, H s> / 2 over |s| <= radius, H the Hessian at x.

    Every step is taken, the radius is given by its rule: the step of a trust-region method, not its
    control of the radius. H may be indefinite; the hard case is solved. radius > 0: units of x; a
    float or (*batch, 1). ValueError otherwise. Source: More, Sorensen (1983), Computing a trust region
    step, SIAM J. Sci. Stat. Comput. 4(3).
    """

    radius: Number
    needs: ClassVar[tuple[str, ...]] = ("hvp",)
    source: ClassVar[str] = "More, Sorensen (1983)"

    def __post_init__(self) -> None:
        """Guard the radius."""
        require_positive(radius=self.radius)
        self.check_shapes()

    def step(self, problem: Problem, state: Point, draw: SimpleNamespace) -> Point:
        """Deterministic: draw is empty. state.x: (*batch, d)."""
        del draw
        x = state.x
        eigenvalues, basis = torch.linalg.eigh(self._hessian(problem, x))
        linear = (problem.grad(x).unsqueeze(-2) @ basis).squeeze(-2)
        s = ball_quadratic(eigenvalues, linear, self.radius)
        return Point(x + (s.unsqueeze(-2) @ basis.mT).squeeze(-2))

    def x_error(self, problem: Problem, state: Point, new: Point) -> Tensor:
        """|r| / (mu + c / 2) with the residual r of the optimality condition and its rounding, (*batch,).

        mu >= 0 is the smallest eigenvalue of H, c the multiplier; an indefinite H counts as H - mu I with
        the multiplier c + mu. Proof: ``problems.ball_newton``. At most 2 radius.
        """
        x, s = state.x, new.x - state.x
        g, bent = problem.grad(x), problem.hvp(x, s)  # pyright: ignore[reportAttributeAccessIssue]
        low = torch.linalg.eigvalsh(self._hessian(problem, x))[..., :1]
        length = s.norm(dim=-1, keepdim=True)
        c = -((g + bent) * s).sum(dim=-1, keepdim=True) / torch.where(length > 0, length, 1.0).square()
        c = c.clamp(min=0)
        residual, *terms = (v.norm(dim=-1, keepdim=True) for v in (g + bent + c * s, g, bent, c * x))
        residual = residual + 16 * EPS * (terms[0] + terms[1] + terms[2])
        weight = low.clamp(min=0) + (c + low.clamp(max=0)).clamp(min=0) / 2
        bound = (residual / weight).nan_to_num(nan=torch.inf)
        return torch.minimum(bound, 2 * column(self.radius, x)).squeeze(-1)

    def _hessian(self, problem: Problem, x: Tensor) -> Tensor:
        """H at x, symmetrised; (*batch, d, d)."""
        axes = torch.eye(x.shape[-1]).to(x).expand(*x.shape, x.shape[-1])
        h = problem.hvp(x.unsqueeze(-2).expand_as(axes), axes)  # pyright: ignore[reportAttributeAccessIssue]
        return (h + h.mT) / 2

    def cost(self, problem: Problem, state: Point, draw: SimpleNamespace) -> Mapping[str, Tensor]:
        """One full gradient, and d Hessian products counted as a gradient each."""
        del draw
        return {"grad_calls": problem.n_terms * (1 + problem.d) * ones(state.x)}
