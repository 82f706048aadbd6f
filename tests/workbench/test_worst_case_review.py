"""What a worst case must refuse or refute: claims that one programme does not decide."""

import dataclasses
from fractions import Fraction
from typing import Any

import pytest
import sympy as sp
import torch

from assumptions import (
    BoundedDomain,
    ComponentConvex,
    ComponentSmooth,
    Convex,
    Smooth,
    SmoothPart,
    StronglyConvex,
    StronglyConvexSmoothPart,
)
from problems import Interpolant
from workbench.methods import SAGA, SGD, GradientDescent, ProximalGradient, ProximalPoint
from workbench.parts import Source
from workbench.registry import Registry
from workbench.symbols import symbols
from workbench.theorem import Theorem
from workbench.worst_case import NoExactClassError, ProgrammeError, exact_class, worst_case
from workbench.worst_case.setting import number_of
from workbench.worst_case.step_chain import _subsets as drawn
from workbench.worst_case.step_setting import side, step_setting

L, mu, L_f, L_max, diameter, k = symbols("L mu L_f L_max diameter k")
gap, gap0, gap_next, dist, dist0, dist_next = symbols("gap gap0 gap_next dist dist0 dist_next")
gradnorm, stepsize, table_error, table_error_next = symbols("gradnorm stepsize table_error table_error_next")

SHORT = {"stepsize": 1 / L}
SMOOTH = (Convex, Smooth)
ONE = {"stepsize": sp.Integer(1)}


def claim(method: Any, rules: Any, assumes: Any, measured: Any, bound: Any, **more: Any) -> Theorem:
    source = Source("none", "RECALLED")
    return Theorem(
        id="user/claim", title="a claim", source=source, method=method, parameters=rules, assumes=assumes,
        measured=measured, bound=bound, **more,
    )  # fmt: skip


def known(theorem: str) -> Theorem:
    return Registry(None).select_theorems([theorem])[0]


