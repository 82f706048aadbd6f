"""Problems of layers: constants that are exact in the norms of the layers, and false ones refuted."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import assumptions
from assumptions import EUCLIDEAN, PL, Assumption, Inequality, Layers, Lp, Norm, Smooth, Weighted
from assumptions.column_norms import MaxColumn, MaxRow, SumColumns, SumRows
from assumptions.l0l1.hessian import HessianL0L1
from assumptions.l0l1.local import LocalL0L1
from assumptions.layerwise.block_descent import BlockDescent
from assumptions.layerwise.coupled_smooth import CoupledSmooth
from assumptions.layerwise.literal_l0l1 import LiteralLayerL0L1
from assumptions.layerwise.local_l0l1 import LocalLayerL0L1
from assumptions.layerwise.smooth import LayerSmooth
from assumptions.matrix_norms import Nuclear, Spectral
from assumptions.sampling import sample_points
from assumptions.specification import parse_specification
from problems import Huber, LogLoss, LogSumExp, Problem, Quadratic, WeightedL1
from problems.calculus.noisy import Noisy
from problems.coupled_quadratic import CoupledQuadratic, operator_norm_up
from problems.layer_region import LayerBalls
from problems.layer_sum import LayerSum
from problems.linear_network import LinearNetwork
from problems.link_matrix import LinkMatrix
from problems.link_sum import LinkSum
from problems.links import LINKS
from problems.matrix_constants import left_smoothness
from problems.matrix_space import Matrices, Semidefinite
from problems.noise.sign import SignNoise
from problems.spectral_quadratic import SpectralQuadratic
from tests.assumptions.toys import Toy

EPS = torch.finfo(torch.float64).eps
DIAGONAL = ((3.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 0.5))
DENSE = ((2.0, -1.0, 0.5), (-1.0, 1.5, 0.25), (0.5, 0.25, 1.0))
FLAT = ((1.0, 1.0), (1.0, 1.0))
SUM_SQUARED = CoupledQuadratic(((1.0, 1.0), (1.0, 1.0)), (1, 1))
PRODUCT = CoupledQuadratic(((0.0, 1.0), (1.0, 0.0)), (1, 1))
NETWORK = LinearNetwork(((-1.0, 0.0, 0.0), (0.0, -1.0, 0.0), (0.0, 0.0, -1.0)), 3, r1=0.7, r2=1.3)
MIXED = LayerSum(
    (
        SpectralQuadratic(DENSE, 2),
        Quadratic((1.0, 4.0), seed=3, f_star=2.0),
        LinkMatrix("cosh", 2, 3, (1.0, 0.3)),
    )
)
MEMBERS: tuple[Problem, ...] = (
    SpectralQuadratic(DIAGONAL, 2, center=(1.0, 0.0, -2.0, 0.5, 0.1, 3.0)),
    SpectralQuadratic(DENSE, 4, Spectral(3, 4, 0.5)),
    SpectralQuadratic(FLAT, 3, Nuclear(2, 3), start=(1.0,) * 6),
    *(LinkMatrix(link, 3, 4, (1.0, 0.3), (2.0, 0.5), (0.4, -1.0)) for link in LINKS),
    LinkMatrix("cosh", 3, 2, (1.0, 0.3), norm=Lp(math.inf), seed=None),
    NETWORK,
    LinearNetwork(((1.0, 2.0), (0.5, -1.0), (3.0, 0.0)), 1, r1=2.0, r2=0.5),
    SUM_SQUARED,
    PRODUCT,
    CoupledQuadratic(((2.0, 0.3, -1.0), (0.3, -1.0, 0.5), (-1.0, 0.5, 1.0)), (1, 2), center=(1.0, 0.0, 2.0)),
    CoupledQuadratic(DENSE, (2, 1), center=(1.0, 0.0, 2.0), start=(3.0, 3.0, 3.0)),
    MIXED,
    LayerSum((Huber(L=2.0, delta=0.5, d=2), LogLoss((1.0, -2.0)))),
    *(family.sample(seed) for family in (SpectralQuadratic, LinkMatrix, LinearNetwork) for seed in (0, 1)),
)
every = pytest.mark.parametrize("problem", MEMBERS, ids=repr)
NAMES = {
    **{name: getattr(assumptions, name) for name in ("Lp", "Layers", "Weighted")},
    **{c.__name__: c for c in (Spectral, Nuclear, MaxColumn, SumColumns, MaxRow, SumRows, LayerBalls)},
    **{type(p).__name__: type(p) for p in MEMBERS},
    **{c.__name__: c for c in (Quadratic, Huber, LogLoss)},
}


def gaussian(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def around(problem: Problem, *shape: int, seed: int = 0) -> Tensor:
    return problem.x0 + gaussian(*shape, problem.d, seed=seed)


def found(problem: Problem, kind: type[Assumption], **fields: Any) -> Any:
    """The certified assumption of that class and with these fields."""
    (only,) = [
        c.assumption
        for c in problem.certified
        if type(c.assumption) is kind and all(getattr(c.assumption, k) == v for k, v in fields.items())
    ]
    return only


def verdict(assumption: Inequality, problem: Any, budget: int = 2_560, **options: Any) -> tuple[str, float]:
    check = assumption.refute(problem, budget=budget, **options)
    return check.verdict, check.ratio


def tight(kind: Any, constant: float, problem: Any, *fields: Any, budget: int = 5_120) -> None:
    """The constant stands, and 0.97 of it does not."""
    assert verdict(kind(constant, *fields), problem, budget)[0] == "not refuted"
    assert verdict(kind(0.97 * constant, *fields), problem, budget)[0] == "refuted"


# the contract of a problem


@every
def test_gradients_and_products_are_derivatives(problem: Problem):
    x, v = around(problem, 5).requires_grad_(), gaussian(5, problem.d, seed=1)
    (expected,) = torch.autograd.grad(problem.value(x).sum(), x)
    assert torch.allclose(problem.grad(x.detach()), expected, rtol=1e-10, atol=1e-12)
    step = 1e-6 * v
    difference = problem.value(x.detach() + step) - problem.value(x.detach() - step)
    slope = 2 * (problem.grad(x.detach()) * step).sum(-1)
    room = 1e-9 * (slope.abs() + step.norm(dim=-1)) * (1 + problem.grad(x.detach()).norm(dim=-1))
    assert ((difference - slope).abs() <= room + 64 * EPS * problem.value(x.detach()).abs()).all()
    if problem.offers("hvp"):
        _, expected = torch.autograd.functional.jvp(problem.grad, x.detach(), v)
        assert torch.allclose(problem.hvp(x.detach(), v), expected, rtol=1e-9, atol=1e-11)


@every
@pytest.mark.parametrize("shape", [(), (3,), (2, 3)], ids=repr)
def test_shapes_follow_the_batch(problem: Problem, shape: tuple[int, ...]):
    x = around(problem, *shape)
    assert problem.layers.d == problem.d == len(problem.x0)
    assert problem.layers.norm_i(x).shape == (*shape, problem.layers.n_layers)
    values, moved = [problem.value(x)], [problem.grad(x)]
    moved += [problem.hvp(x, x)] if problem.offers("hvp") else []
    if problem.offers("f_star"):
        values += [problem.gap(x), problem.gap_cancellation(x, problem.gap(x))]
    moved += [problem.nearest_star(x)] if problem.offers("nearest_star") else []
    assert {v.shape for v in values} == {shape}
    assert {m.shape for m in moved} == {x.shape}
    rows = x.reshape(-1, problem.d)
    for one in (problem.value, problem.grad):
        alone = torch.stack([one(row) for row in rows]).reshape(one(x).shape)
        assert torch.allclose(one(x), alone, rtol=1e-12, atol=1e-13)


@every
def test_nan_stays_in_its_row(problem: Problem):
    x = around(problem, 3)
    clean = problem.value(x), problem.grad(x)
    x[1, 0] = torch.nan
    for result, before in zip((problem.value(x), problem.grad(x)), clean, strict=True):
        assert torch.allclose(result[[0, 2]], before[[0, 2]], rtol=1e-12)
        assert result[1].isnan().any()
    with pytest.raises(ValueError, match="must have shape"):
        problem.value(torch.zeros(2, problem.d + 1).double())


@every
def test_certificates_are_not_refuted(problem: Problem):
    assert problem.certified
    for certificate in problem.certified:
        assumption, region = certificate.assumption, certificate.region
        assert certificate.proof
        points = sample_points(problem, 400, assumption.arity, seed=0, region=region)
        assert assumption.check(problem, *points).verdict == "not refuted", assumption
        if isinstance(assumption, Inequality):
            check = assumption.refute(problem, budget=640, region=region)
            assert check.verdict == "not refuted", check


@every
def test_minimisers_are_minimisers(problem: Problem):
    if not problem.offers("f_star"):
        assert not problem.offers("x_star")
        assert not problem.offers("nearest_star")
        return
    x = torch.cat([around(problem, 50), 30 * gaussian(50, problem.d)])
    assert (problem.value(x) >= problem.f_star - problem.f_star_error).all()
    assert (problem.gap(x) >= -1e-12 * problem.value(x)).all()
    if problem.offers("x_star"):
        assert float(problem.value(problem.x_star)) == pytest.approx(problem.f_star, rel=1e-12, abs=1e-13)
        assert float(problem.grad(problem.x_star).norm()) <= 1e-13
    if problem.offers("nearest_star"):
        nearest = problem.nearest_star(x)
        assert (problem.gap(nearest) <= 1e-24).all()
        others = problem.nearest_star(x[torch.randperm(100, generator=torch.Generator().manual_seed(0))])
        assert ((x - nearest).norm(dim=-1) <= (x - others).norm(dim=-1) * (1 + 1e-12)).all()


@every
def test_it_prints_as_the_call_that_makes_it(problem: Problem):
    assert parse_specification(repr(problem), NAMES) == problem
    assert hash(problem) == hash(parse_specification(repr(problem), NAMES))
    for certificate in problem.certified:
        names = {type(certificate.assumption).__name__: type(certificate.assumption), **NAMES}
        assert parse_specification(repr(certificate.assumption), names) == certificate.assumption


# quadratics of matrices


@pytest.mark.parametrize(
    ("q", "n", "norm", "constant"),
    [
        (DIAGONAL, 2, Spectral(3, 2), 4.0),
        (DIAGONAL, 3, Spectral(3, 3, 2.0), 4.5 / 4),
        (DENSE, 1, Spectral(3, 1), 2.814864),
        (DENSE, 4, Spectral(3, 4), 4.5),
        (DENSE, 2, Nuclear(3, 2, 0.5), 2.814864 * 4),
        (DENSE, 2, Lp(2), 2.814864),
        (DENSE, 2, Lp(1), 2.0),
        (DENSE, 2, SumRows(3, 2), 2.0),
        (DENSE, 2, MaxColumn(3, 2), 2 * 2.814864),
        (DENSE, 2, SumColumns(3, 2), 2.814864),
        (DIAGONAL, 2, MaxRow(3, 2), 4.5),
        (DIAGONAL, 2, Lp(math.inf), 9.0),
        (DENSE, 2, Lp(math.inf), 14.0),  # 2 z'Qz for z = (1, -1, 1) is 2 (4.5 + 2 + 1 - 0.5)
    ],
    ids=repr,
)
def test_left_constants_are_exact(q: Any, n: int, norm: Norm, constant: float):
    problem = SpectralQuadratic(q, n, norm)
    certified = found(problem, Smooth, norm=norm).L
    assert certified == pytest.approx(constant, rel=1e-6)
    tight(Smooth, certified, problem, norm)


def test_left_constants_of_dense_rows_are_bounds():
    problem = SpectralQuadratic(DENSE, 2, MaxRow(3, 2))
    assert found(problem, Smooth, norm=MaxRow(3, 2)).L == 8.0
    assert verdict(Smooth(8.0, MaxRow(3, 2)), problem)[0] == "not refuted"


def test_constants_are_rounded_up():
    a = torch.linalg.eigvalsh(torch.tensor(DENSE, dtype=torch.float64))
    exact = found(SpectralQuadratic(DENSE, 1), Smooth, norm=Spectral(3, 1)).L
    assert float(a[-1]) < exact < float(a[-1]) * (1 + 1e-13)
    many = tuple(tuple(float(i == j) for j in range(12)) for i in range(12))
    assert float(left_smoothness(many, torch.ones(12).double(), 0.0, 2, Lp(math.inf)).value) == 24.0


@pytest.mark.parametrize(
    ("q", "n", "norm", "false"),
    [
        (
            ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
            3,
            Spectral(3, 3),
            1.0,
        ),  # the largest eigenvalue
        (DENSE, 1, Lp(math.inf), 4.5),  # the trace, for entries off the diagonal
        (((1.0, 1.0, 1.0),) * 3, 1, Lp(math.inf), 3.0),  # it is off by a factor m: 9
        (DIAGONAL, 2, MaxColumn(3, 2), 3.0),  # one column
        (DIAGONAL, 2, MaxRow(3, 2), 3.0),
    ],
    ids=repr,
)
def test_false_constants_of_matrices_are_refuted(q: Any, n: int, norm: Norm, false: float):
    problem = SpectralQuadratic(q, n, norm)
    assert verdict(Smooth(false, norm), problem)[0] == "refuted"
    assert 1.2 * false < found(problem, Smooth, norm=norm).L


def test_an_operator_that_does_not_act_from_the_left_has_other_constants():
    """<q, X>^2 / 2 with q = vec(I) / sqrt 3: eigenvalues 1, 0, ... of sum 1, but |q|_nuc^2 = 3."""
    q = (torch.eye(3) / math.sqrt(3)).flatten().double()
    toy = Toy(lambda x: (x @ q).square() / 2, lambda x: (x @ q).unsqueeze(-1) * q, d=9)
    assert verdict(Smooth(1.0, Spectral(3, 3)), toy) == ("refuted", pytest.approx(3.0, rel=0.02))
    assert verdict(Smooth(3.0, Spectral(3, 3)), toy)[0] == "not refuted"
    rho = Spectral(3, 3).rho(9)
    assert rho**2 == pytest.approx(3.0)


def test_gradient_domination_in_the_norm_of_the_layer():
    eye = ((2.0, 0.0), (0.0, 1.0))
    flat = torch.tensor([0.0, 0.0, 1.0, 0.0], dtype=torch.float64)  # the smaller eigenvalue, rank one
    cases = (
        (Spectral(2, 2), 1.0),
        (Spectral(2, 2, 2.0), 0.25),
        (MaxRow(2, 2), 1.0),
        (Nuclear(2, 2), 0.5),
        (Lp(1), 0.25),
    )
    for norm, mu in cases:
        problem = SpectralQuadratic(eye, 2, norm)
        assert found(problem, PL, norm=norm).mu_pl == pytest.approx(mu)
        assert verdict(PL(mu, norm), problem)[0] == "not refuted"
        if mu != 0.5 and norm != Lp(1):
            assert PL(1.01 * mu, norm).check(problem, flat).verdict == "refuted"


# sums along rank-one matrices


@pytest.mark.parametrize("link", sorted(LINKS))
def test_link_matrices_match_their_formula(link: str):
    problem = LinkMatrix(link, 3, 4, (1.0, 0.3), (2.0, 0.5), (0.4, -1.0), seed=5)
    u, v = problem._frame
    x = around(problem)
    s = [float(u[j] @ x.reshape(3, 4) @ v[j]) for j in range(2)]
    terms = [
        c / b**2 * float(LINKS[link].h(torch.tensor(b * (t - a), dtype=torch.float64)))
        for c, b, a, t in zip((1.0, 0.3), (2.0, 0.5), (0.4, -1.0), s, strict=True)
    ]
    assert float(problem.value(x)) == pytest.approx(sum(terms), rel=1e-12)
    assert torch.allclose(u @ u.mT, torch.eye(2).double(), atol=1e-14)


@pytest.mark.parametrize("scale", [1.0, 2.0])
@pytest.mark.parametrize(
    ("link", "pair"),
    [("cosh", (1.3, 2.0)), ("exp", (0.0, 2.0)), ("logistic", (0.0, 2.0)), ("quartic", (5.2, 2.0))],
)
def test_hessian_constants_in_the_spectral_norm(link: str, pair: tuple[float, float], scale: float):
    """Sums of the weights, the largest rate; over scale^2 and scale."""
    norm = Spectral(3, 4, scale)
    problem = LinkMatrix(link, 3, 4, (1.0, 0.3), (2.0, 2.0), norm=norm)
    certified = found(problem, HessianL0L1, norm=norm)
    exact = HessianL0L1(pair[0] / scale**2, pair[1] / scale, norm)
    assert certified.pair == pytest.approx(exact.pair, rel=1e-11, abs=0)
    euclidean = found(problem, HessianL0L1, norm=EUCLIDEAN)
    assert euclidean.pair == pytest.approx((pair[0] / 1.3, pair[1]), rel=1e-11)
    local = LocalL0L1(*(c / math.log(2) for c in exact.pair), norm)
    assert verdict(local, problem)[0] == "not refuted"


def test_hessian_constants_are_tight():
    """At the centre all cosh bend alike: sum of weights; far out one exponential leads: the largest rate."""
    problem = LinkMatrix("cosh", 3, 3, (1.0, 0.5, 0.25), (1.0, 1.0, 1.0), seed=None)
    norm = Spectral(3, 3)
    pair = found(problem, HessianL0L1, norm=norm).pair
    assert pair == (1.75, 1.0)
    assert verdict(HessianL0L1(*pair, norm), problem)[0] == "not refuted"
    assert verdict(HessianL0L1(0.97 * pair[0], pair[1], norm), problem, 7_680)[0] == "refuted"
    assert verdict(HessianL0L1(pair[0], 0.97, norm), problem, 7_680)[0] == "refuted"
    # the largest weight is enough in the Frobenius norm, and not in the spectral one
    assert verdict(HessianL0L1(1.0, 1.0), problem)[0] == "not refuted"
    assert verdict(HessianL0L1(1.0, 1.0, norm), problem)[0] == "refuted"


@pytest.mark.parametrize("norm", [Lp(math.inf), MaxRow(3, 3), MaxColumn(3, 3)], ids=repr)
def test_terms_along_entries_add_up_in_the_norms_of_the_largest(norm: Norm):
    problem = LinkMatrix("log-cosh", 3, 3, (1.0, 0.5, 0.25), norm=norm, seed=None)
    tight(Smooth, found(problem, Smooth, norm=norm).L, problem, norm)
    assert found(problem, Smooth, norm=norm).L == 1.75
    alone = LinkMatrix("log-cosh", 3, 3, (1.0, 0.5, 0.25), norm=SumRows(3, 3), seed=None)
    tight(Smooth, found(alone, Smooth, norm=SumRows(3, 3)).L, alone, SumRows(3, 3))


def test_a_logistic_layer_has_no_constant_part():
    """L0 = 0, though the curvature at the centre is 1/4: it is paid for by the gradient, |h'| >= h''."""
    problem = LinkMatrix("logistic", 2, 2, (1.0, 1.0), seed=None)
    assert found(problem, HessianL0L1, norm=Spectral(2, 2)).pair == (0.0, 1.0)
    assert problem.f_star == 0.0
    assert not problem.offers("x_star")
    assert verdict(LocalL0L1(0.0, 1.0, Spectral(2, 2)), problem, 7_680)[0] == "refuted"
    assert verdict(LocalL0L1(0.0, 1 / math.log(2), Spectral(2, 2)), problem, 7_680)[0] == "not refuted"


