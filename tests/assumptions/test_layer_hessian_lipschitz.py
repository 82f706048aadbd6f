"""A Lipschitz Hessian of each layer: tight constants, false ones, rounding, who certifies it."""

import math

import pytest
import torch

from assumptions import closure
from assumptions.column_norms import MaxColumn
from assumptions.layerwise.hessian_lipschitz import LayerHessianLipschitz
from assumptions.matrix_norms import Nuclear, Spectral
from assumptions.specification import parse_specification
from problems import CoupledQuadratic, Huber, LayerSum, LinkMatrix, SpectralQuadratic
from problems.links import LINKS

WAVE = LinkMatrix("cosine", 1, 1, (2.0,), (3.0,), seed=None)
TIGHT = {
    "logistic": 1 / (6 * math.sqrt(3)),
    "log-cosh": 4 / (3 * math.sqrt(3)),
    "cosine": 1.0,
    "robust": 4.669,
}


def own(problem):
    found = [c.assumption for c in problem.certified if isinstance(c.assumption, LayerHessianLipschitz)]
    return found[0] if found else None


def close_points(scale):
    """Neighbours on a grid of [-3, 3], and a third point, in units of scale."""
    x = scale * torch.linspace(-3, 3, 1201, dtype=torch.float64).unsqueeze(-1)
    return x[:-1], x[1:], x[:-1] + scale


@pytest.mark.parametrize("link", TIGHT)
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_links_with_a_bounded_third_derivative(link, scale):
    problem = LinkMatrix(link, 1, 1, (2.0,), (3.0 / scale,), seed=None)
    held = own(problem)
    assert held.L_h_i[0] == pytest.approx(6 * TIGHT[link] / scale, rel=1e-12)
    found = held.check(problem, *close_points(scale))
    assert found.verdict == "not refuted"
    assert found.ratio > 0.98
    small = LayerHessianLipschitz((0.97 * held.L_h_i[0],))
    assert small.check(problem, *close_points(scale)).verdict == "refuted"
    seen = LayerHessianLipschitz.estimate(problem, *close_points(scale))["L_h_i_seen"]
    assert 0.98 * held.L_h_i[0] < seen[0] <= held.L_h_i[0] * (1 + 1e-9)


@pytest.mark.parametrize("link", TIGHT)
def test_a_search_finds_the_constant(link):
    problem = LinkMatrix(link, 1, 1, (2.0,), (3.0,), seed=None)
    (L_h,) = own(problem).L_h_i
    assert own(problem).refute(problem, budget=2000).verdict == "not refuted"
    assert LayerHessianLipschitz((0.9 * L_h,)).refute(problem, budget=2000).verdict == "refuted"


@pytest.mark.parametrize("link", sorted(LINKS))
def test_the_third_derivative_of_a_link_is_below_its_bound(link):
    s = torch.linspace(-8, 8, 400_001, dtype=torch.float64)
    slopes = (LINKS[link].curvature(s[1:]) - LINKS[link].curvature(s[:-1])).abs() / (s[1:] - s[:-1])
    assert float(slopes.max()) <= LINKS[link].J * (1 + 1e-9) + 1e-10
    if link in TIGHT:
        assert float(slopes.max()) > 0.9995 * LINKS[link].J


def test_links_without_one():
    for link in ("quartic", "exp", "cosh"):
        problem = LinkMatrix(link, 1, 1, seed=None)
        assert own(problem) is None
        assert LayerHessianLipschitz((50.0,)).refute(problem, budget=2000).verdict == "refuted"


@pytest.mark.parametrize(
    ("norm", "constant"),
    [(Spectral(2, 3), 3.0), (Spectral(2, 3, scale=2.0), 3 / 8), (Nuclear(2, 3), 2.0), (MaxColumn(2, 3), 3.0)],
    ids=repr,
)
def test_terms_add_up_or_not_by_the_norm(norm, constant):
    problem = LinkMatrix("cosine", 2, 3, (1.0, 2.0), norm=norm, seed=None)
    held = own(problem)
    assert held.L_h_i[0] == pytest.approx(constant, rel=1e-11)
    assert held.refute(problem, budget=3000).verdict == "not refuted"
    # a common turn of all terms in their own direction attains it
    x = torch.zeros(1, 6, dtype=torch.float64)
    unit = norm.lmo_direction(torch.tensor([1.0, 0, 0, 0, 1.0, 0], dtype=torch.float64))
    y, z = x + math.pi / 2 / float(unit.abs().max()) * unit, x + unit
    near = LayerHessianLipschitz((0.6 * constant,)).check(problem, x, y, z)
    assert (near.verdict == "refuted") == (norm != Nuclear(2, 3))


def test_quadratics_have_it_with_zero():
    problem = LayerSum((SpectralQuadratic(((2.0, 0.5), (0.5, 1.0)), 3), SpectralQuadratic(((3e6,),), 2)))
    known = [c.assumption for c in closure(problem.certified)]
    assert LayerHessianLipschitz((0.0, 0.0)) in known
    assert LayerHessianLipschitz((0.0, 0.0)).refute(problem, budget=1000).verdict == "not refuted"
    coupled = CoupledQuadratic(((1.0, 0.5), (0.5, -1.0)), (1, 1))
    assert LayerHessianLipschitz((0.0, 0.0)).refute(coupled, budget=1000).verdict == "not refuted"


def test_each_layer_has_its_own_constant():
    problem = LayerSum((WAVE, LinkMatrix("log-cosh", 1, 1, seed=None)))
    constants = (6.0, 4 / (3 * math.sqrt(3)) * (1 + 1e-15))
    points = [torch.cat([p, p], dim=-1) for p in close_points(1.0)]
    assert LayerHessianLipschitz(constants).check(problem, *points).verdict == "not refuted"
    for i in range(2):
        less = tuple(0.97 * c if i == j else c for j, c in enumerate(constants))
        assert LayerHessianLipschitz(less).check(problem, *points).verdict == "refuted"


def test_estimates_see_what_the_points_show():
    x = torch.zeros(1, 1, dtype=torch.float64)
    y, z = x + math.pi / 6, x + 1.0  # 2 (1 - cos(pi / 2)) over pi / 6
    found = LayerHessianLipschitz.estimate(WAVE, x, y, z)
    assert found["L_h_i_seen"] == pytest.approx((12 / math.pi,))
    same = LayerHessianLipschitz.estimate(SpectralQuadratic(((2.0,),), 1), x, y, z)
    assert same == {"L_h_i_seen": (0.0,)}


def test_what_it_refuses():
    with pytest.raises(ValueError, match="L_h_i must hold finite numbers >= 0"):
        LayerHessianLipschitz((-1.0,))
    x = torch.ones(1, 1, dtype=torch.float64)
    with pytest.raises(TypeError, match="hvp"):
        LayerHessianLipschitz((1.0,)).check(Huber(d=1), x, 2 * x, 3 * x)
    with pytest.raises(ValueError, match="one entry for each of the 1 layers"):
        LayerHessianLipschitz((1.0, 2.0)).check(WAVE, x, 2 * x, 3 * x)
    assumption = LayerHessianLipschitz((1.0, 0.5))
    names = {"LayerHessianLipschitz": LayerHessianLipschitz}
    assert parse_specification(repr(assumption), names) == assumption
