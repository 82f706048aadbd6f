"""Rates against the numbers of the bound itself, and K(epsilon) against the bound that it inverts."""

import math

import pytest
import sympy as sp
import torch

from assumptions import Smooth, StronglyConvex
from workbench import Source, Theorem, symbols
from workbench.algebra.complexity import complexity
from workbench.algebra.orders import NoOrderError, leading
from workbench.algebra.rate import rates
from workbench.algebra.rewriting import spread
from workbench.algebra.samples import bound_along, numbers, places
from workbench.methods import GradientDescent
from workbench.registry import Registry
from workbench.symbols import avg, layer_sum, total

THEOREMS = {t.id: t for t in Registry().theorems}
RATES = {name: rates(t) for name, t in THEOREMS.items()}
k, L, mu, gap0, dist0, stepsize, gap, K = symbols("k L mu gap0 dist0 stepsize gap K")
WHERE = [
    {
        n: torch.full((1, 1), v, dtype=torch.float64)
        for n, v in {"L": 2.0, "mu": 0.1, "gap0": 1.0, "dist0": 3.0, "stepsize": 0.4}.items()
    }
]
FAR = 2**13
"""Steps at which a bound is compared with its leading term."""


def claim(**changes) -> Theorem:
    made = {
        "id": "mine/claim",
        "title": "",
        "source": Source("", "RECALLED"),
        "method": GradientDescent,
        "parameters": {"stepsize": 1 / L},
        "assumes": (StronglyConvex, Smooth),
        "measured": gap,
    }
    return Theorem(**{**made, **changes})


def with_rate():
    return [
        pytest.param(name, number, rate, id=f"{name}-{number}")
        for name, found in RATES.items()
        for number, rate in enumerate(found)
        if rate.kind in ("power", "linear", "floor", "constant")
    ]


@pytest.mark.parametrize(("name", "number", "rate"), with_rate())
def test_the_bound_itself_falls_as_claimed(name, number, rate):
    """The theorem's bound with its rules, evaluated as a run does, against its leading term."""
    del number
    theorem = THEOREMS[name]
    place = places(theorem, rate.variant)[0]
    coefficient = float(numbers(rate.coefficient, place)[0])
    factor = float(numbers(rate.factor, place)[0])
    far = 200 if rate.kind == "linear" else FAR
    near = far // 2
    along = [bound_along(theorem, rate.variant, steps) for steps in (near, far)]
    values = [float(b[0, -1]) for b in along if b is not None]
    if rate.kind == "power":
        logs = rate.logs * math.log2(math.log(far) / math.log(near))
        assert math.log2(values[1] / values[0]) == pytest.approx(float(rate.exponent) + logs, abs=0.03)
        predicted = coefficient * far ** float(rate.exponent) * math.log(far) ** rate.logs
        assert values[1] == pytest.approx(predicted, rel=0.6 if rate.logs else 0.06)
    elif rate.kind == "linear":
        assert values[1] == pytest.approx(coefficient * factor**far, rel=1e-3)
    else:
        room = abs(values[0] - coefficient)
        assert abs(values[1] - coefficient) <= max(0.75 * room, 1e-9 * abs(coefficient))


def test_most_of_the_library_has_a_rate():
    kinds = [rate.kind for found in RATES.values() for rate in found]
    assert len([n for n in kinds if n in ("power", "linear", "floor")]) >= 80
    assert kinds.count("step") >= 45


@pytest.mark.parametrize(
    ("bound", "exponent", "coefficient"),
    [
        (gap0 / k, -1, gap0),
        (L * dist0**2 / (4 * L * stepsize * k + 2), -1, dist0**2 / (4 * stepsize)),
        (gap0 / k + sp.sqrt(gap0 * L / k), sp.Rational(-1, 2), sp.sqrt(gap0 * L)),
        (gap0 / k**2 + mu**k * gap0, -2, gap0),
        (total(stepsize) / k**2, -1, stepsize),
        (sp.Max(gap0 / k, L / k**2), -1, gap0),
        (sp.Min(gap0 / k, L / k**2), -2, L),
        (dist0 / total(1 / sp.sqrt(k + 1)), sp.Rational(-1, 2), dist0 / 2),
        (avg(1 / sp.sqrt(k + 1)) * gap0, sp.Rational(-1, 2), 2 * gap0),
    ],
    ids=str,
)
def test_leading_terms(bound, exponent, coefficient):
    (rate,) = rates(claim(bound=bound))
    assert rate.kind == "power"
    assert rate.exponent == exponent
    assert not rate.logs
    assert sp.simplify(rate.coefficient - coefficient) == 0