# networks


def test_network_constants():
    h = NETWORK.coupling.h
    exact = ((3 * 1.69, 6 * 0.91 + 3), (6 * 0.91 + 3, 3 * 0.49))
    assert torch.allclose(torch.tensor(h), torch.tensor(exact), rtol=1e-11)
    assert all(a >= b for row, right in zip(h, exact, strict=True) for a, b in zip(row, right, strict=True))
    thin = LinearNetwork(((3.0, 0.0), (0.0, 2.0)), 1)  # only the largest singular value of M meets rank one
    assert thin.coupling.h[0][1] == pytest.approx(2.0 + 3.0)
    assert thin.f_star == pytest.approx(2.0)
    assert LinearNetwork(((3.0, 0.0), (0.0, 2.0)), 2).f_star == 0.0


def test_network_constants_are_attained_on_aligned_matrices():
    """W_1 = r1 I, W_2 = r2 I, M = -I: moving towards 0 changes both gradients by almost the whole bound."""
    eye = torch.eye(3).double()
    x = NETWORK.layers.join((0.7 * eye, 1.3 * eye))
    y = NETWORK.layers.join((0.699 * eye, 1.299 * eye))
    ratio = NETWORK.coupling.ratio(NETWORK, x, y)
    assert 0.99 < float(ratio) <= 1
    assert NETWORK.coupling.check(NETWORK, x, y).verdict == "not refuted"
    wrong = CoupledSmooth(tuple(tuple(0.97 * entry for entry in row) for row in NETWORK.coupling.h))
    assert wrong.check(NETWORK, x, y).verdict == "refuted"
    uncoupled = CoupledSmooth(((3 * 1.69, 0.0), (0.0, 3 * 0.49)))
    assert verdict(uncoupled, NETWORK, region=NETWORK.region)[0] == "refuted"


