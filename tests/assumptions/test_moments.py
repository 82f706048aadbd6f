import dataclasses
import math

import pytest
import torch
from torch import Tensor

from assumptions import Ball, sample_points
from assumptions.base import Assumption
from assumptions.moments.bound import MomentBound, SampledCheck
from assumptions.moments.bounded_moment import BoundedMoment
from assumptions.moments.bounded_variance import BoundedVariance
from assumptions.moments.e_value import LOG_REFUTED
from problems import LeastSquares, Noisy, ParetoNoise, Quadratic, QuadraticSum
from tests.assumptions.term_toys import Gaussian, NoisyToy, Pareto, Skewed, quadratic_sum, scalars
from tests.assumptions.toys import quadratic

BUDGET = 4000
ROOT3 = math.sqrt(3)
EYE = torch.eye(2, dtype=torch.float64)
# f_j = |x - c_j|^2: the gradient noise is -2 (c_j - mean c), the same everywhere
CENTRES = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 2.0]], dtype=torch.float64)
SPREAD = quadratic_sum((2 * EYE).expand(3, 2, 2), CENTRES)
# |c_j - mean c|^2 = 2, 0, 2
DEVIATION = math.sqrt(4 * 4 / 3)


@dataclasses.dataclass(frozen=True)
class Growing(Gaussian):
    """The standard deviation grows with the distance from 0."""

    def draw(self, u: Tensor, x: Tensor) -> Tensor:
        return super().draw(u, x) * x.norm(dim=-1, keepdim=True)


@dataclasses.dataclass(frozen=True)
class Broken(Gaussian):
    """Sometimes no number."""

    def draw(self, u: Tensor, x: Tensor) -> Tensor:
        z = super().draw(u, x)
        return torch.where(z > 1, torch.nan, z)


@pytest.mark.parametrize("scale", [1e-200, 1e-6, 1.0, 1e6, 1e200])
def test_two_skewed_outcomes_are_exact(scale: float):
    problem = NoisyToy(Skewed(scale))
    assert BoundedVariance.estimate(problem, problem.x0) == {"sigma_seen": pytest.approx(ROOT3 * scale)}
    third = BoundedMoment.estimate(problem, problem.x0, p=3.0)
    assert third == {"sigma_p_seen": pytest.approx(7.5 ** (1 / 3) * scale), "tail_seen": math.inf}
    assert BoundedVariance(ROOT3 * scale).refute(problem, 200).verdict == "not refuted"
    found = BoundedVariance(0.97 * ROOT3 * scale).refute(problem, 200)
    assert (found.verdict, found.ratio) == ("refuted", pytest.approx(1 / 0.97))
    assert BoundedMoment(7.5 ** (1 / 3) * scale * (1 + 1e-12), 3.0).check(problem, problem.x0).ratio <= 1
    assert BoundedMoment(0.97 * 7.5 ** (1 / 3) * scale, 3.0).refute(problem, 200).verdict == "refuted"


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_one_term_of_a_sum_is_exact_noise(scale: float):
    problem = quadratic_sum(scale * (2 * EYE).expand(3, 2, 2), CENTRES)
    assert BoundedVariance.estimate(problem, problem.x0)["sigma_seen"] == pytest.approx(scale * DEVIATION)
    assert BoundedVariance(scale * DEVIATION).refute(problem, BUDGET).verdict == "not refuted"
    assert BoundedVariance(0.97 * scale * DEVIATION).refute(problem, BUDGET).verdict == "refuted"
    # E |n|^4 = (8^2 + 0 + 8^2) / 3
    fourth = scale * (128 / 3) ** (1 / 4)
    assert BoundedMoment(fourth * (1 + 1e-12), 4.0).refute(problem, BUDGET).verdict == "not refuted"
    assert BoundedMoment(0.97 * fourth, 4.0).refute(problem, BUDGET).verdict == "refuted"


