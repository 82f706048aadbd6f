"""Gluon and the methods that it is on layers of one kind."""

import math
from types import SimpleNamespace

import pytest
import sympy as sp
import torch

from assumptions.column_norms import MaxColumn
from assumptions.layerwise.pl import LayerPL
from assumptions.norms import Lp
from problems import (
    CoupledQuadratic,
    GaussianNoise,
    LayerSum,
    LinkMatrix,
    Noisy,
    Power,
    Quadratic,
    QuadraticSum,
    SkewedNoise,
    SpectralQuadratic,
)
from workbench import run
from workbench.draws import STREAM_METHOD, DrawStream
from workbench.methods import NormalisedGradientDescent
from workbench.methods.adaptive_gluon import AdaptiveGluon
from workbench.methods.gluon import Gluon
from workbench.methods.normalised_sgd import NormalisedSGD
from workbench.methods.signum import Signum
from workbench.orthogonal import Exact, NewtonSchulz
from workbench.theorems.drop_muon import ALL_STEPS as TOTAL
from workbench.theorems.drop_muon import STEP as DROP_MUON
from workbench.theorems.gluon import STEP, SUM, gain
from workbench.theorems.inexact_lmo import DESCENT
from workbench.verify import Budget, judge_unit
from workbench.verify.plan import Unit

EYE = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
ROUND = SpectralQuadratic(EYE, 3, start=(2.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 2.0))
INF = float("inf")
MIXED = LayerSum(
    (
        SpectralQuadratic(((2.0, 0.5), (0.5, 1.0)), 3),
        SpectralQuadratic(((1.0, 0.0), (0.0, 2.0)), 2, norm=Lp(INF)),
        SpectralQuadratic(((1.0, 0.0), (0.0, 2.0)), 3, norm=MaxColumn(2, 3, 0.5)),
        Quadratic((1.0, 2.0), seed=0),
    )
)
METHODS = (Gluon, NormalisedSGD, Signum)


def iterates(method, problem, steps, **options):
    trace = run(method, problem, steps=steps, keep_state=True, **options)
    assert trace.x is not None
    return trace.x


def test_a_step_from_twice_the_identity():
    """g = 6 and the direction is I: radius g / L0 = 2 leads to the minimiser, and 6 = 6."""
    trace = run(AdaptiveGluon(3.0, 0.0), ROUND, steps=1, keep_state=True, record=("gap", "gradnorm_i"))
    assert trace.x is not None
    assert trace.quantities["gap"][0].tolist() == pytest.approx([6.0, 0.0], abs=1e-14)
    assert float(trace.quantities["gradnorm_i"][0, 0, 0]) == pytest.approx(6.0)
    x = iterates(Gluon(0.5), ROUND, 1)
    assert torch.allclose(x[0, 1].reshape(3, 3), 1.5 * torch.eye(3).double(), atol=1e-14)


@pytest.mark.parametrize("beta", [0.0, 0.3, 0.9])
def test_every_layer_moves_by_its_radius_along_a_maximiser(beta: float):
    radius = torch.tensor([[0.1, 0.02, 0.3, 0.05]], dtype=torch.float64)
    problem, layers = Noisy(MIXED, GaussianNoise(0.5)), MIXED.layers
    method = Gluon(radius, beta)
    draws = DrawStream(0, range(5), method.draws(problem), "cpu")
    state = method.init(problem, problem.x0.expand(5, -1), SimpleNamespace())
    m = None
    for k in range(4):
        draw = draws.at(k, method.draws(problem), STREAM_METHOD)
        g = problem.noisy_grad(state.x, draw.noise.squeeze(-2))
        m = g if m is None else beta * m + (1 - beta) * g
        new = method.step(problem, state, draw)
        assert torch.allclose(new.m, m, rtol=1e-14)
        move = state.x - new.x
        assert torch.allclose(layers.norm_i(move), radius.expand(5, -1), rtol=1e-10)
        gain = torch.stack([p.sum(-1) for p in (m * move).split(list(layers.sizes), -1)], -1)
        assert torch.allclose(gain, radius * layers.dual_i(m), rtol=1e-10)
        state = new


def test_the_adaptive_radius():
    method = AdaptiveGluon(torch.tensor([[2.0, 0.0]]).double(), torch.tensor([[1.0, 4.0]]).double())
    found = method.radius_i(torch.tensor([[6.0, 3.0], [0.0, 0.0], [math.nan, 1.0]]).double())
    assert found[0].tolist() == [0.75, 0.25]
    assert found[1].tolist() == [0.0, 0.0]
    assert math.isnan(found[2, 0])
    at_minimiser = iterates(AdaptiveGluon(3.0, 0.0), ROUND, 2, x0=torch.zeros(9).double())
    assert torch.equal(at_minimiser, torch.zeros(1, 3, 9).double())


