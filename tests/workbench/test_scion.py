"""Scion, with and without constraint: known answers, the balls, special cases, wrong input."""

from types import SimpleNamespace

import pytest
import torch

from assumptions import Lp
from problems import Quadratic
from problems.calculus.noisy import Noisy
from problems.layer_sum import LayerSum
from problems.noise.gaussian import GaussianNoise
from problems.noise.sign import SignNoise
from problems.spectral_quadratic import SpectralQuadratic
from workbench import run
from workbench.methods import NormalisedGradientDescent
from workbench.methods.constrained_scion import ConstrainedScion
from workbench.methods.gluon import Gluon
from workbench.methods.scion import Scion
from workbench.orthogonal import NewtonSchulz
from workbench.orthogonal.rescaled import Rescaled

NOTHING = SimpleNamespace()
Q = ((3.0, 1.0, 0.0), (1.0, 2.0, 0.5), (0.0, 0.5, 1.0))
DIAGONAL = ((3.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 0.5))
MIXED = LayerSum(
    (
        SpectralQuadratic(Q, 2),
        Quadratic((1.0, 4.0), seed=3),
        SpectralQuadratic(DIAGONAL, 2, Lp(float("inf"), scale=2.0)),
    )
)
"""Three layers in three norms."""
LINE = SpectralQuadratic(((1.0,),), 1, start=(3.0,))
"""x^2 / 2 from 3."""


def states(method, problem, steps, **options):
    found = run(method, problem, steps=steps, keep_state=True, **options)
    assert found.x is not None
    return found


def path(method, problem, steps, **options):
    return states(method, problem, steps, **options).x[0]


def test_on_a_line_it_walks_by_the_radius_whatever_the_momentum():
    """The sign of the mean of all gradients: it passes 0 late, after the gradients before add up to 0."""
    assert path(Scion(1.0, 0.0), LINE, 5)[:, 0].tolist() == [3, 2, 1, 0, 0, 0]
    found = path(Scion(1.0, 0.5), LINE, 6)[:, 0].tolist()
    # M: 1.5, 1.75, 1.375, .6875, -.15625, -.078125, ...
    assert found == [3, 2, 1, 0, -1, 0, 1]


def test_every_layer_moves_by_its_own_radius_in_its_own_norm():
    radius = torch.tensor([[0.1, 0.2, 0.3]], dtype=torch.float64)
    x = path(Scion(radius, 0.5), MIXED, 4)
    moved = MIXED.layers.norm_i(x[1:] - x[:-1])
    torch.testing.assert_close(moved, radius.expand(4, 3), rtol=1e-12, atol=0)


def test_without_momentum_one_euclidean_layer_is_normalised_gradient_descent():
    problem = Quadratic((1.0, 4.0), seed=3)
    one, two = (path(m, problem, 20) for m in (Scion(0.1, 0.0), NormalisedGradientDescent(0.1)))
    torch.testing.assert_close(one, two, rtol=0, atol=1e-13)


@pytest.mark.parametrize("beta", [0.3, 0.9])
def test_it_is_gluon_with_weights_that_are_corrected_for_the_empty_start(beta):
    """beta_k = beta (1 - beta^k) / (1 - beta^(k+1)): the same means, so the same directions."""
    problem = Noisy(MIXED, GaussianNoise(0.5))
    one = path(Scion(0.05, beta), problem, 12)
    corrected = [beta * (1 - beta**k) / (1 - beta ** (k + 1)) for k in range(13)]
    schedule = {"beta": torch.tensor(corrected, dtype=torch.float64)}
    radius = torch.full((1, 3), 0.05, dtype=torch.float64)
    two = path(Gluon(radius, 0.0), problem, 12, schedule=schedule)
    torch.testing.assert_close(one, two, rtol=0, atol=1e-12)
    plain = path(Gluon(radius, beta), problem, 12)
    assert float((one - plain).abs().max()) > 1e-4


def test_the_error_of_the_momentum_by_hand():
    """Steps of 1 from 3, beta = 1/2: the mean of 3 and 2 is (3 + 2 * 2) / 3, at x = 1 off by 4/3."""
    trace = run(Scion(1.0, 0.5), LINE, steps=3, record=("momentum_error_i",))
    assert trace["momentum_error_i"][0, 1:3, 0].tolist() == pytest.approx([1.0, 4 / 3])
    assert trace["momentum_error_i"][0, 0, 0].isnan()