def test_the_variance_of_terms_with_different_curvatures_grows():
    """f_j = (1 +- 1) x^2 / 2: the noise at x is +-x."""
    problem = scalars(2.0, 0.0)
    x = torch.tensor([[3.0], [-5.0]], dtype=torch.float64)
    assert BoundedVariance.estimate(problem, x) == {"sigma_seen": pytest.approx(5.0)}
    assert BoundedVariance(10.0).refute(problem, BUDGET).verdict == "refuted"
    ball = Ball((0.0,), 10.0)
    assert BoundedVariance(10.0).refute(problem, BUDGET, region=ball).verdict == "not refuted"
    assert BoundedVariance(9.7).refute(problem, BUDGET, region=ball).verdict == "refuted"
    assert torch.allclose(BoundedVariance(10.0).along(problem, x), torch.tensor([0.3, 0.5]).double())


def test_terms_without_noise():
    problem = quadratic_sum((2 * EYE).expand(3, 2, 2), CENTRES[:1].expand(3, 2))
    for statement in (BoundedVariance(0.0), BoundedMoment(0.0, 1.5)):
        assert statement.refute(problem, 1000).verdict == "not refuted"
        assert statement.refute(SPREAD, 1000).verdict == "refuted"


def test_rounding_refutes_nothing():
    sigma = DEVIATION * (1 + 1e-12)
    for size in (1e-9, 1.0, 1e9):
        x = size * torch.randn(500, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        assert BoundedVariance(sigma).check(SPREAD, x).verdict == "not refuted"
    data = LeastSquares("breast_cancer")
    seen = BoundedVariance.estimate(data, data.x_star)["sigma_seen"]
    a, b = data._data
    noise = a * (a @ data.x_star - b).unsqueeze(-1)  # the full gradient vanishes
    assert seen == pytest.approx(float(noise.square().sum(-1).mean().sqrt()), rel=1e-9)
    assert BoundedVariance(seen * (1 + 1e-9)).check(data, data.x_star).verdict == "not refuted"
    assert BoundedVariance(0.97 * seen).check(data, data.x_star).verdict == "refuted"


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("d", [1, 3, 40])
def test_the_right_deviation_is_never_refuted(d: int, seed: int):
    problem = NoisyToy(Gaussian(2.0), d=d)
    for statement in (BoundedVariance(2.0), BoundedMoment(Gaussian(2.0).moment(3.0, d) ** (1 / 3), 3.0)):
        found = statement.refute(problem, BUDGET, seed=seed)
        assert found.verdict == "not refuted"
        assert isinstance(found, SampledCheck)
        assert (found.draws, found.points) == (16 * BUDGET, 8)
        assert found.log_e_value < 4
        assert found.ratio == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e200])
@pytest.mark.parametrize("d", [1, 3])
def test_a_deviation_too_small_is_refuted(d: int, scale: float):
    problem = NoisyToy(Gaussian(scale), d=d)
    found = BoundedVariance(0.97 * scale).refute(problem, 20_000)
    assert found.verdict == "refuted"
    assert found.log_e_value >= LOG_REFUTED  # pyright: ignore
    assert BoundedVariance(0.8 * scale).check(problem, problem.x0).verdict == "refuted"
    assert BoundedMoment(0.8 * scale * Gaussian(1.0).moment(1.5, d) ** (1 / 1.5), 1.5).refute(
        problem
    ).verdict == ("refuted")


def test_what_was_not_refuted_says_on_how_many_draws():
    problem = NoisyToy(Pareto(1.5))
    found = BoundedVariance(3.0).refute(problem)
    assert found.verdict == "refuted"
    # the variance is infinite, but so many draws do not show it
    silent = BoundedVariance(1e4).refute(problem)
    assert silent.verdict == "not refuted"
    assert "not refuted on 320000 draws at 8 points, e-value 10^" in str(silent)
    right = Pareto(1.5).moment(1.2, 3) ** (1 / 1.2)
    for seed in range(3):
        assert BoundedMoment(right, 1.2).refute(problem, seed=seed).verdict == "not refuted"
    assert BoundedMoment(right / 2, 1.2).refute(problem).verdict == "refuted"