def test_network_constants_hold_in_the_region_alone():
    inside, outside = NETWORK.x0, 10 * NETWORK.x0
    assert bool(NETWORK.region.contains(inside))
    assert not bool(NETWORK.region.contains(outside))
    assert verdict(NETWORK.coupling, NETWORK, region=NETWORK.region)[0] == "not refuted"
    assert verdict(NETWORK.coupling, NETWORK)[0] == "refuted"
    descent = BlockDescent(NETWORK.coupling.row_sums(), (0.0, 0.0))
    assert verdict(descent, NETWORK, region=NETWORK.region)[0] == "not refuted"


# quadratics of coupled layers


def test_the_coupling_of_quadratics_is_exact():
    for problem in MEMBERS:
        if isinstance(problem, CoupledQuadratic):
            h = problem.coupling.h
            assert verdict(problem.coupling, problem)[0] == "not refuted"
            for i in range(len(h)):
                row = tuple(
                    tuple(0.97 * e if i in (j, k) else e for k, e in enumerate(r)) for j, r in enumerate(h)
                )
                assert verdict(CoupledSmooth(row), problem, 5_120)[0] == "refuted"


def test_the_square_of_a_sum_and_the_product():
    assert SUM_SQUARED.coupling == CoupledSmooth(((1.0, 1.0), (1.0, 1.0)))
    assert (SUM_SQUARED.f_star, SUM_SQUARED.offers("nearest_star")) == (0.0, True)
    assert PRODUCT.coupling == CoupledSmooth(((0.0, 1.0), (1.0, 0.0)))
    assert not PRODUCT.offers("f_star")
    with pytest.raises(TypeError, match="no infimum"):
        PRODUCT.gap(PRODUCT.x0)
    with pytest.raises(TypeError, match="no infimum"):
        PRODUCT.nearest_star(PRODUCT.x0)
    # the diagonal alone is false for steps in both layers; its row sums are not
    assert verdict(CoupledSmooth(((1.0, 0.0), (0.0, 1.0))), SUM_SQUARED) == ("refuted", math.inf)
    assert verdict(BlockDescent((1.0, 1.0), (0.0, 0.0)), SUM_SQUARED)[0] == "refuted"
    assert verdict(BlockDescent(SUM_SQUARED.coupling.row_sums(), (0.0, 0.0)), SUM_SQUARED)[0] == "not refuted"
    # steps of g / h_ii from (1, 1) leave f at 2; steps of g / 2 reach the minimum
    x = torch.ones(2).double()
    assert float(SUM_SQUARED.value(x - SUM_SQUARED.grad(x))) == pytest.approx(2.0)
    assert float(SUM_SQUARED.value(x - SUM_SQUARED.grad(x) / 2)) == 0.0


