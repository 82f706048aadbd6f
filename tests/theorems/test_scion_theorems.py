"""What the theorems about Scion and inexact oracles say beside the runs: choices of parameters, numbers."""

import math
import runpy
from dataclasses import replace
from pathlib import Path

import pytest
import sympy as sp
import torch

from workbench.orthogonal import NewtonSchulz
from workbench.symbols import layer_sum, symbols
from workbench.theorems.inexact_lmo import DESCENT, NOISE, STOCHASTIC, SUM
from workbench.theorems.kovalev2025 import THEOREM_2
from workbench.theorems.scion import left_over
from workbench.verify import Budget, judge_unit
from workbench.verify.plan import Unit

EXAMPLE = Path(__file__).parents[2] / "docs/examples/inexact_lmo.py"


def value(e, **values):
    one_layer = e.replace(layer_sum, lambda inner: inner)
    return float(one_layer.subs({symbols(name): sp.Float(v) for name, v in values.items()}))


@pytest.mark.parametrize("eps", [1e-2, 0.3, 2.0])
@pytest.mark.parametrize(("rho", "sigma", "L", "gap0"), [(1, 1, 1, 1), (3, 0.2, 5, 0.1), (8, 4, 0.3, 7)])
def test_the_parameters_of_kovalev_reach_eps(eps, rho, sigma, L, gap0):
    radius = min(eps / (16 * L), eps**3 / (256 * rho**2 * sigma**2 * L))
    alpha = min(1.0, eps**2 / (16 * rho**2 * sigma**2))
    steps = math.ceil(
        max(
            2048 * L * gap0 * rho**2 * sigma**2 / eps**4,
            256 * rho**3 * sigma**3 / eps**3,
            128 * L * gap0 / eps**2,
            16 * rho * sigma / eps,
        )
    )
    known = {"radius_i": radius, "beta": 1 - alpha, "rho_i": rho, "sigma_i": sigma, "L_i": L, "gap0": gap0}
    assert value(THEOREM_2.bound, k=steps, **known) <= eps
    assert value(THEOREM_2.bound, k=steps / 100, **known) > eps


@pytest.mark.parametrize("beta", [0.0, 0.1, 0.5, 0.9, 0.99, 0.999])
def test_an_empty_start_keeps_less_noise_than_the_first_gradient(beta):
    """nu_j <= beta^j + sqrt(alpha / (2 - alpha)), and nu_0 = 1."""
    j = torch.arange(2000, dtype=torch.float64)
    alpha, k = 1 - beta, symbols("k")
    nu = sp.lambdify(k, left_over(k).subs(symbols("beta"), sp.Float(beta)), "numpy")
    found = torch.as_tensor(nu(j.numpy())) * torch.ones(2000, dtype=torch.float64)
    assert found[0] == pytest.approx(1.0, rel=1e-12)
    most = torch.tensor(beta, dtype=torch.float64) ** j + math.sqrt(alpha / (2 - alpha))
    assert bool((found <= most * (1 + 1e-12)).all())
    mean = value(NOISE, beta=beta, k=2000)
    assert float(found.mean()) <= mean


def test_left_over_noise_is_that_of_the_weights():
    beta, j = 0.8, 6
    weights = torch.tensor([beta ** (j - i) for i in range(j + 1)], dtype=torch.float64)
    weights = weights / weights.sum()
    k = symbols("k")
    assert value(left_over(k), k=j, beta=beta) == pytest.approx(float(weights.norm()), rel=1e-12)


@pytest.mark.parametrize(("index", "real"), [(0, 5.76), (1, 5.46)])
def test_a_factor_that_goes_unnoticed_costs_what_it_should(index, real):
    """|X|_F^2 / 2 at 2 I, a step of g / L along 1.2 and 0.7 times the direction: 6 is claimed."""
    mutant = DESCENT.mutants[index]
    (record,) = judge_unit(Unit(DESCENT, mutant.on, Budget("mutant", 1, 1), 0, "", mutant))
    assert record.witness is not None
    assert record.witness["measured"] == pytest.approx(6.0)
    assert record.witness["bound"] == pytest.approx(real, abs=1e-12)


def test_the_bound_needs_factors_that_hold_for_every_matrix():
    """With the published eps no a > 0 is certified: the theorem does not apply."""
    published = replace(
        SUM, mutants=(), tight=(), parameters={**SUM.parameters, "orthogonaliser": NewtonSchulz(5)}
    )
    (record,) = judge_unit(Unit(published, SUM.mutants[0].on, Budget("one", 5, 1), 0, ""))
    assert "requires" in record.reason


def test_the_sweep_over_delta_moves_radius_and_alpha_apart():
    """K = 1e5 and gap0 = L = rho sigma = 1: alpha is the weight of the new gradient, and it rises."""
    found = runpy.run_path(str(EXAMPLE), run_name="example")["by_bound"]()
    radii, alphas = ([row[name] for row in found] for name in ("radius", "alpha"))
    assert [1e4 * r for r in radii] == pytest.approx([1.829, 1.741, 1.671, 1.612], abs=6e-4)
    assert [1e3 * a for a in alphas] == pytest.approx([6.65, 7.24, 7.78, 8.28], abs=6e-3)
    assert sorted(radii, reverse=True) == radii
    assert sorted(alphas) == alphas
    # exchanging alpha and beta would turn it round
    assert sorted((1 - a for a in alphas), reverse=True) == [1 - a for a in alphas]
    # to leading order
    for row in found[1:]:
        d = row["delta"]
        assert row["radius"] / radii[0] == pytest.approx((1 + d) ** -0.25, rel=0.02)
        assert row["alpha"] / alphas[0] == pytest.approx((1 + d) ** 0.5, rel=0.02)
        assert row["error"] / found[0]["error"] == pytest.approx((1 + d) ** 0.25 / (1 - d), rel=0.02)


def test_the_measured_sweep_has_a_row_for_each_delta():
    found = runpy.run_path(str(EXAMPLE), run_name="example")["measured"](steps=10, repeats=2)
    assert [row["delta"] for row in found] == [0.0, 0.2, 0.4, 0.6]
    assert all(math.isfinite(row["error"]) for row in found)
    assert found[0]["error"] < found[-1]["error"]


def test_the_stochastic_bound_is_that_of_the_exact_oracle_where_a_and_b_are_1():
    known = {"k": 50, "gap0": 2.0, "L_i": 3.0, "rho_i": 2.0, "sigma_i": 0.5, "radius_i": 0.1, "beta": 0.9}
    exact = (
        2 / 50 + 0.1 * 2 * (2 * 0.5 * (1 / (0.1 * 50) + math.sqrt(0.1 / 1.9)) + 3 * 0.1 * 9) + 3 * 0.01 / 2
    )
    assert value(STOCHASTIC.bound, a_i=1.0, b_i=1.0, **known) == pytest.approx(exact, rel=1e-12)
