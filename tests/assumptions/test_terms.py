import math

import pytest
import torch
from torch import Tensor

from assumptions import Lp, sample_points
from assumptions.base import Assumption
from assumptions.inequality import Inequality
from assumptions.sums.average_smooth import AverageSmooth
from assumptions.sums.component_convex import ComponentConvex
from assumptions.sums.component_smooth import ComponentSmooth
from assumptions.sums.component_strongly_convex import ComponentStronglyConvex
from assumptions.sums.component_weakly_convex import ComponentWeaklyConvex
from assumptions.sums.expected_similarity import ExpectedSimilarity
from assumptions.sums.interpolation import Interpolation
from assumptions.sums.star_similarity import StarSimilarity
from assumptions.sums.terms import by_rows
from assumptions.sums.uniform_similarity import UniformSimilarity
from problems import LeastSquares, LogisticRegression
from tests.assumptions.term_toys import SumToy, axes, quadratic_sum, scalars, symmetric
from tests.assumptions.toys import quadratic

A = symmetric(5, 4, seed=0)
MEAN = A.mean(0)
CENTRES = torch.randn(5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
ROOM = 1 + 1e-12
BUDGET = 3000


def top(a: Tensor) -> float:
    return float(torch.linalg.eigvalsh(a).abs().max())


L_MAX, L_AVG = top(A), math.sqrt(top((A @ A).mean(0)))
TAU, MU = float(-torch.linalg.eigvalsh(A).min()), 0.3
DELTA, DELTA_AVG = top(A - MEAN), math.sqrt(top(((A - MEAN) @ (A - MEAN)).mean(0)))
CONVEX = A @ A + (MU - torch.linalg.eigvalsh(A @ A).min()) * torch.eye(4, dtype=torch.float64)

TIGHT = [
    (ComponentSmooth, L_MAX),
    (ComponentWeaklyConvex, TAU),
    (AverageSmooth, L_AVG),
    (UniformSimilarity, DELTA),
    (ExpectedSimilarity, DELTA_AVG),
    (StarSimilarity, DELTA_AVG),
]
ONES = [cls for cls, _ in TIGHT]


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize(("cls", "constant"), TIGHT)
def test_constants_of_quadratics_are_tight(cls: type[Inequality], constant: float, scale: float):
    problem = quadratic_sum(scale * A, CENTRES / scale)
    kept = cls(scale * constant * ROOM).refute(problem, BUDGET)
    assert kept.verdict == "not refuted", kept
    assert cls(0.97 * scale * constant).refute(problem, BUDGET).verdict == "refuted"
    points = sample_points(problem, 2000, cls.arity, seed=1)
    (name,) = cls.constants()
    assert cls.estimate(problem, *points)[f"{name}_seen"] == pytest.approx(scale * constant, rel=0.03)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_convex_terms(scale: float):
    problem = quadratic_sum(scale * CONVEX, CENTRES / scale)
    assert ComponentConvex().refute(problem, BUDGET).verdict == "not refuted"
    assert ComponentConvex().refute(quadratic_sum(scale * A, CENTRES), BUDGET).verdict == "refuted"
    mu = scale * MU
    assert ComponentStronglyConvex(mu / ROOM).refute(problem, BUDGET).verdict == "not refuted"
    assert ComponentStronglyConvex(mu / 0.97).refute(problem, BUDGET).verdict == "refuted"


def test_estimates_of_convex_terms():
    problem = quadratic_sum(CONVEX, CENTRES)
    points = sample_points(problem, 2000, 2)
    seen = ComponentStronglyConvex.estimate(problem, *points)["mu_component_seen"]
    assert seen == pytest.approx(MU, rel=0.1)
    assert ComponentStronglyConvex.estimate(quadratic_sum(A), *points)["mu_component_seen"] < 1e-13
    assert ComponentConvex.estimate(problem, *points) == {}


def test_one_term_for_each_axis():
    problem = axes(4)
    points = sample_points(problem, 4000, 2, seed=1)
    assert ComponentSmooth.estimate(problem, *points)["L_max_seen"] == pytest.approx(1, rel=1e-6)
    average = AverageSmooth.estimate(problem, *points)["L_avg_seen"]
    assert average == pytest.approx(1 / math.sqrt(4), rel=1e-6)
    assert AverageSmooth(0.5).refute(problem, BUDGET).verdict == "not refuted"
    assert AverageSmooth(0.97 * 0.5).refute(problem, BUDGET).verdict == "refuted"
    # h_j = x_j^2 / 2 - |x|^2 / 8
    assert UniformSimilarity.estimate(problem, *points)["delta_seen"] == pytest.approx(3 / 4, rel=1e-6)
    assert ExpectedSimilarity.estimate(problem, *points)["delta_avg_seen"] == pytest.approx(
        math.sqrt(1 / 4 - 1 / 16), rel=1e-6
    )
    assert Interpolation().refute(problem, 500).verdict == "not refuted"


def test_a_pair_of_opposite_curvatures():
    m, big = 1.0, 50.0
    problem = scalars(big + m, -big + m)
    points = sample_points(problem, 500, 2)
    assert AverageSmooth.estimate(problem, *points)["L_avg_seen"] == pytest.approx(math.hypot(big, m))
    assert UniformSimilarity.estimate(problem, *points)["delta_seen"] == pytest.approx(big)
    weak = ComponentWeaklyConvex.estimate(problem, *points)["tau_component_seen"]
    assert weak == pytest.approx(big - m, rel=1e-4)
    assert AverageSmooth(math.hypot(big, m) * ROOM).refute(problem, BUDGET).verdict == "not refuted"
    assert AverageSmooth(0.97 * math.hypot(big, m)).refute(problem, BUDGET).verdict == "refuted"
    assert ComponentConvex().refute(problem, BUDGET).verdict == "refuted"


def test_terms_that_differ_by_affine_functions_are_as_similar_as_can_be():
    problem = quadratic_sum(A[:1].expand(3, 4, 4), CENTRES[:3])
    points = sample_points(problem, 2000, 2)
    for cls in (UniformSimilarity, ExpectedSimilarity, StarSimilarity):
        (name,) = cls.constants()
        assert cls(0.0).refute(problem, 2000).verdict == "not refuted"
        assert cls.estimate(problem, *points[: cls.arity]) == {f"{name}_seen": 0.0}
        assert cls(0.0).refute(quadratic_sum(A), 2000).verdict == "refuted"


def test_interpolation():
    common = torch.full((5, 4), 1 / 3, dtype=torch.float64)
    for scale in (1e-6, 1.0, 1e6):
        assert Interpolation().refute(quadratic_sum(scale * A, scale * common), 500).verdict == "not refuted"
        apart = common.clone()
        apart[0] += 1e-6
        found = Interpolation().refute(quadratic_sum(scale * A, scale * apart), 500)
        assert (found.verdict, found.ratio) == ("refuted", math.inf)
    problem = quadratic_sum(A, common)
    (projected,) = Interpolation().admissible(problem, problem.x0)
    assert torch.allclose(projected, common[0])
    assert Interpolation.estimate(problem, problem.x0) == {}


def test_an_error_of_the_minimiser_excuses_no_more_than_itself():
    common = torch.full((5, 4), 1 / 3, dtype=torch.float64)
    exact = quadratic_sum(A, common)
    off = SumToy(
        exact.part_values,
        exact.part_grads,
        5,
        4,
        x_star=common[0] + torch.eye(4)[0] * 1e-6,
        x_star_error=1e-6,
    )
    assert Interpolation().check(off, off.x0).verdict == "not refuted"
    assert Interpolation().check(
        SumToy(off.part_values, off.part_grads, 5, 4, off.x_star), off.x0
    ).verdict == ("refuted")


@pytest.mark.parametrize("norm", [Lp(1), Lp(math.inf)])
def test_another_norm(norm: Lp):
    # |A|: largest row sum from l_inf to l_1 is the sum of a diagonal, from l_1 to l_inf its largest entry
    problem = quadratic_sum(torch.diag_embed(torch.tensor([[1.0, 2.0, 3.0], [3.0, 2.0, 2.0]]).double()))
    smooth, delta = (3.0, 1.0) if norm.p == 1 else (7.0, 1.5)
    assert ComponentSmooth(smooth * ROOM, norm).refute(problem, BUDGET).verdict == "not refuted"
    assert ComponentSmooth(0.97 * smooth, norm).refute(problem, BUDGET).verdict == "refuted"
    assert UniformSimilarity(delta * ROOM, norm).refute(problem, BUDGET).verdict == "not refuted"
    assert UniformSimilarity(0.97 * delta, norm).refute(problem, BUDGET).verdict == "refuted"
    seen = ComponentSmooth.estimate(problem, *sample_points(problem, 3000, 2), norm=norm)
    assert 0.9 * smooth < seen["L_max_seen"] <= smooth * (1 + 1e-6)


@pytest.mark.parametrize("distance", [1e-15, 1e-12, 1e-9, 1e-6, 1e-3])
def test_rounding_refutes_nothing(distance: float):
    generator = torch.Generator().manual_seed(0)
    for scale in (1e-6, 1.0, 1e6):
        problem = quadratic_sum(scale * CONVEX, scale * CENTRES)
        top_max = scale * top(CONVEX) * ROOM
        for centre in (problem.x0, problem.x_star, 1e6 * problem.x0):
            x = centre + distance * torch.randn(50, 4, dtype=torch.float64, generator=generator)
            y = x + distance * torch.randn(50, 4, dtype=torch.float64, generator=generator)
            mean = CONVEX.mean(0)
            similar = scale * math.sqrt(top(((CONVEX - mean) @ (CONVEX - mean)).mean(0))) * ROOM
            true = (
                ComponentConvex(),
                ComponentStronglyConvex(scale * MU / ROOM),
                ComponentSmooth(top_max),
                AverageSmooth(scale * math.sqrt(top((CONVEX @ CONVEX).mean(0))) * ROOM),
                UniformSimilarity(scale * top(CONVEX - mean) * ROOM),
                ExpectedSimilarity(similar),
                StarSimilarity(similar),
            )
            for statement in true:
                check = statement.check(problem, *(x, y)[: statement.arity])
                assert check.verdict == "not refuted", check


def test_real_data_refute_nothing_true():
    problem = LeastSquares("breast_cancer")
    a = problem._data[0]
    lengths = a.square().sum(-1)
    second = (a * lengths.unsqueeze(-1)).mT @ a / len(a)
    spread = math.sqrt(top(second - problem._hessian @ problem._hessian)) * (1 + 1e-9)
    direction = a[lengths.argmax()] / lengths.max().sqrt()
    for size in (1e-6, 1.0, 1e6):
        x = size * torch.randn(6, problem.d, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
        for step in (1e-9, 1.0):
            y = x + size * step * direction
            for statement, tight in (
                (ComponentConvex(), False),
                (ComponentSmooth(float(lengths.max()) * (1 + 1e-9)), True),
                (AverageSmooth(math.sqrt(top(second)) * (1 + 1e-9)), False),
                (ExpectedSimilarity(spread), False),
                (StarSimilarity(spread), False),
            ):
                check = statement.check(problem, *(x, y)[: statement.arity])
                assert check.verdict == "not refuted", check
                assert not tight or step < 1 or check.ratio == pytest.approx(1, rel=1e-4)
    assert ComponentSmooth(0.97 * float(lengths.max())).check(problem, x, x + direction).verdict == "refuted"
    assert Interpolation().check(problem, problem.x0).verdict == "refuted"


def test_terms_of_logistic_regression_are_strongly_convex():
    problem = LogisticRegression("breast_cancer", 0.1)
    x, y = sample_points(problem, 12, 2, seed=2)
    for statement in (ComponentConvex(), ComponentStronglyConvex(0.1), ComponentWeaklyConvex(0.0)):
        assert statement.check(problem, x, y).verdict == "not refuted"
    far = 10 * torch.ones(1, problem.d, dtype=torch.float64)
    # a term is as flat as its regulariser where its loss is straight
    assert ComponentStronglyConvex(0.1 / 0.97).check(problem, far, far + 1).verdict == "refuted"


def test_one_term_is_the_function():
    one = quadratic_sum(A[:1], CENTRES[:1])
    x, y = sample_points(one, 100, 2)
    assert UniformSimilarity.estimate(one, x, y) == {"delta_seen": 0.0}
    assert ComponentSmooth(1.0).entry_sides(one, x, y).lhs.shape == (100, 1)


@pytest.mark.parametrize("batch", [(), (3,), (2, 3)])
def test_batches_lead_and_rows_do_not_mix(batch: tuple[int, ...]):
    problem = quadratic_sum(A, CENTRES)
    x, y = (p.reshape(*batch, 4) for p in sample_points(problem, math.prod(batch), 2, seed=4))
    statements = [cls(1.0) for cls in (*ONES, ComponentStronglyConvex)] + [ComponentConvex(), Interpolation()]
    for statement in statements:
        points = (x, y)[: statement.arity]
        assert all(side.shape == batch for side in statement.sides(problem, *points))
        if batch:
            broken = (
                torch.where(torch.arange(batch[-1]).unsqueeze(-1) == 0, torch.nan, points[0]),
                *points[1:],
            )
            lhs = statement.sides(problem, *broken).lhs
            whole = statement.sides(problem, *points).lhs
            assert torch.equal(lhs[..., 1:], whole[..., 1:])
            if not isinstance(statement, Interpolation):
                assert bool(lhs[..., 0].isnan().all())
                assert statement.check(problem, *broken).verdict in ("refuted", "undefined")


def test_chunks_of_rows_change_nothing(monkeypatch: pytest.MonkeyPatch):
    problem = quadratic_sum(A, CENTRES)
    x, y = (p.reshape(2, 5, 4) for p in sample_points(problem, 10, 2))
    whole = ComponentSmooth(1.0).entry_sides(problem, x, y)
    monkeypatch.setattr("assumptions.sums.terms.AT_ONCE", 16 * 5 * 4 * 3)
    seen = []

    def sides(x: Tensor, y: Tensor):
        seen.append(x.shape)
        return whole._replace(lhs=x[..., 0], rhs=y[..., 0], resolution=x[..., 1])

    assert torch.equal(by_rows(sides, problem, x, y).lhs, x[..., 0])
    assert [tuple(s) for s in seen] == [(3, 4), (3, 4), (3, 4), (1, 4)]
    parts = ComponentSmooth(1.0).entry_sides(problem, x, y)
    assert parts.lhs.shape == (2, 5, 5)
    assert all(torch.allclose(a, b, rtol=1e-9) for a, b in zip(whole[:2], parts[:2], strict=True))


def test_every_term_is_kept_along_a_trajectory():
    problem = scalars(1.0, 2.0, 4.0)
    x = torch.tensor([[1.0], [0.5], [0.25]], dtype=torch.float64)
    ratios = ComponentSmooth(2.0).along(problem, x)
    assert torch.allclose(ratios, torch.tensor([0.5, 1.0, 2.0], dtype=torch.float64).expand(2, 3))
    assert AverageSmooth(math.sqrt(7)).along(problem, x) == pytest.approx([1.0, 1.0])


def test_what_is_missing_is_named():
    problem = quadratic(1.0, 2.0)
    for statement in [*(cls(1.0) for cls in ONES), ComponentConvex(), Interpolation()]:
        with pytest.raises(TypeError, match=f"^{type(statement).__name__} needs part_.*does not offer"):
            statement.refute(problem)
    nowhere = SumToy(lambda x: x, lambda x: x.unsqueeze(-1), 1, 1)
    with pytest.raises(
        TypeError, match=r"StarSimilarity needs x_star.*ExpectedSimilarity needs no minimiser"
    ):
        StarSimilarity(1.0).check(nowhere, nowhere.x0)


@pytest.mark.parametrize("cls", [*ONES, ComponentStronglyConvex])
@pytest.mark.parametrize(
    ("value", "error"), [(-1.0, ValueError), (math.nan, ValueError), (math.inf, ValueError), ("1", TypeError)]
)
def test_bad_constants_are_named(cls: type[Assumption], value: object, error: type[Exception]):
    (name,) = cls.constants()
    with pytest.raises(error, match=f"^{name} must be"):
        cls(**{name: value})


def test_zero_is_a_constant_only_where_it_says_something():
    for cls in (ComponentSmooth, AverageSmooth, ComponentStronglyConvex):
        with pytest.raises(ValueError, match="must be finite and > 0, got 0"):
            cls(0)
    assert repr(UniformSimilarity(0)) == "UniformSimilarity(delta=0.0)"
    assert repr(ComponentSmooth(1, Lp(1))) == "ComponentSmooth(L_max=1.0, norm=Lp(p=1.0))"
    assert ComponentSmooth(2).implied_by(ComponentSmooth(1))
    assert not ComponentStronglyConvex(2).implied_by(ComponentStronglyConvex(1))