def test_operator_norms_are_rounded_up():
    assert operator_norm_up(torch.tensor([[3.0, 4.0]]).double()) == 5.0
    assert operator_norm_up(torch.tensor([[-0.1]], dtype=torch.float64)) == 0.1
    block = gaussian(4, 3)
    exact = float(torch.linalg.matrix_norm(block, 2))
    assert exact <= operator_norm_up(block) <= exact * (1 + 1e-13)


# separable sums


def test_separable_sums_have_the_constants_of_their_parts():
    problem = LayerSum((SpectralQuadratic(DIAGONAL, 3), Quadratic((1.0, 4.0), seed=None)))
    assert found(problem, LayerSmooth) == LayerSmooth((4.5, 4.0))
    assert found(problem, CoupledSmooth) == CoupledSmooth(((4.5, 0.0), (0.0, 4.0)))
    assert found(problem, LiteralLayerL0L1) == LiteralLayerL0L1((4.5, 4.0), (0.0, 0.0))
    assert pytest.approx(4.0) == found(problem, Smooth).L
    assert verdict(LayerSmooth((4.5, 0.97 * 4.0)), problem)[0] == "refuted"
    assert verdict(LayerSmooth((0.97 * 4.5, 4.0)), problem, 5_120)[0] == "refuted"
    assert problem.layers == Layers(((3, 3), (2,)), (Spectral(3, 3), EUCLIDEAN))


