"""Names of claims with a layer axis: rho_i, size_i, gradnorm_i, h_sum_i."""

import pytest
import torch

from assumptions import CoupledSmooth
from assumptions.layerwise.rounding import layer_gradient_change, reach_i
from assumptions.matrix_norms import Nuclear, Spectral
from assumptions.norms import Lp
from problems import CoupledQuadratic, LayerSum, LinearNetwork, LinkMatrix, Power, SpectralQuadratic
from workbench.engine import run
from workbench.methods import GradientDescent
from workbench.parts import Source
from workbench.symbols import layer_max, layer_sum, symbols
from workbench.theorem import Theorem
from workbench.verify.budget import Budget
from workbench.verify.run import verify

MIXED = LayerSum(
    (
        SpectralQuadratic(((2.0, 0.5), (0.5, 1.0)), 3),
        SpectralQuadratic(((1.0,),), 4, norm=Lp(float("inf"))),
        LinkMatrix("cosh", 2, 2, (1.0, 2.0)),
        Power(p=4.0),
    )
)
SMALL = Budget("small", 20, 4)
gradnorm, gradnorm_i, rho_i, size_i, d, stepsize = symbols("gradnorm gradnorm_i rho_i size_i d stepsize")
h_sum_i, gap, gap_next = symbols("h_sum_i gap gap_next")


def theorem(**parts) -> Theorem:
    return Theorem(
        **{
            "id": "words/test",
            "title": "A claim with a layer axis",
            "source": Source("here", "DERIVED"),
            "method": GradientDescent,
            "parameters": {"stepsize": 1e-2},
            **parts,
        }
    )


def verdict(claim: Theorem, problem) -> str:
    (record,) = verify([claim], [problem], budget=SMALL)
    return str(record.verdict)


def test_facts_of_the_layers():
    assert "not refuted" in verdict(theorem(measured=layer_sum(size_i), bound=d), MIXED)
    assert verdict(theorem(measured=layer_sum(size_i), bound=d - 1), MIXED) == "refuted"
    # sqrt 2, sqrt 4, sqrt 2, 1
    assert "not refuted" in verdict(theorem(measured=layer_sum(rho_i**2), bound=9.0001), MIXED)
    assert verdict(theorem(measured=layer_sum(rho_i**2), bound=8.999), MIXED) == "refuted"


def test_gradnorm_i_is_the_dual_norm_of_each_layer():
    trace = run(GradientDescent(1e-2), MIXED, steps=3, record=("gradnorm_i", "gradnorm"), keep_state=True)
    assert trace.x is not None
    expected = MIXED.layers.dual_i(MIXED.grad(trace.x))
    assert torch.equal(trace.quantities["gradnorm_i"], expected)
    assert trace.quantities["gradnorm_i"].shape == (1, 4, 4)
    # a dual norm is at most rho times the Euclidean one, and here at least that
    claim = theorem(measured=layer_sum((gradnorm_i / rho_i) ** 2), bound=gradnorm**2)
    assert "not refuted" in verdict(claim, MIXED)
    claim = theorem(measured=gradnorm, bound=layer_max(gradnorm_i))
    assert verdict(claim, MIXED) == "refuted"


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_the_resolution_covers_the_error_of_x_and_little_more(scale: float):
    """The gradient read at a point moved by x_error is within it; the probe and the certificates agree."""
    network = LinearNetwork(((1.0, 0.5, 0.0), (0.2, -1.0, 0.3)), 2, 1.5, 0.7)
    for problem in (MIXED, CoupledQuadratic(((1.0, 1.0), (1.0, 2.0)), (1, 1)), network):
        layers, x = problem.layers, scale * problem.x0.expand(20, -1)
        g, error = problem.grad(x), scale * torch.full((20,), 1e-9).double()
        noise = torch.randn(20, problem.d, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        moved = x + error[:, None] * noise / noise.norm(dim=-1, keepdim=True)
        if not bool(g.isfinite().all()):
            continue
        change = layers.dual_i(problem.grad(moved) - g)
        bound = layer_gradient_change(problem, layers, x, layers.dual_i(g), error)
        # directions of the probe are few: it stands in where nothing is certified everywhere
        assert bool((change <= 2 * bound + 1e-12 * layers.dual_i(g)).all())


def test_the_reach_of_a_layer_is_not_too_small():
    layers = LayerSum((SpectralQuadratic(((1.0, 0.0), (0.0, 1.0)), 3, norm=Nuclear(2, 3)),)).layers
    z = torch.randn(100, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert bool((layers.norm_i(z)[:, 0] <= reach_i(layers)[0] * z.norm(dim=-1)).all())
    assert reach_i(MIXED.layers) == pytest.approx((6**0.5, 2.0, 2.0, 1.0))
    assert Spectral(2, 3).rho(6) == pytest.approx(2**0.5)


def test_near_a_minimiser_rounding_refutes_nothing():
    """Steps of 1/L on a quadratic: after many, g_i is rounding, and both sides cancel."""
    claim = theorem(
        parameters={"stepsize": 0.3},
        measured=gap_next,
        bound=gap - stepsize * (1 - 2.5 * stepsize / 2) * layer_sum((gradnorm_i / rho_i) ** 2),
    )
    problem = LayerSum(
        (SpectralQuadratic(((2.0, 0.5), (0.5, 1.0)), 3), SpectralQuadratic(((1.0,),), 4, norm=Lp(1.0))),
    )
    (record,) = verify([claim], [problem], budget=Budget("long", 200, 8))
    assert "not refuted" in str(record.verdict)


def test_row_sums_in_a_claim():
    problem = CoupledQuadratic(((1.0, 1.0), (1.0, 2.0)), (1, 1))
    holds = theorem(assumes=(CoupledSmooth,), measured=layer_sum(h_sum_i), bound=5.0001)
    assert "not refuted" in verdict(holds, problem)
    assert (
        verdict(theorem(assumes=(CoupledSmooth,), measured=layer_max(h_sum_i), bound=2.9), problem)
        == "refuted"
    )
