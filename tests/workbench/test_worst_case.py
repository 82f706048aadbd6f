"""Worst cases over whole classes: closed forms, agreement with PEPit, verdicts, wrong input."""

import contextlib
import dataclasses
import json
import warnings
from fractions import Fraction

import pytest
import sympy as sp

from assumptions import Lp
from workbench import symbols
from workbench.theorems import THEOREMS
from workbench.worst_case import NoExactClassError, exact_class, worst_case

BY_ID = {theorem.id: theorem for theorem in THEOREMS}
RELATIVE = 1e-6
value, gap, dist, dist0 = symbols("value gap dist dist0")


def scaled_bound(theorem, factor):
    return dataclasses.replace(theorem, bound=theorem.bound * factor, mutants=(), tight=())


def closed_form_cases():
    """(theorem, steps, parameter, values, the exact worst case)."""
    for steps in (1, 3, 7):
        yield "gd/convex", steps, 0, {}, Fraction(1, 4 * steps + 2)
    yield "gd/convex", 4, 1, {"L": 2}, Fraction(1, 5)
    for parameter, stepsize in enumerate((1, Fraction(20, 11), Fraction(9, 5))):
        rate = max((1 - stepsize * Fraction(1, 10)) ** 2, (1 - stepsize) ** 2)
        yield "gd/strongly-convex", 1, parameter, {}, rate
    # Abbaszadehpeivasti, de Klerk, Zamani (2022): 4 L gap0 / (3 N + 2) for N steps of length 1 / L, here
    # the smallest over the points before the last.
    for steps in (1, 2, 5):
        yield "gd/nonconvex", steps, 0, {}, Fraction(4, 3 * (steps - 1) + 2)
    # Taylor, Hendrickx, Glineur (2017), section 4.1: dist0^2 / (4 n s).
    for steps in (1, 4):
        yield "ppm/convex", steps, 0, {"stepsize": Fraction(1, 3)}, Fraction(3, 4 * steps)
    # Drori, Teboulle (2016): G dist0 / sqrt(N + 1), over N + 1 points.
    for steps, root in ((1, 1), (4, 2)):
        yield "subgradient/horizon", steps, 0, {"G": 3, "dist0": 2}, Fraction(6, root)
    yield "proximal-gradient/strongly-convex", 1, 0, {}, (Fraction(9, 10) / Fraction(11, 10)) ** 2


@pytest.mark.parametrize(("name", "steps", "parameter", "values", "exact"), list(closed_form_cases()))
def test_closed_forms(name, steps, parameter, values, exact):
    found = worst_case(BY_ID[name], steps=steps, parameter=parameter, values=values)
    assert found.lower is not None
    assert found.upper >= float(exact) >= found.lower
    assert found.upper <= float(exact) * (1 + RELATIVE)
    assert found.lower >= float(exact) * (1 - RELATIVE)


@pytest.mark.parametrize("name", ["gd/convex", "gd/strongly-convex", "ppm/convex", "subgradient/horizon"])
def test_a_tight_bound_is_certified_exactly(name):
    found = worst_case(BY_ID[name], steps=4)
    assert (found.verdict, found.exact_upper) == ("certified", found.exact_bound)
    assert found.ratio == 1


EXACT_IDS = [t.id for t in THEOREMS if t.id.split("/")[0] in ("nesterov", "fista", "proximal-gradient")]


@pytest.mark.parametrize("name", [*EXACT_IDS, "conditional-gradient/convex", "subgradient/any-stepsizes"])
def test_bounds_of_the_library_are_certified_and_enclosed(name):
    for parameter in range(len(BY_ID[name].variants())):
        found = worst_case(BY_ID[name], steps=2, parameter=parameter)
        assert found.verdict == "certified"
        assert found.lower is not None
        assert found.upper * (1 - RELATIVE) <= found.lower <= found.upper


def test_conditional_gradient_against_a_one_step_value():
    """One step with weight 1 of a smooth f on a set of diameter 1: L D^2 / 2."""
    found = worst_case(BY_ID["conditional-gradient/convex"], steps=1, values={"L_f": 2, "mu_f": 0})
    assert found.upper == pytest.approx(1.0, rel=RELATIVE)


@pytest.mark.parametrize(
    "name", ["gd/convex", "gd/strongly-convex", "ppm/convex", "proximal-gradient/strongly-convex"]
)
def test_a_bound_too_small_by_one_percent_is_refuted(name):
    found = worst_case(scaled_bound(BY_ID[name], sp.Rational(100, 101)), steps=3)
    assert found.verdict == "refuted"
    assert found.lower is not None
    assert found.lower > found.bound


@pytest.mark.parametrize(
    ("name", "index"),
    [
        (t, i)
        for t in ("gd/convex", "gd/strongly-convex", "gd/nonconvex")
        for i in range(len(BY_ID[t].mutants))
    ],
)
def test_mutants_of_the_library_are_refuted(name, index):
    mutant = BY_ID[name].mutants[index]
    wrong = BY_ID[name].mutated(mutant)
    verdicts = set()
    for parameter in range(len(wrong.variants())):
        with contextlib.suppress(ValueError):  # a mutant with rules that its own ``requires`` excludes
            verdicts.add(worst_case(wrong, steps=min(mutant.steps, 8), parameter=parameter).verdict)
    assert "refuted" in verdicts


