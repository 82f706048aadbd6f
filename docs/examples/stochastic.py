"""Random coordinate descent: a stochastic method of my own, a claim of each kind, and a false one."""

from dataclasses import dataclass
from typing import ClassVar

import torch

from assumptions import PL, Convex, Smooth
from problems import NesterovWorst, Quadratic
from workbench import Index, Method, Mutant, Point, Quantity, Source, Theorem, symbols


@dataclass(frozen=True)
class CoordinateDescent(Method):
    """x_next = x - stepsize (entry j of grad f(x)) e_j, j uniform in 0..d-1."""

    stepsize: float
    free = ("x",)  # a step claim may put x anywhere
    quantities: ClassVar = {
        "steepest": Quantity(
            "largest entry of the gradient, in absolute value",
            r"\|\nabla f(x_k)\|_\infty",
            lambda reading: reading.problem.grad(reading.x).abs().amax(-1),
            nonnegative=True,
        )
    }

    def draws(self, problem):
        return {"index": Index(problem.d)}

    def step(self, problem, state, draw):
        g = problem.grad(state.x)  # (*batch, d); draw.index: (*batch, 1)
        entry = torch.zeros_like(g).scatter(-1, draw.index, g.gather(-1, draw.index))
        return Point(state.x - self.stepsize * entry)

    def cost(self, problem, state, draw):
        return {"grad_calls": torch.full_like(state.x[..., 0], problem.n_terms / problem.d)}


stepsize, L, mu_pl, d, k, K = symbols("stepsize L mu_pl d k K")
gap, gap0, gap_next, dist0 = symbols("gap gap0 gap_next dist0")
gradnorm, steepest_next = symbols("gradnorm steepest_next")

gain = stepsize * (1 - L * stepsize / 2) / d
rate, too_fast = 1 - 2 * mu_pl * gain, 1 - 2 * d * mu_pl * gain
slow = d / (d + K) * (L * dist0**2 / 2 + gap0)
mine = dict(source=Source("mine", "DERIVED"), method=CoordinateDescent, parameters={"stepsize": 1 / L})

ROUND, ODD = Quadratic((2.0, 2.0, 2.0), seed=None, start=(3.0, -4.0, 1.0)), Quadratic((1.0, 2.0, 5.0), seed=1)

STEP = Theorem(id="mine/step", title="A step lowers f by a d-th of what a gradient step does", kind="step",
               assumes=(Smooth,), measured=gap_next, bound=gap - gain * gradnorm**2,
               mutants=(Mutant("by all of it", on=ODD, change={"bound": gap - d * gain * gradnorm**2}),),
               **mine)  # fmt: skip
MEAN = Theorem(id="mine/mean", title="The mean gap contracts d times as slowly as that of gradient descent",
               kind="mean", assumes=(Smooth, PL), when=k >= 1, measured=gap, bound=gap0 * rate**k,
               mutants=(Mutant("one power too many", on=ROUND, change={"bound": gap0 * rate ** (k + 1)}),),
               **mine)  # fmt: skip
HP = Theorem(id="mine/hp", title="On nine runs in ten the gap stays below ten times its mean rate", kind="hp",
             failure=0.1, assumes=(Smooth, PL), when=k >= 1, measured=gap, bound=10 * gap0 * rate**k,
             mutants=(Mutant("gradient descent's", on=ODD, change={"bound": gap0 * too_fast**k}),),
             **mine)  # fmt: skip
SLOPE = Theorem(id="mine/slope", title="For convex f the mean gap is of order 1 / K", kind="slope",
                exponent=-1, assumes=(Smooth, Convex), requires=d <= 10, measured=gap, bound=slow,
                mutants=(Mutant("K^-3", on=NesterovWorst(), change={"exponent": -3, "bound": slow / K**2}),),
                **mine)  # fmt: skip
FALSE = Theorem(id="mine/too-good", title="A false one: as fast as gradient descent", kind="mean",
                assumes=(Smooth, PL), when=k >= 1, measured=gap, bound=gap0 * too_fast**k,
                **mine)  # fmt: skip
OWN = Theorem(id="mine/steepest", title="A claim about my quantity: its mean square is at most 2 L E[gap]",
              kind="step", assumes=(Smooth,), measured=steepest_next**2,
              bound=2 * L * (gap - gain * gradnorm**2), **mine)  # fmt: skip