def test_sums_of_exponentials_have_local_constants_alone():
    problem = LayerSum((LinkMatrix("cosh", 2, 2, (1.0, 1.0), seed=None), LogLoss((0.0, 2.0))))
    kinds = {type(c.assumption) for c in problem.certified}
    assert not kinds & {LayerSmooth, LiteralLayerL0L1, CoupledSmooth, Smooth}
    local = found(problem, LocalLayerL0L1)
    assert local.L0_i == pytest.approx((2 / math.log(2), 1.0))  # the second part has L = |a|^2 / 4
    assert local.L1_i == pytest.approx((1 / math.log(2), 0.0))
    assert verdict(local, problem)[0] == "not refuted"
    assert verdict(LocalLayerL0L1((2.0, 1.0), (1.0, 0.0)), problem, 7_680)[0] == "refuted"
    assert verdict(BlockDescent(local.L0_i, local.L1_i), problem)[0] == "not refuted"


def test_sums_know_what_all_parts_know():
    x = around(MIXED, 7)
    pieces = x.split([part.d for part in MIXED.problems], dim=-1)
    assert torch.allclose(
        MIXED.value(x), sum(part.value(piece) for part, piece in zip(MIXED.problems, pieces, strict=True))
    )
    assert MIXED.f_star == 2.0
    assert MIXED.offers("hvp")
    assert MIXED.offers("nearest_star")
    assert not MIXED.offers("prox")
    proximal = LayerSum((Huber(d=2), WeightedL1((1.0, 0.5))))
    assert not proximal.offers("hvp")
    z = around(proximal, 4)
    step = torch.full((4, 1), 0.3, dtype=torch.float64)
    expected = torch.cat([p.prox(y, 0.3) for p, y in zip(proximal.problems, z.split(2, -1), strict=True)], -1)
    assert torch.equal(proximal.prox(z, step), expected)
    unbounded = LayerSum((PRODUCT_OF_ONE_LAYER, Huber(d=2)))
    assert not unbounded.offers("f_star")
    with pytest.raises(TypeError, match=r"f_star of .* is not known"):
        unbounded.gap(unbounded.x0)