def pepit_gradient_descent(steps):
    import PEPit
    from PEPit.functions import SmoothConvexFunction

    problem = PEPit.PEP()
    f = problem.declare_function(SmoothConvexFunction, L=1)
    star = f.stationary_point()
    x = x0 = problem.set_initial_point()
    problem.set_initial_condition((x0 - star) ** 2 <= 1)
    for _ in range(steps):
        x = x - 0.5 * f.gradient(x)
    problem.set_performance_metric(f(x) - f(star))
    return problem.solve(wrapper="cvxpy", solver="CLARABEL", verbose=-1)


def pepit_nesterov(steps):
    import PEPit
    from PEPit.functions import SmoothConvexFunction

    problem = PEPit.PEP()
    f = problem.declare_function(SmoothConvexFunction, L=1)
    star = f.stationary_point()
    x = y = x0 = problem.set_initial_point()
    problem.set_initial_condition((x0 - star) ** 2 <= 1)
    for k in range(steps):
        x_next = y - f.gradient(y)
        x, y = x_next, x_next + k / (k + 3) * (x_next - x)
    problem.set_performance_metric(f(x) - f(star))
    return problem.solve(wrapper="cvxpy", solver="CLARABEL", verbose=-1)


@pytest.mark.parametrize(
    ("name", "parameter", "reference"),
    [("gd/convex", 1, pepit_gradient_descent), ("nesterov/convex", 0, pepit_nesterov)],
    ids=["gradient descent", "nesterov"],
)
def test_agrees_with_pepit(name, parameter, reference):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("PEPit", reason="PEPit is not installed")
        expected = reference(3)
    found = worst_case(BY_ID[name], steps=3, parameter=parameter)
    assert found.upper == pytest.approx(expected, rel=RELATIVE)


def test_json_holds_the_proof():
    found = worst_case(BY_ID["gd/strongly-convex"])
    data = json.loads(json.dumps(found.to_json()))
    assert data["verdict"] == "certified"
    assert Fraction(data["exact_upper"]) == Fraction(81, 100)
    assert {name: Fraction(text) for name, text in data["multipliers"].items()} == dict(found.multipliers)


def test_numbers_rounded_to_floats_are_named():
    assert "stepsize rounded" in worst_case(BY_ID["subgradient/any-stepsizes"], steps=3).reason


def test_a_step_claim_over_states_that_are_free():
    found = worst_case(BY_ID["nesterov/strongly-convex-step"], values={"mu": Fraction(1, 100)})
    assert (found.steps, found.verdict) == (1, "certified")
    assert 0.9 < found.ratio < 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"values": {"mu": 2}}, "mu must be < L, got mu = 2 and L = 1"),
        ({"values": {"mu": 1, "L": 1}}, "mu must be < L, got mu = 1 and L = 1"),
        ({"values": {"mu": -1}}, "mu must not be < 0, got -1"),
        ({"values": {"L": float("nan")}}, "L must be a finite number, got nan"),
        ({"values": {"L": "big"}}, "L must be a finite number, got 'big'"),
        ({"values": {"radius": 1}}, "values names radius; it may name .*L, mu, stepsize"),
        ({"parameter": 3}, r"parameter must be in 0\.\.2, got 3"),
        ({"steps": 0}, "steps must be an integer >= 1, got 0"),
        ({"steps": 2.0}, r"steps must be an integer >= 1, got 2\.0"),
    ],
    ids=["mu > L", "mu = L", "negative", "nan", "word", "unknown name", "parameter", "zero", "float"],
)
def test_wrong_input_is_named(arguments, words):
    with pytest.raises((ValueError, TypeError), match=words):
        worst_case(BY_ID["gd/strongly-convex"], **arguments)


def test_a_stepsize_outside_the_theorem_is_named():
    with pytest.raises(ValueError, match=r"requires .* fails at step 0 with stepsize = 3"):
        worst_case(BY_ID["gd/convex"], values={"stepsize": 3})


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    [
        ("gd/pl", {}, "functions with Smooth, PL have no interpolation conditions"),
        ("subgradient/smooth", {}, "a claim of kind equal"),
        ("sgd/convex", {}, "a claim of kind mean"),
        ("gd/convex", {"norm": Lp(1.0)}, "Euclidean lengths only"),
        ("gd/convex", {"bound": value + dist0**2}, "it speaks of value"),
        ("gd/convex", {"measured": gap**2}, "not linear in squared lengths and gaps"),
        ("gd/nonconvex", {"measured": dist**2}, "dist at step 2 is not a form for this class"),
    ],
    ids=["class", "equal", "mean", "norm", "quantity", "not a form", "no minimiser"],
)
def test_theorems_outside_say_why_and_offer_the_search(name, changes, words):
    theorem = dataclasses.replace(BY_ID[name], mutants=(), tight=(), **changes)
    reason = exact_class(theorem)
    assert reason is not None
    assert words in reason
    with pytest.raises(NoExactClassError, match=f"search for one: workbench falsify {name}"):
        worst_case(theorem, steps=2)


def test_theorems_inside_have_no_reason():
    assert exact_class(BY_ID["gd/convex"]) is None
