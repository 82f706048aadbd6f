"""Layered rules, quantities of a theorem, constants per layer: what later methods need of the core."""

from dataclasses import dataclass, replace

import pytest
import sympy as sp
from torch import Tensor

from assumptions import Certificate, closure
from tests.workbench.test_expressions import L0_i, LayeredSteepest, LayerSmooth, TwoBlocks, g_i, k
from tests.workbench.toys import OURS, Parabola, gd, verdict
from workbench import Method, Point, Theorem, layer_sum, symbols
from workbench.verify import Verdict

gap, gap_next = symbols("gap gap_next")


@dataclass(frozen=True)
class LayeredSteps(Method):
    stepsize_i: float | Tensor
    quantities = LayeredSteepest.quantities

    def step(self, problem, state, draw):
        g = problem.grad(state.x)
        return Point(state.x - problem.layers.lmo_direction(g, self.stepsize_i * problem.layers.dual_i(g)))


@pytest.mark.parametrize(
    "rule",
    [1 / L0_i, sp.Rational(1, 3), 1 / (L0_i * (1 + k / 100)), (1 + symbols("gap0") / 1000) / L0_i, 3 / L0_i],
)
def test_layered_rules_may_use_constants_steps_and_the_start(rule):
    """The descent bound holds for every stepsize, with the half and not without."""
    s_ = symbols("stepsize_i")
    t = Theorem(
        id="t/l",
        title="x",
        source=OURS,
        method=LayeredSteps,
        parameters={"stepsize_i": rule},
        assumes=(LayerSmooth,),
        measured=gap_next,
        bound=gap - layer_sum(s_ * (1 - L0_i * s_ / 2) * g_i**2),
        proof="p",
    )
    r = verdict(t, TwoBlocks())
    assert r.verdict == Verdict.NOT_REFUTED, r.reason
    t2 = replace(t, bound=gap - layer_sum(s_ * (1 - L0_i * s_ / 4) * g_i**2))
    assert verdict(t2, TwoBlocks()).verdict == Verdict.REFUTED


def test_theorem_quantity_sees_hyperparameters():
    q = symbols("q")
    stepsize = symbols("stepsize")
    t = gd(
        quantities={
            "q": lambda problem, method, state: (method.stepsize * problem.grad(state.x)).norm(dim=-1)
        },
        parameters={"stepsize": 1 / (2 * symbols("L") * (1 + k))},
        measured=q,
        bound=stepsize * symbols("gradnorm"),
    )
    assert verdict(t, Parabola()).verdict == Verdict.NOT_REFUTED
    t = gd(
        quantities={
            "q": lambda problem, method, state: (method.stepsize * problem.grad(state.x)).norm(dim=-1)
        },
        parameters={"stepsize": 1 / (2 + symbols("dist0"))},
        measured=q,
        bound=stepsize * symbols("gradnorm"),
    )
    assert verdict(t, Parabola()).verdict == Verdict.NOT_REFUTED


def test_theorem_quantity_that_swallows_nan():
    t = gd(
        quantities={"s": lambda problem, method, state: state.x[..., 0].sign().abs()},
        parameters={"stepsize": 1e200},
        measured=symbols("s"),
        bound=sp.Integer(1),
    )
    assert verdict(t, Parabola()).verdict == Verdict.REFUTED


@pytest.mark.parametrize(
    "change",
    [
        {"when": sp.sin(gap) > 0},
        {"requires": sp.sin(symbols("L")) > 0},
        {"parameters": {"stepsize": 1 / (3 + sp.sin(symbols("L")))}},
    ],
)
def test_unsupported_functions_fail_at_construction(change):
    with pytest.raises(ValueError, match="sin in sin"):
        gd(measured=gap, bound=symbols("gap0"), **change)


def test_requires_speaks_of_what_is_known_in_advance():
    with pytest.raises(ValueError, match=r"requires uses 'gap'; it may use constants"):
        gd(measured=gap_next, bound=gap, requires=gap > 0)


def test_requires_with_a_start_quantity():
    gap0 = symbols("gap0")
    r = verdict(gd(measured=gap_next, bound=gap, requires=gap0 >= 0), Parabola())
    assert r.verdict == Verdict.NOT_REFUTED


def test_front_of_vector_constants():
    p = TwoBlocks()
    a, b = (Certificate(LayerSmooth(c, p.layers), "x") for c in ((2.0, 1.5), (3.0, 1.0)))
    assert len(closure((a, b))) == 2
    c = Certificate(LayerSmooth((2.0, 1.0), p.layers), "x")
    assert closure((a, c)) == (c,)