def test_errors_of_proximal_points_add_up_by_their_squares():
    parts = LogSumExp(4, 3, seed=2), Huber(), Quadratic((1.0, 4.0)), LogSumExp(2, 5, seed=1)
    problem = LayerSum(parts)
    assert LayerSum((Huber(), Quadratic((1.0, 4.0)))).oracle_errors == {}
    assert problem.oracle_errors == {"prox": math.inf}
    x, step = 3 * gaussian(5, problem.d), torch.full((5, 1), 0.7, dtype=torch.float64)
    found = problem.prox(x, step)
    first, last = parts[0], parts[3]
    errors = (
        first.oracle_error("prox", x[:, :4], step, found[:, :4]),
        last.oracle_error("prox", x[:, 7:], step, found[:, 7:]),
    )
    stated = problem.oracle_error("prox", x, step, found)
    exact = (errors[0].square() + errors[1].square()).sqrt()
    assert bool((exact > 0).all())
    assert torch.allclose(stated, exact, rtol=1e-13, atol=0)
    assert LayerSum((Inexact(3.0), Huber(), Inexact(4.0))).oracle_errors == {"prox": 5.0}


class Inexact(Huber):
    """Its prox is off by L at most."""

    @property
    def oracle_errors(self) -> dict[str, float]:
        return {"prox": self.L}


