"""The trust-region step with the exact quadratic model."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import ClassVar

import torch
from torch import Tensor

from assumptions.guards import Number, require_positive
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
        axes = torch.eye(x.shape[-1]).to(x).expand(*x.shape, x.shape[-1])
        hessian = problem.hvp(x.unsqueeze(-2).expand_as(axes), axes)  # pyright: ignore[reportAttributeAccessIssue]
        eigenvalues, basis = torch.linalg.eigh((hessian + hessian.mT) / 2)
        linear = (problem.grad(x).unsqueeze(-2) @ basis).squeeze(-2)
        s = ball_quadratic(eigenvalues, linear, self.radius)
        return Point(x + (s.unsqueeze(-2) @ basis.mT).squeeze(-2))

    def cost(self, problem: Problem, state: Point, draw: SimpleNamespace) -> Mapping[str, Tensor]:
        """One full gradient, and d Hessian products counted as a gradient each."""
        del draw
        return {"grad_calls": problem.n_terms * (1 + problem.d) * ones(state.x)}