def test_a_search_draws_more_and_repeats():
    problem = NoisyToy(Gaussian(1.0))
    (x,) = sample_points(problem, 3, 1)
    checked = BoundedVariance(0.99).check(problem, x)
    assert (checked.verdict, checked.draws) == ("not refuted", 3 * (2**15 // 3))  # pyright: ignore
    searched = BoundedVariance(0.99).refute(problem)
    assert (searched.verdict, searched.draws) == ("refuted", 320_000)  # pyright: ignore
    assert str(BoundedVariance(0.99).refute(problem)) == str(searched)
    assert str(BoundedVariance(0.99).refute(problem, seed=1)) != str(searched)


def test_noise_that_grows_is_found_where_it_is_large():
    problem = NoisyToy(Growing(1.0))
    x = torch.tensor([[0.1, 0.0, 0.0], [0.0, 2.0, 0.0], [0.3, 0.0, 0.0]], dtype=torch.float64)
    found = BoundedVariance(1.5).check(problem, x)
    assert found.verdict == "refuted"
    assert torch.equal(found.witness[0], x[1])
    assert found.ratio == pytest.approx(2 / 1.5, rel=0.05)
    assert BoundedVariance(2.0).check(problem, x).verdict == "not refuted"
    assert BoundedVariance.estimate(problem, x)["sigma_seen"] == pytest.approx(2, rel=0.05)


def test_no_noise_and_no_number():
    silent = NoisyToy(Gaussian(0.0))
    assert BoundedVariance(0.0).refute(silent, 100).verdict == "not refuted"
    assert BoundedVariance(0.0).refute(silent, 100).ratio == 0
    assert BoundedVariance(0.0).refute(NoisyToy(Gaussian(1e-9)), 100).verdict == "refuted"
    broken = NoisyToy(Broken(1.0))
    assert BoundedVariance(100.0).refute(broken, 1000).verdict == "undefined"
    assert math.isnan(BoundedVariance.estimate(broken, broken.x0)["sigma_seen"])


def test_sampled_estimates():
    problem = NoisyToy(Gaussian(2.0))
    assert BoundedVariance.estimate(problem, problem.x0)["sigma_seen"] == pytest.approx(2, rel=0.02)
    moment = BoundedMoment.estimate(problem, problem.x0, p=1.5, draws=100_000, seed=3)
    assert moment["sigma_p_seen"] == pytest.approx(Gaussian(2.0).moment(1.5, 3) ** (1 / 1.5), rel=0.02)
    heavy = NoisyToy(Pareto(1.5))
    seen = BoundedMoment.estimate(heavy, heavy.x0, p=1.2)
    assert seen["tail_seen"] == pytest.approx(1.5, rel=0.25)
    assert BoundedMoment.estimate(heavy, heavy.x0, p=1.1, seed=1)["sigma_p_seen"] == pytest.approx(
        Pareto(1.5).moment(1.1, 3) ** (1 / 1.1), rel=0.3
    )


def test_moments_that_do_not_settle_are_refused():
    heavy = NoisyToy(Pareto(1.3))
    for use in (BoundedVariance.estimate, lambda *a: BoundedMoment.estimate(*a, p=1.8)):
        with pytest.raises(
            ValueError, match=r"p must be below the tail index .* got (2|1.8), tail_seen=1\.\d+"
        ):
            use(heavy, heavy.x0)
    # far beyond what so many draws of a light tail show
    with pytest.raises(ValueError, match="p must be below the tail index"):
        BoundedMoment.estimate(NoisyToy(Gaussian(1.0)), heavy.x0, p=30.0)


def test_noise_is_named_where_it_is_missing():
    for problem in (quadratic(1.0, 2.0, 3.0), NoisyToy(None), quadratic_sum(EYE.unsqueeze(0))):
        for use in (
            BoundedVariance(1.0).refute,
            lambda p: BoundedMoment(1.0, 1.5).check(p, p.x0),
            lambda p: BoundedVariance.estimate(p, p.x0),
        ):
            with pytest.raises(
                TypeError, match=r"needs noise, or several terms with part_grads, which .* not offer"
            ):
                use(problem)
    drawn = NoisyToy(Gaussian(1.0))
    with pytest.raises(TypeError, match=r"outcomes of the noise of .* cannot be listed: use check"):
        BoundedVariance(1.0).ratio(drawn, drawn.x0)


def test_wrong_calls_are_named():
    problem = NoisyToy(Gaussian(1.0))
    with pytest.raises(ValueError, match="BoundedVariance speaks of 1 points, got 2"):
        BoundedVariance(1.0).check(problem, problem.x0, problem.x0)
    with pytest.raises(ValueError, match="needs at least one point"):
        BoundedVariance(1.0).check(problem, problem.x0[:0].reshape(0, 3))
    with pytest.raises(ValueError, match="budget must be an integer >= 1"):
        BoundedVariance(1.0).refute(problem, 0)
    with pytest.raises(TypeError, match="the options are p, draws, seed, got q"):
        BoundedMoment.estimate(problem, problem.x0, q=2.0)
    with pytest.raises(TypeError, match="the options are draws, seed, got p"):
        BoundedVariance.estimate(problem, problem.x0, p=2.0)
    for p in (1.0, 0.5, math.inf, math.nan):
        with pytest.raises(ValueError, match="p must be"):
            BoundedMoment(1.0, p)
        with pytest.raises(ValueError, match="p must be"):
            BoundedMoment.estimate(problem, problem.x0, p=p)


@pytest.mark.parametrize("cls", [BoundedVariance, BoundedMoment])
@pytest.mark.parametrize(
    ("value", "error"), [(-1.0, ValueError), (math.nan, ValueError), (math.inf, ValueError), ("1", TypeError)]
)
def test_bad_constants_are_named(cls: type[Assumption], value: object, error: type[Exception]):
    (name,) = cls.constants()
    with pytest.raises(error, match=f"^{name} must be"):
        cls(**{name: value})


def test_moments_are_compared_at_the_same_exponent():
    assert repr(BoundedMoment(1, 1.5)) == "BoundedMoment(sigma_p=1.0, p=1.5)"
    assert BoundedMoment(2.0, 1.5).implied_by(BoundedMoment(1.0, 1.5))
    assert not BoundedMoment(2.0, 1.5).implied_by(BoundedMoment(1.0, 1.2))
    assert BoundedVariance(2.0).implied_by(BoundedVariance(1.0))
    assert issubclass(BoundedVariance, MomentBound)


@pytest.mark.parametrize("batch", [(), (3,), (2, 3)])
def test_batches_lead(batch: tuple[int, ...]):
    for problem in (NoisyToy(Skewed(), d=2), SPREAD, NoisyToy(Gaussian(1.0), d=2)):
        x = sample_points(problem, math.prod(batch), 1)[0].reshape(*batch, 2)
        found = BoundedVariance(10.0).check(problem, x)
        assert (found.verdict, found.points) == ("not refuted", math.prod(batch))
        if not isinstance(found, SampledCheck):
            assert all(side.shape == batch for side in BoundedVariance(1.0).sides(problem, x))


def test_many_points_share_the_draws():
    problem = NoisyToy(Gaussian(1.0))
    found = BoundedVariance(1.0).check(problem, torch.zeros(2000, 3, dtype=torch.float64))
    assert (found.verdict, found.draws) == ("not refuted", 64 * 2000)  # pyright: ignore


def test_draws_in_large_dimension_are_fewer(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("assumptions.moments.bound.MOST", 2**18)
    found = BoundedVariance(1.0).refute(NoisyToy(Gaussian(1.0), d=64), 2000)
    assert found.draws == 2**12  # pyright: ignore


def test_points_share_the_draws_so_there_are_few():
    heavy = Noisy(Quadratic((1.0,)), ParetoNoise(1.7))
    (x,) = BoundedMoment.sample(heavy, 10_000)
    assert len(x) <= 8
    assert 1.2 < BoundedMoment.estimate(heavy, x, p=1.5)["tail_seen"] < 2.5
    (terms,) = BoundedMoment.sample(QuadraticSum.opposite_pair(5.0, 1.0), 100)
    assert len(terms) == 100