def test_a_layer_on_which_f_does_not_depend_stays():
    offset = torch.tensor([[1e-60, 0.0], [2.0, 0.0]], dtype=torch.float64)
    found = AdaptiveGluon(offset, 0.0).radius_i(torch.tensor([[1.0, 0.0], [3.0, 5.0]]).double())
    assert found.tolist() == [[1e60, 0.0], [1.5, 0.0]]
    assert math.isnan(AdaptiveGluon(offset[1:], 0.0).radius_i(torch.tensor([[1.0, math.nan]]))[0, 1])
    flat = CoupledQuadratic(((1.0, 0.0), (0.0, 0.0)), (1, 1), start=(1.0, 1.0))
    assert iterates(AdaptiveGluon(offset[1:] / 2, 0.0), flat, 1)[0].tolist() == [[1.0, 1.0], [0.0, 1.0]]


@pytest.mark.parametrize("theorem", [STEP, SUM, DESCENT, DROP_MUON, TOTAL], ids=lambda t: t.id)
@pytest.mark.parametrize(
    "problem",
    [
        LinkMatrix("exp", 1, 1, rates=(1000.0,), start=(-1.0,)),
        LayerSum((LinkMatrix("exp", 1, 1, start=(-800.0,)), LinkMatrix("exp", 1, 1, start=(1.0,)))),
        CoupledQuadratic(((1.0, 0.0), (0.0, 0.0)), (1, 1), start=(1.0, 1.0)),
    ],
    ids=["no gradient", "no gradient in a layer", "nothing in a layer"],
)
def test_a_layer_without_a_gradient_adds_nothing_to_the_decrease(theorem, problem):
    """g^2 / (2 (L0 + L1 g)) is 0/0 where g = L0 = 0."""
    (*records,) = judge_unit(Unit(theorem, problem, Budget("one", 5, 1), 0, ""))
    assert records
    assert all(r.verdict == "not refuted" and r.checked for r in records)


def test_the_gain_of_a_layer():
    at = ((6, 3, 0), (2, 1, 0.5), (3, 0, 2), (0, 0, 1), (0, 0, 0))
    assert [float(gain(*map(sp.sympify, numbers))) for numbers in at] == [6, 1, 0.75, 0, 0]


def test_without_noise_and_momentum_one_euclidean_layer_is_normalised_gradient_descent():
    problem = Quadratic((1.0, 2.0, 5.0), seed=1)
    expected = iterates(NormalisedGradientDescent(0.1), problem, 6)
    for kind in (Gluon, NormalisedSGD):
        assert torch.allclose(iterates(kind(0.1), problem, 6), expected, rtol=1e-12)


def test_signum_by_hand():
    problem = Noisy(Quadratic((1.0,), (0.0,), seed=None, start=(0.5,)), SkewedNoise(1e-9))
    x = iterates(Signum(0.2, 0.5), problem, 5)[0, :, 0]
    # gradients 0.5, 0.3, 0.1, -0.1, -0.3: the momentum 0.5, 0.4, 0.25, 0.075, -0.1125 is late by a step
    assert x.tolist() == pytest.approx([0.5, 0.3, 0.1, -0.1, -0.3, -0.1])


@pytest.mark.parametrize(
    "kind", [*METHODS, lambda r: AdaptiveGluon(r, 1.0)], ids=[*map(str, METHODS), "AdaptiveGluon"]
)
def test_a_row_of_nan_stays_alone_and_zero_stays(kind):
    problem = LayerSum((Power(p=4.0), Quadratic((1.0, 2.0), (0.0, 0.0), seed=None)))
    x0 = torch.stack([problem.x0, torch.full((3,), math.nan).double(), torch.zeros(3).double()])
    method = kind(0.1)
    new = method.step(problem, method.init(problem, x0, SimpleNamespace()), SimpleNamespace())
    alone = method.step(problem, method.init(problem, x0[:1], SimpleNamespace()), SimpleNamespace())
    assert torch.equal(new.x[:1], alone.x)
    assert bool(new.x[1].isnan().all())
    assert torch.equal(new.x[2], torch.zeros(3).double())


@pytest.mark.parametrize("kind", METHODS, ids=lambda k: k.__name__)
def test_radii_and_momenta_of_each_row(kind):
    problem = Noisy(MIXED, GaussianNoise(0.5))
    radius = torch.tensor([[0.1, 0.2, 0.3, 0.4], [0.01, 0.02, 0.03, 0.04]]).double()
    beta = torch.tensor([[0.5], [0.9]]).double()
    both = iterates(kind(radius, beta), problem, 3, replicates=2)
    for row in range(2):
        one = iterates(kind(radius[row : row + 1], float(beta[row, 0])), problem, 3, replicates=1, first=row)
        assert torch.allclose(both[row : row + 1], one, rtol=1e-12)