@pytest.mark.parametrize(
    "method",
    [Scion(0.1, 0.9), ConstrainedScion(3.0, 0.1, 0.9), Scion(0.1, 0.0, orthogonaliser=NewtonSchulz(5))],
    ids=repr,
)
def test_batches_rows_nan_and_purity(method):
    x = torch.randn(4, MIXED.d, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    x[2] = torch.nan
    state = method.init(MIXED, x, NOTHING)
    copies = [f.clone() for f in state]
    new = method.step(MIXED, state, NOTHING)
    assert all(
        torch.equal(
            a,
            b,
        )
        or i == 0
        for i, (a, b) in enumerate(zip(state, copies, strict=True))
    )
    assert new.x[2].isnan().all()
    for i in (0, 1, 3):
        alone = method.step(MIXED, method.init(MIXED, x[i], NOTHING), NOTHING)
        torch.testing.assert_close(new.x[i], alone.x, rtol=1e-12, atol=1e-13)
    assert {n: c.tolist() for n, c in method.cost(MIXED, state, NOTHING).items()} == {
        "grad_calls": [1] * 4,
        "lmo_calls": [3] * 4,
    }


def test_known_factors_of_directions():
    known = Scion.known(MIXED, {"orthogonaliser": Rescaled(0.7, 1.2)})
    assert known["a_i"].tolist() == [0.7, 1.0, 1.0]
    assert known["b_i"].tolist() == [1.2, 1.0, 1.0]


# -- with constraint --------------------------------------------------------------------------------


def test_on_a_line_the_constrained_one_is_conditional_gradient():
    """x <- x / 2 - sign(x) / 2 in [-1, 1]."""
    problem = SpectralQuadratic(((1.0,),), 1, start=(0.5,))
    assert path(ConstrainedScion(1.0, 0.5, 0.0), problem, 4)[:, 0].tolist() == [
        0.5,
        -0.25,
        0.375,
        -0.3125,
        0.34375,
    ]


def test_outside_of_the_ball_it_comes_nearer():
    """3 -> 0.9 * 3 - 0.1 = 2.6; the ball does not hold it."""
    trace = run(ConstrainedScion(1.0, 0.1, 0.0), LINE, steps=1, record=("reach",))
    assert trace["reach"][0].tolist() == pytest.approx([3.0, 2.6])


def test_iterates_stay_in_the_balls_of_all_layers():
    problem = Noisy(MIXED, SignNoise(3.0))
    radius = 1.5 * MIXED.layers.norm_i(MIXED.x0)[None]
    trace = run(ConstrainedScion(radius, 0.3, 0.5), problem, steps=60, replicates=8, record=("reach",))
    assert float(trace["reach"].max()) <= 1 + 1e-12
    assert float(trace["reach"].max()) > 0.5


def test_the_frank_wolfe_gap_by_hand():
    """x^2 / 2 over [-2, 2] at 1: <1, 1 + 2> = 3; outside it may be negative and is cut."""
    start = torch.tensor([[1.0], [0.0], [-2.0], [3.0]], dtype=torch.float64)
    trace = run(ConstrainedScion(2.0, 0.5, 0.0), LINE, start, steps=1, record=("fw_gap",))
    assert trace["fw_gap"][:, 0].tolist() == [3.0, 0.0, 8.0, 15.0]
    far = SpectralQuadratic(((1.0,),), 1, center=(5.0,), start=(3.0,))
    assert run(ConstrainedScion(2.0, 0.5, 0.0), far, steps=1, record=("fw_gap",))["fw_gap"][0, 0] == 0


def test_the_mean_gap_needs_its_curvature_term():
    """x^2 / 2 in [-1, 1], weight 1/2, from 0.9: 0.447 on average; 0.002 without the term, 1.002 with it."""
    problem = SpectralQuadratic(((1.0,),), 1, start=(0.9,))
    gaps = run(ConstrainedScion(1.0, 0.5, 0.0), problem, steps=400, record=("fw_gap",))["fw_gap"]
    assert float(gaps[0, :400].mean()) == pytest.approx(0.447, abs=5e-4)
    without = 0.405 / (0.5 * 400)
    assert without == pytest.approx(0.002, abs=1e-4)
    assert without + 2 * 0.5 == pytest.approx(1.002, abs=1e-4)


def test_start_and_minimiser_are_facts():
    known = ConstrainedScion.known(MIXED, {"orthogonaliser": NewtonSchulz(5, eps=0.0)})
    torch.testing.assert_close(known["start_i"], MIXED.layers.norm_i(MIXED.x0))
    torch.testing.assert_close(known["star_i"], MIXED.layers.norm_i(MIXED.x_star))
    assert 0.6 < known["a_i"][0] < known["b_i"][0] < 1.21
    assert known["a_i"][1:].tolist() == [1.0, 1.0]


# -- wrong input ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "error", "match"),
    [
        (lambda: Scion(0.0, 0.5), ValueError, "radius_i must be finite and > 0, got 0.0"),
        (lambda: Scion(0.1, 1.0), ValueError, r"beta must be in \[0, 1\), got 1.0"),
        (lambda: Scion(0.1, 0.5, minibatch=0), ValueError, "minibatch must be an integer >= 1"),
        (lambda: Scion(0.1, 0.5, orthogonaliser=3), TypeError, "orthogonaliser must be one such as"),
        (lambda: Scion("0.1", 0.5), TypeError, "radius_i must be a number or a tensor"),
        (lambda: ConstrainedScion(-1.0, 0.5, 0.5), ValueError, "ball_radius_i must be finite and > 0"),
        (lambda: ConstrainedScion(1.0, 1.5, 0.5), ValueError, r"weight must be in \(0, 1\], got 1.5"),
        (lambda: ConstrainedScion(1.0, 0.5, -0.5), ValueError, r"beta must be in \[0, 1\), got -0.5"),
    ],
)
def test_wrong_arguments_are_named(make, error, match):
    with pytest.raises(error, match=match):
        make()


@pytest.mark.parametrize("method", [Scion, lambda r, b: ConstrainedScion(r, 0.5, b)])
def test_radii_for_another_number_of_layers_are_refused(method):
    with pytest.raises(
        ValueError, match="radius_i must have one entry, or one for each of the 3 layers, got 2"
    ):
        run(method(torch.full((1, 2), 0.1), 0.5), MIXED, steps=1)


@pytest.mark.parametrize("method", [Scion(0.1, 0.5), ConstrainedScion(1.0, 0.5, 0.0)], ids=repr)
def test_they_print_as_the_calls_that_make_them(method):
    assert eval(repr(method), {"Scion": Scion, "ConstrainedScion": ConstrainedScion}) == method