def test_networks_beyond_the_floats_have_no_coupling():
    network = LinearNetwork(((1e200,),), 1, 1e200, 1e-200)
    assert [type(c.assumption).__name__ for c in network.certified] == ["Continuous"]
    with pytest.raises(ValueError, match="h must have finite entries"):
        _ = network.coupling


PRODUCT_OF_ONE_LAYER = CoupledQuadratic(((0.0, 1.0), (1.0, 0.0)), (2,))


# regions


def test_regions_are_products_of_balls():
    layers = Layers(((2, 2), (3,)), (Spectral(2, 2), Lp(1)))
    region = LayerBalls(layers, (1.0, 2.0), center=(1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0))
    edge = torch.tensor([0.0, 0.0, 0.0, 2.0, 1.0, -1.0, 0.0]).double()
    assert bool(region.contains(edge))
    for entry in (0, 4):
        moved = edge.clone()
        moved[entry] = -1e-9 if entry == 0 else 1 + 1e-9
        assert not bool(region.contains(moved))
    assert region.contains(edge.expand(2, 3, 7)).shape == (2, 3)
    assert not bool(region.contains(edge * torch.nan))
    assert parse_specification(repr(region), NAMES) == region


# arguments


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: SpectralQuadratic(((1.0, 2.0), (2.0, 1.0)), 2), ValueError, "positive semidefinite"),
        (lambda: SpectralQuadratic(DENSE, 0), ValueError, "n must be an integer >= 1"),
        (
            lambda: SpectralQuadratic(DENSE, 2, Spectral(2, 3)),
            ValueError,
            "norm must be one of matrices 3 x 2",
        ),
        (lambda: SpectralQuadratic(DENSE, 2, Lp(3)), TypeError, "norm must be one of Spectral"),
        (
            lambda: SpectralQuadratic(DENSE, 2, Weighted((1.0,) * 6)),
            TypeError,
            "norm must be one of Spectral",
        ),
        (lambda: SpectralQuadratic(DENSE, 2, center=(1.0,)), ValueError, "center must have 6"),
        (lambda: SpectralQuadratic(DENSE, 2, start=(1.0,)), ValueError, "start must be empty or have 6"),
        (lambda: LinkMatrix("sinh", 2, 2), ValueError, "link must be one of cosh"),
        (lambda: LinkMatrix("cosh", 2, 0), ValueError, "n must be an integer >= 1"),
        (lambda: LinkMatrix("cosh", 2, 3, (1.0,) * 3), ValueError, r"weights must have at most min\(m, n\)"),
        (lambda: LinkMatrix("cosh", 2, 3, (0.0,)), ValueError, "weights must be > 0"),
        (lambda: LinkMatrix("cosh", 2, 3, (1.0,), (-1.0,)), ValueError, "rates must be > 0"),
        (lambda: LinkMatrix("cosh", 2, 3, (1.0,), shifts=(0.0, 1.0)), ValueError, "shifts must have 1"),
        (lambda: LinkMatrix("cosh", 2, 3, seed=-1), ValueError, "seed must be"),
        (
            lambda: LinkMatrix("cosh", 2, 3, norm=Spectral(3, 2)),
            ValueError,
            "norm must be one of matrices 2 x 3",
        ),
        (
            lambda: LinkMatrix("cosh", 2, 3, norm=Lp(1)),
            TypeError,
            r"norm must be one of Spectral, Nuclear, Lp\(2\),",
        ),
        (lambda: LinkMatrix("cosh", 2, 3, norm=Lp(3), seed=None), TypeError, "SumRows"),
        (lambda: LinearNetwork(((1.0, 2.0), (1.0,)), 1), ValueError, "target row 1 must have 2"),
        (lambda: LinearNetwork((), 1), ValueError, "target must have at least one row"),
        (lambda: LinearNetwork(((1.0,),), 0), ValueError, "width must be an integer >= 1"),
        (lambda: LinearNetwork(((1.0,),), 1, r2=math.inf), ValueError, "r2 must be finite and > 0"),
        (
            lambda: LinearNetwork(((1.0,),), 1, start=(2.0, 0.0)),
            ValueError,
            r"start must have \|W_1\| <= 1.0",
        ),
        (lambda: CoupledQuadratic(((1.0, 2.0),), (1,)), ValueError, "hessian row 0 must have 1"),
        (lambda: CoupledQuadratic(((0.0,),), (1,)), ValueError, "hessian must not be 0"),
        (lambda: CoupledQuadratic(FLAT, (1,)), ValueError, "sizes must add up to 2"),
        (lambda: CoupledQuadratic(FLAT, (2, 0)), ValueError, "sizes must be an integer >= 1"),
        (lambda: CoupledQuadratic(FLAT, ()), ValueError, "sizes must be a non-empty tuple"),
        (lambda: CoupledQuadratic(FLAT, (1, 1), center=(1.0,)), ValueError, "center must have 2"),
        (lambda: LayerSum(()), ValueError, "problems must be a non-empty tuple"),
        (lambda: LayerSum((SUM_SQUARED,)), ValueError, "problems must be Problems of one layer"),
        (lambda: LayerSum((3,)), ValueError, "problems must be Problems of one layer"),
        (lambda: LayerSum((LinkSum("square", ((1.0,), (2.0,))),)), ValueError, "one layer and one term"),
        (lambda: LayerSum((Noisy(Huber(), SignNoise(1.0)),)), ValueError, "noise comes last"),
        (lambda: LayerSum((Huber(d=2),), start=(1.0,)), ValueError, "start must be empty or have 2"),
        (lambda: LayerBalls(3, (1.0,)), ValueError, "layers must be Layers"),
        (lambda: LayerBalls(Layers.single(2), (0.0,)), ValueError, "radii must be 1 finite numbers > 0"),
        (lambda: LayerBalls(Layers.single(2), (1.0, 1.0)), ValueError, "radii must be 1 finite numbers > 0"),
        (lambda: LayerBalls(Layers.single(2), (1.0,), (1.0,)), ValueError, "center must have 2"),
    ],
)
def test_bad_arguments_are_named(make: Any, error: type[Exception], message: str):
    with pytest.raises(error, match=message):
        make()


def test_ranges_draw_matrices():
    for seed in range(5):
        square = Semidefinite(1, 4).draw(np.random.default_rng(seed))
        assert 1 <= len(square) == len(square[0]) <= 4
        assert square == tuple(zip(*square, strict=True))
        matrix = Matrices(2, 3).draw(np.random.default_rng(seed))
        assert {len(matrix), len(matrix[0])} <= {2, 3}
        assert matrix == Matrices(2, 3).draw(np.random.default_rng(seed))