def test_logarithms_and_factors():
    by_log = leading(gap0 * total(1 / (k + 1)), WHERE)
    assert (by_log.logs, by_log.power) == (1, 0)
    linear = leading(gap0 * (1 - mu * stepsize) ** (2 * k + 1), WHERE)
    assert sp.simplify(linear.factor - (1 - mu * stepsize) ** 2) == 0


def test_terms_that_cancel_are_expanded_or_refused():
    assert leading((k + 1) ** 2 - k**2, WHERE).power == 1
    with pytest.raises(NoOrderError, match="cancel"):
        leading(sp.sqrt(k + 1) - sp.sqrt(k), WHERE)


def test_an_order_that_depends_on_the_constants_is_refused():
    places_apart = [{**WHERE[0], "L": torch.full((1, 1), v, dtype=torch.float64)} for v in (0.2, 0.01)]
    with pytest.raises(NoOrderError, match="depends on the constants"):
        leading(mu**k + L**k, places_apart)


def test_a_horizon_is_the_variable_that_grows():
    (rate,) = RATES["subgradient/horizon"]
    assert rate.per == "K"
    assert rate.exponent == sp.Rational(-1, 2)
    assert str(complexity(rate)) == "K(epsilon) = ceil(G**2*dist0**2/epsilon**2)"


def test_rules_that_change_are_substituted():
    every = {str(r.rules): r for r in RATES["subgradient/any-stepsizes"]}
    assert [r.kind for r in every.values()] == ["power", "floor", "power"]
    assert [r.logs for r in every.values()] == [1, 0, -1]


def test_a_step_says_its_factor_and_noise():
    (rate,) = RATES["sgd/noise-strongly-convex-step"]
    stepsize, sigma, minibatch = symbols("stepsize sigma minibatch")
    assert rate.kind == "step"
    assert rate.coefficient == sigma**2 * stepsize**2 / minibatch
    assert "repeated, down to" in str(complexity(rate))
    (line, _) = RATES["bpm/line"]
    assert str(line.factor) == "1 - radius/dist"
    assert line.along
    assert complexity(line).kind == "none"


@pytest.mark.parametrize(
    "bound",
    [
        gap0 / k,
        gap0 * (1 - mu * stepsize) ** k,
        gap0 * (1 - mu * stepsize) ** k + L * (1 - (1 - mu * stepsize) ** k) / 100,
        2 * dist0**2 / (stepsize * (k + 1) ** 2),
        gap0 / k + sp.sqrt(gap0**2 / k**2 + 2 * gap0 * L / k),
        (gap0 + L * k) / k**2,
    ],
    ids=["1/k", "linear", "floor", "1/k^2", "root", "rational"],
)
def test_the_bound_at_k_of_epsilon_is_epsilon(bound):
    (rate,) = rates(claim(bound=bound))
    found = complexity(rate)
    assert found.kind == "exact"
    epsilon = float(bound.subs({L: 2, mu: 0.1, gap0: 1, dist0: 3, stepsize: 0.5, k: 11}))
    at = found.steps.subs({L: 2, mu: 0.1, gap0: 1, dist0: 3, stepsize: 0.5, symbols("epsilon"): epsilon})
    assert float(at) == pytest.approx(11, rel=1e-9)


def test_a_bound_that_does_not_fall_is_not_inverted():
    (grows,) = rates(claim(bound=gap0 * k))
    assert complexity(grows).kind == "none"
    (floor,) = rates(claim(bound=gap0 + sp.Min(gap0 / k, L / k**2)))
    assert str(complexity(floor)) == "never below gap0 with these rules"


def test_a_claim_without_a_rate_says_why():
    reasons = {name: str(rates(THEOREMS[name])[0]) for name in ("bpm/one-step", "page/gradient-descent")}
    assert reasons["bpm/one-step"] == "a bound of 0, which has no rate"
    assert reasons["page/gradient-descent"] == "an identity, which has no rate"
    assert "slope -2.0" in str(RATES["point-saga/kinks-mean"][0])
    assert "the bound speaks of the path" in str(RATES["adago/growth"][0])


def test_sums_over_layers_are_taken_apart():
    radius, beta = symbols("radius_i beta")
    e = layer_sum(radius * (1 + beta / k))
    assert spread(e) == layer_sum(radius) + layer_sum(radius * beta) / k