OUTSIDE = {
    "the measure has a scale, the bound has none": (
        claim(GradientDescent, SHORT, SMOOTH, gap - 1, L * dist0**2 / 1000),
        "constant part",
    ),
    "the rule has a scale, the bound has another": (
        claim(GradientDescent, {"stepsize": 1 / (L * (1 + dist0))}, SMOOTH, gap, gap0 / 2),
        "does not scale",
    ),
    "a number beside a start": (
        claim(GradientDescent, SHORT, SMOOTH, gap, 3 - 2 * dist0**2),
        "does not scale",
    ),
    "both sides may be negative": (
        claim(GradientDescent, SHORT, SMOOTH, gap_next - gap, -(gradnorm**2) / L),
        "may be negative",
    ),
    "nothing is measured": (
        claim(GradientDescent, SHORT, SMOOTH, 0 * gap, gap - L * dist**2 / 4),
        "no quantity",
    ),
    "each distance to its own minimiser": (
        claim(GradientDescent, SHORT, SMOOTH, gap, L * (dist0**2 + dist**2) / 1000),
        "nearest minimiser",
    ),
    "the subgradient of a proximal step is one of several": (
        claim(ProximalPoint, ONE, (Convex,), gradnorm, dist0),
        "at a kink",
    ),
    "a gap of its own": (
        claim(
            GradientDescent, SHORT, SMOOTH, gap, L * dist0**2,
            quantities={"gap": lambda r: 1000 * r.x.norm(dim=-1)},
        ),
        "defines gap itself",
    ),
    "one step whose factor falls with k": (
        claim(GradientDescent, SHORT, (StronglyConvex, Smooth), dist_next**2, dist**2 / (k + 1), kind="step"),
        "change with k",
    ),
    "one random step whose factor falls with k": (
        claim(
            SAGA, {"stepsize": 1 / (6 * L_max)}, (ComponentConvex, ComponentSmooth),
            dist_next**2 + table_error_next**2 / L_max**2, 9 * (dist**2 + table_error**2) / (k + 1),
            kind="step",
        ),
        "change with k",
    ),
    "one random step from some states": (
        claim(
            SAGA, {"stepsize": 1 / (6 * L_max)}, (ComponentConvex, ComponentSmooth),
            dist_next**2, dist**2 / 2, kind="step", when=gap > 1,
        ),
        "only of states",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_claim_that_one_programme_does_not_decide_has_no_exact_class(name: str) -> None:
    theorem, why = OUTSIDE[name]
    with pytest.raises(NoExactClassError, match=why):
        worst_case(theorem, steps=2)
    assert why in (exact_class(theorem) or "")


def test_the_refused_scale_is_a_false_claim_and_fixing_both_starts_decides_it() -> None:
    """gap0/2 is not reached from a flat function: with dist0 = 1 and gap0 = 1/100 the claim is refuted."""
    theorem, _ = OUTSIDE["the rule has a scale, the bound has another"]
    found = worst_case(theorem, steps=2, values={"dist0": 1, "gap0": Fraction(1, 100)})
    assert found.verdict == "refuted"
    assert found.values["gap0"] == 0.01


def test_gradnorm_of_a_proximal_step_is_allowed_where_there_is_one_gradient() -> None:
    theorem = claim(ProximalPoint, ONE, SMOOTH, gradnorm, dist0)
    assert worst_case(theorem, steps=1).verdict == "certified"


@pytest.mark.parametrize(("factor", "verdict"), [(Fraction(1, 4), "certified"), (1, "refuted")])
def test_a_bound_with_a_negative_part(factor: Any, verdict: str) -> None:
    """f(x - g/L) <= f(x) - |g|^2 / (2 L), and no more: at 1 it is refuted or unbounded."""
    theorem = claim(GradientDescent, SHORT, SMOOTH, gap_next, gap - factor * gradnorm**2 / L)
    try:
        found = worst_case(theorem).verdict
    except ProgrammeError:
        found = "refuted"
    assert found == verdict


def test_the_line_of_ball_steps_is_certified_by_what_it_says_not_by_its_name() -> None:
    line = known("bpm/line")
    found = worst_case(line)
    assert found.verdict == "certified"
    assert found.ratio == 1
    for mutant in line.mutants:
        with pytest.raises(NoExactClassError):
            worst_case(line.mutated(mutant))
    for change in ({"assumes": ()}, {"measured": symbols("dist_next")}):
        with pytest.raises(NoExactClassError):
            worst_case(dataclasses.replace(line, mutants=(), tight=(), **change))
    again = dataclasses.replace(line, id="user/line", mutants=(), tight=())
    assert worst_case(again).verdict == "certified"


def test_smooth_terms_are_not_taken_for_convex_ones() -> None:
    """Away from x_star the gradient of a smooth function can point anywhere: dist may grow."""
    rules = {"stepsize": 1 / (4 * L_max), "minibatch": 2}
    shrinks = (SGD, rules, (Smooth, ComponentSmooth), dist_next**2, dist**2)
    assert worst_case(claim(*shrinks, kind="step")).verdict == "inconclusive"
    convex = (*shrinks[:2], (Smooth, ComponentSmooth, ComponentConvex), *shrinks[3:])
    assert worst_case(claim(*convex, kind="step")).verdict == "certified"


def test_a_proximal_gradient_run_may_start_outside_of_the_domain() -> None:
    """dist <= diameter holds after a step, not before."""
    rules, assumed = {"stepsize": 1 / L_f}, (SmoothPart, StronglyConvexSmoothPart, BoundedDomain)
    assert worst_case(claim(ProximalGradient, rules, assumed, dist, diameter), steps=1).verdict == "certified"
    with pytest.raises(ProgrammeError):
        worst_case(claim(ProximalGradient, rules, assumed, dist0, diameter), steps=1)


def test_a_rule_in_the_bound_is_read_at_the_step_of_the_claim() -> None:
    """stepsize = 1 / (L (k + 1)) is 1/2 at k = 1, where the bound names it, and 1 in the step before."""
    falling = {"stepsize": 1 / (L * (k + 1))}
    theorem = claim(GradientDescent, falling, SMOOTH, gap, stepsize * L**2 * dist0**2)
    found = worst_case(theorem, steps=1)
    assert found.exact_bound == Fraction(1, 2)
    assert found.values["stepsize"] == 1
    assert found.upper == pytest.approx(1 / 6)


def test_an_irrational_rule_is_rounded_into_the_domain() -> None:
    assert number_of(sp.sqrt(2), {})[0] ** 2 < 2
    assert number_of(sp.sqrt(3), {})[0] ** 2 < 3
    page = known("page/nonconvex-step")
    assert all(worst_case(page, parameter=n).verdict == "certified" for n in range(len(page.variants())))


def test_irrational_coefficients_of_one_step_are_rounded_against_the_claim() -> None:
    theorem = claim(
        SGD, {"stepsize": 1 / (4 * L_max), "minibatch": 1}, (ComponentConvex, ComponentSmooth),
        sp.sqrt(2) * dist_next**2, sp.sqrt(3) * dist**2, kind="step",
    )  # fmt: skip
    numbers = step_setting(theorem, None, 0).numbers(0)
    measured = side(theorem, theorem.measured, numbers, up=True).terms["dist", 1]
    bound = side(theorem, theorem.bound, numbers, up=False).terms["dist", 0]
    assert 2 < measured**2 < 2 * (1 + Fraction(1, 10**30))
    assert 3 * (1 - Fraction(1, 10**30)) < bound**2 < 3


def test_a_necessary_condition_is_not_called_the_exact_worst_case() -> None:
    found = worst_case(known("sgd/interpolation-step"))
    assert found.lower is None
    assert "necessary, not sufficient" in found.reason
    assert "the exact worst case" not in found.reason


def test_the_value_of_an_interpolant_is_its_data() -> None:
    """Values, gradients and curvature of sampled smooth functions come back from the smallest function."""
    points, gradients = ((0.0, 0.0), (1.0, 2.0), (-2.0, 1.0)), ((0.0, 0.0), (1.0, 1.0), (-2.0, 0.5))
    values = (0.0, 1.5, 2.25)  # x^2/2 + y^2/4
    f = Interpolant(points, gradients, values, L=1.0, mu=0.5)
    x = torch.tensor(points, dtype=torch.float64)
    assert torch.allclose(f.value(x), torch.tensor(values, dtype=torch.float64), atol=1e-12)
    assert torch.allclose(f.grad(x), torch.tensor(gradients, dtype=torch.float64), atol=1e-9)


def test_terms_drawn_with_replacement_are_enumerated_as_such() -> None:
    """Of two terms drawn twice, both come with probability 1/2 only."""
    page = known("page/nonconvex-step")
    for n, rules in enumerate(page.variants()):
        asked = step_setting(page, {"stepsize": Fraction(1, 100)}, n)
        assert asked.rules[0]["replacement"] == rules["replacement"]
    assert drawn(2, {"minibatch": 2}) == [(1, (0, 1))]
    quarter = Fraction(1, 4)
    assert [(p, set(row)) for p, row in drawn(2, {"minibatch": 2, "replacement": Fraction(1)})] == [
        (quarter, {0}), (quarter, {0, 1}), (quarter, {0, 1}), (quarter, {1}),
    ]  # fmt: skip


@pytest.mark.parametrize("value", [0, -1])
def test_a_start_is_positive(value: int) -> None:
    with pytest.raises(ValueError, match="dist0 must be > 0"):
        worst_case(known("subgradient/horizon"), steps=2, values={"dist0": value})
