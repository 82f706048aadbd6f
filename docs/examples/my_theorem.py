"""A problem, a method and two claims of my own: one true, one false."""

import math
from dataclasses import dataclass

import torch

from assumptions import EUCLIDEAN, Certificate, Convex, Smooth
from problems import AbsAffine, Problem
from workbench import Method, Mutant, Point, Source, Theorem, symbols


@dataclass(frozen=True)
class LogCosh(Problem):
    """f(x) = sum_i log cosh(x_i), minimised by 0 alone."""

    d: int = 3
    f_star = 0.0
    unique_star = True
    x_star = property(lambda self: torch.zeros(self.d, dtype=torch.float64))
    x0 = property(lambda self: torch.full((self.d,), 2.0, dtype=torch.float64))
    certified = (Certificate(Convex(), "f'' = 1 - tanh^2 >= 0"), Certificate(Smooth(1.0), "f'' <= 1"))

    def value(self, x):
        return (x.abs() + torch.log1p(torch.exp(-2 * x.abs())) - math.log(2)).sum(-1)

    def grad(self, x):
        return torch.tanh(x)

    def nearest_star(self, x, norm=EUCLIDEAN):
        return torch.zeros_like(x)


@dataclass(frozen=True)
class PolyakStep(Method):
    """x_next = x - scale (f(x) - f_star) / |g|^2 g, 0 < scale < 2."""

    scale: float
    needs = ("f_star",)

    def step(self, problem, state, draw):
        g = problem.grad(state.x)
        length = self.scale * problem.gap(state.x)[..., None] / g.square().sum(-1, keepdim=True)
        return Point(torch.where(g.norm(dim=-1, keepdim=True) > 0, state.x - length * g, state.x))


scale, gap, dist, dist_next, gradnorm = symbols("scale gap dist dist_next gradnorm")
gain = gap**2 / gradnorm**2
claim = dict(source=Source("mine", "DERIVED"), method=PolyakStep, parameters={"scale": (1, 0.5, 1.5)},
             assumes=(Convex,), when=gradnorm > 0, measured=dist_next**2)  # fmt: skip

problem = LogCosh()
mutant = Mutant("twice the gain", on=AbsAffine((1.0,)), change={"bound": dist**2 - 2 * gain})
true = Theorem(id="mine/polyak", title="Polyak's step", mutants=(mutant,),
               bound=dist**2 - scale * (2 - scale) * gain, **claim)  # fmt: skip
false = Theorem(id="mine/too-good", title="A false one", bound=dist**2 - scale * (3 - scale) * gain, **claim)
