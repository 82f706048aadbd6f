"""A user's file, and what lies beside it, for the tests of several processes."""

NEIGHBOUR = """
SLOPE = 1.5
def shrink(x):
    return x - x / 3
"""
MINE = """
import os, signal, time
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
import torch
from assumptions import EUCLIDEAN, EVERYWHERE, Certificate, Convex
from problems import Problem, from_function
from workbench import Method, Source, Theorem, symbols
from neighbour_for_jobs import SLOPE, shrink

HOME = os.getpid()
NUMBERS = iter(())  # cannot be pickled, and no work needs it


class State(NamedTuple):
    x: torch.Tensor


@dataclass(frozen=True)
class Bowl(Problem):
    slope: float = 1.0
    d = 2
    home = True
    f_star = 0.0
    unique_star = True
    x0 = torch.tensor([1.0, -2.0], dtype=torch.float64)
    x_star = torch.zeros(2, dtype=torch.float64)
    certified = (Certificate(Convex(), "a norm"),)

    def value(self, x):
        if os.getpid() != HOME:
            if Path("poison").exists() and self.slope == 3.0:
                time.sleep(1.0)
                os.kill(os.getpid(), signal.SIGKILL)
            if Path("slow").exists() and self.slope > 1.0:
                time.sleep(60.0)
        return self.slope * x.norm(dim=-1)

    def grad(self, x):
        return self.slope * x / x.norm(dim=-1, keepdim=True).clamp(min=1e-300)

    def nearest_star(self, x, norm=EUCLIDEAN):
        return torch.zeros_like(x)


@dataclass(frozen=True)
class Shrink(Method):
    needs = ("home",)

    def init(self, problem, x0, draw):
        print("noise")
        return State(x0)

    def step(self, problem, state, draw):
        return State(shrink(state.x))


gap, gap_next = symbols("gap gap_next")
CLAIM = Theorem(id="mine/shrinks", title="t", source=Source("mine", "DERIVED"), method=Shrink, parameters={},
                assumes=(Convex,), measured=gap_next, bound=gap * 0.7)
FALSE = Theorem(id="mine/false", title="t", source=Source("mine", "DERIVED"), method=Shrink, parameters={},
                assumes=(Convex,), measured=gap_next, bound=gap * 0.6)
OWN = [Bowl(), Bowl(slope=SLOPE), Bowl(slope=3.0)]
F = from_function(lambda x: x.square().sum(-1), d=2, name="f", f_star=0.0, assume=(Convex(),))
"""