@pytest.mark.parametrize("kind", METHODS, ids=lambda k: k.__name__)
def test_costs(kind):
    terms = QuadraticSum.isotropic(2.0, ((1.0, 0.0), (0.0, 3.0), (-1.0, -1.0)))
    for problem, minibatch, gradients in (
        (terms, 2, 2),
        (terms, 3, 3),
        (Noisy(MIXED, GaussianNoise(1.0)), 2, 2),
    ):
        trace = run(kind(0.1, 0.5, minibatch), problem, steps=4)
        assert float(trace.costs["grad_calls"][0, -1]) == 4 * gradients
        assert float(trace.costs["lmo_calls"][0, -1]) == 4 * problem.layers.n_layers
    trace = run(AdaptiveGluon(1.0, 1.0), terms, steps=4)
    assert float(trace.costs["grad_calls"][0, -1]) == 12


def test_the_orthogonaliser_moves_spectral_layers_alone():
    exact, rough = (iterates(Gluon(0.1, 0.0, 1, o), MIXED, 1) for o in (Exact(), NewtonSchulz(3)))
    first = MIXED.layers.sizes[0]
    assert not torch.allclose(exact[..., :first], rough[..., :first], rtol=1e-3)
    assert torch.equal(exact[..., first:], rough[..., first:])


@pytest.mark.parametrize("kind", METHODS, ids=lambda k: k.__name__)
def test_wrong_input(kind):
    for radius in (0.0, -1.0, math.inf, math.nan, torch.tensor([[1.0, 0.0]])):
        with pytest.raises(ValueError, match="radius_i"):
            kind(radius)
    for beta in (1.0, -0.1, math.nan, torch.tensor([[0.5], [1.0]])):
        with pytest.raises(ValueError, match=r"beta must be in \[0, 1\)"):
            kind(0.1, beta)
    with pytest.raises(ValueError, match="beta must be a float or have shape"):
        kind(0.1, torch.tensor([0.5, 0.6]))
    with pytest.raises(ValueError, match="minibatch"):
        kind(0.1, 0.5, 0)


def test_wrong_input_of_others():
    with pytest.raises(TypeError, match="orthogonaliser must be one such as Exact"):
        Gluon(0.1, 0.5, 1, "exact")  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="radius_i must have one entry"):
        run(Gluon(torch.tensor([[0.1, 0.2]]).double()), MIXED, steps=1)
    for nothing in (0.0, torch.zeros(1, 2), torch.tensor([[1.0, 0.0], [0.0, 0.0]])):
        with pytest.raises(ValueError, match="must not both be 0 in every layer"):
            AdaptiveGluon(nothing, 0.0)
    with pytest.raises(ValueError, match="offset_i"):
        AdaptiveGluon(-1.0, 1.0)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_pl_of_layers(scale: float):
    """One Euclidean layer with eigenvalues 1 and 3: the constant is 1; sums take the smallest."""
    one = LayerSum((Quadratic((scale, 3 * scale), (0.0, 0.0), seed=None),))
    (right,) = (c.assumption for c in one.certified if isinstance(c.assumption, LayerPL))
    assert right.mu_layers == pytest.approx(scale)
    assert right.refute(one, 2000).verdict == "not refuted"
    assert LayerPL(scale / 0.97).refute(one, 4000).verdict == "refuted"
    flat = Quadratic((scale / 2,), (0.0,), seed=None)
    (both,) = (
        c.assumption for c in LayerSum((*one.problems, flat)).certified if isinstance(c.assumption, LayerPL)
    )
    assert both.mu_layers == pytest.approx(scale / 2)
    assert both.refute(LayerSum((*one.problems, flat)), 2000).verdict == "not refuted"
    assert LayerPL.estimate(one, torch.tensor([[1.0, 0.0]]).double())["mu_layers_seen"] == pytest.approx(
        scale
    )


def test_pl_of_layers_needs_the_norms_of_the_layers():
    # x_1^2 + ... in the largest-entry norm: |g|_1^2 >= |g|_2^2, with equality at one entry
    signs = SpectralQuadratic(((1.0,),), 4, norm=Lp(INF))
    (right,) = (c.assumption for c in signs.certified if isinstance(c.assumption, LayerPL))
    assert right.mu_layers == pytest.approx(1.0)
    assert right.refute(signs, 2000).verdict == "not refuted"
    axis = torch.tensor([[1.0, 0.0, 0.0, 0.0]]).double()
    assert LayerPL(1 / 0.97).check(signs, axis).verdict == "refuted"
    assert not any(
        isinstance(c.assumption, LayerPL)
        for c in LayerSum((signs, LinkMatrix("logistic", 2, 2, (1.0,)))).certified
    )
    for bad in (0.0, -1.0, math.inf):
        with pytest.raises(ValueError, match="mu_layers"):
            LayerPL(bad)
