"""Noise: draws against moments, exact laws, and the problem that carries it."""

import math

import pytest
import torch
from scipy import integrate, stats
from torch import Tensor

from assumptions.moments.bounded_moment import BoundedMoment
from assumptions.moments.bounded_variance import BoundedVariance
from assumptions.specification import parse_specification
from problems import INSTANCES, LogisticRegression, Quadratic
from problems.calculus.noisy import Noisy
from problems.calculus.scaled import Scaled
from problems.noise.base import Noise, gaussian_moment, normal, unit_entry_moment
from problems.noise.gaussian import GaussianNoise
from problems.noise.pareto import ParetoNoise
from problems.noise.sign import SignNoise
from problems.noise.sine import SineNoise
from problems.noise.skewed import SkewedNoise

NOISES = (
    GaussianNoise(0.7),
    SignNoise(2.0),
    ParetoNoise(4.5, 0.3),
    SkewedNoise(0.5),
    SkewedNoise(2.0, (1.0, -2.0, 2.0)),
    SineNoise(GaussianNoise(0.7)),
    SineNoise(SignNoise(1.0)),
)
every = pytest.mark.parametrize("noise", NOISES, ids=repr)
N = 200_000
X = torch.tensor([0.3, -1.2, 0.8], dtype=torch.float64)


def uniforms(noise: Noise, d: int, n: int = N, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(n, noise.width(d), dtype=torch.float64, generator=generator)


def drawn(noise: Noise, x: Tensor, n: int = N) -> Tensor:
    return noise.draw(uniforms(noise, x.shape[-1], n), x.expand(n, -1))


@every
def test_draws_have_mean_zero_and_the_stated_moments(noise: Noise):
    """At x = 0, where a noise that changes with x is largest; five standard errors."""
    x = torch.zeros(3).double()
    n = drawn(noise, x)
    assert n.shape == (N, 3)
    assert n.dtype == torch.float64
    error = 5 * n.std(dim=0) / N**0.5
    assert (n.mean(dim=0).abs() <= error + 1e-15).all()
    for p in (1.0, 1.5, 2.0):
        sample = n.norm(dim=-1) ** p
        assert abs(float(sample.mean()) - noise.moment(p, 3)) <= 5 * float(sample.std()) / N**0.5 + 1e-12
        entries = n.abs() ** p
        worst = entries.mean(dim=0).argmax()
        room = 5 * float(entries[:, worst].std()) / N**0.5 + 0.01 * noise.entry_moment(p, 3)
        assert abs(float(entries[:, worst].mean()) - noise.entry_moment(p, 3)) <= room


@every
def test_shapes_follow_the_batch_and_rows_do_not_mix(noise: Noise):
    x = X.expand(4, 2, 3).clone()
    x[1, 0] = torch.nan
    u = uniforms(noise, 3, 8).reshape(4, 2, -1)
    n = noise.draw(u, x)
    assert n.shape == (4, 2, 3)
    assert torch.equal(noise.draw(u[2, 1], x[2, 1]), n[2, 1])
    assert bool(n.isfinite().all(-1).sum() >= 7)
    assert noise.draw(u[0], x[0]).shape == (2, 3)


@every
def test_extreme_uniforms_give_finite_draws(noise: Noise):
    for u in (0.0, 0.5, 1 - 2.0**-53):
        assert noise.draw(torch.full((noise.width(3),), u, dtype=torch.float64), X).isfinite().all()


@every
def test_listed_outcomes_are_the_law(noise: Noise):
    found = noise.outcomes(3)
    if found is None:
        assert not isinstance(noise, SignNoise | SkewedNoise)
        return
    values, probabilities = found
    assert values.shape == (len(probabilities), 3)
    assert float(probabilities.sum()) == pytest.approx(1, abs=1e-15)
    assert (probabilities @ values).abs().max() <= 1e-15
    for p in (1.0, 1.5, 2.0, 3.0):
        assert float(probabilities @ values.norm(dim=-1) ** p) == pytest.approx(noise.moment(p, 3), rel=1e-14)
    n = drawn(noise, X, 2000)
    distance = (n.unsqueeze(1) - values).norm(dim=-1)
    assert distance.min(dim=1).values.max() <= 1e-14
    share = torch.bincount(distance.argmin(dim=1), minlength=len(probabilities)) / 2000
    assert (share - probabilities).abs().max() <= 0.06


def test_known_moments():
    assert GaussianNoise(3.0).moment(2.0, 1_000) == 9.0
    assert GaussianNoise(1.0).moment(1.0, 1) == pytest.approx(math.sqrt(2 / math.pi), rel=1e-14)
    assert GaussianNoise(2.0).moment(4.0, 5) == pytest.approx(16 * (1 + 2 / 5), rel=1e-13)
    assert SkewedNoise().moment(2.0, 7) == 3.0
    assert SkewedNoise(2.0).moment(1.0, 1) == 3.0
    assert ParetoNoise(1.5).moment(1.25, 4) == pytest.approx(6.0, rel=1e-15)
    assert ParetoNoise(1.5).moment(1.5, 4) == ParetoNoise(1.5).moment(2.0, 4) == math.inf
    assert ParetoNoise(3.0, 2.0).moment(2.0, 1) == 12.0
    assert SignNoise(2.0).moment(5.0, 3) == 32.0
    assert unit_entry_moment(2.0, 7) == pytest.approx(1 / 7, rel=1e-13)
    assert gaussian_moment(3.0, 3) == pytest.approx(stats.chi(3).moment(3), rel=1e-10)


def test_the_normal_transform_is_that_of_scipy():
    u = torch.linspace(0, 1, 1001, dtype=torch.float64)[1:-1]
    assert torch.allclose(normal(u), torch.from_numpy(stats.norm.ppf(u.numpy())), rtol=1e-12, atol=1e-13)
    ends = normal(torch.tensor([0.0, 1 - 2.0**-53], dtype=torch.float64))
    assert ends.tolist() == pytest.approx([-8.29, 8.21], abs=0.01)


def test_the_pareto_tail_is_the_stated_one():
    """P(|n| > r) = r^-tail, and in R^1 both signs alike."""
    noise, n = ParetoNoise(1.5), drawn(ParetoNoise(1.5), torch.zeros(1).double()).squeeze(-1)
    for r in (1.0, 2.0, 10.0, 100.0):
        share = float((n.abs() >= r).double().mean())
        assert share == pytest.approx(r**-1.5, abs=5 * (r**-1.5 / N) ** 0.5 + 1e-9)
    assert abs(float((n > 0).double().mean()) - 0.5) <= 5 * 0.5 / N**0.5
    density, _ = integrate.quad(lambda r: r**1.25 * 1.5 * r**-2.5, 1, math.inf)
    assert density == pytest.approx(noise.moment(1.25, 1), rel=1e-6)


def test_skewed_noise_points_one_way_three_times_out_of_four():
    n = drawn(SkewedNoise(2.0), torch.zeros(2).double())
    assert set(n[:, 0].tolist()) == {6.0, -2.0}
    assert float((n[:, 0] < 0).double().mean()) == pytest.approx(0.75, abs=0.005)
    assert (n[:, 1] == 0).all()


def test_sine_noise_is_the_gradient_of_a_sample():
    noise = SineNoise(GaussianNoise(0.7))
    z = noise.coefficients.draw(u := uniforms(noise, 3, 1)[0], X)
    x, v = X.clone(), torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)

    def sample(x: Tensor) -> Tensor:
        return (z * x.sin()).sum(-1)

    assert torch.allclose(noise.draw(u, x), torch.autograd.functional.jacobian(sample, x), rtol=1e-14)
    assert torch.allclose(
        noise.draw_hvp(u, x, v), torch.autograd.functional.hessian(sample, x) @ v, rtol=1e-14
    )


def test_sine_noise_changes_by_no_more_than_stated_and_as_much():
    """E |n(x) - n(y)|^2 = sum_j E z_j^2 (cos x_j - cos y_j)^2, enumerated; E z_j^2 = sigma^2 / d."""
    noise, generator = SineNoise(SignNoise(3.0)), torch.Generator().manual_seed(0)
    values, weights = SignNoise(3.0).outcomes(2)
    assert noise.change(2) == pytest.approx(3 / 2**0.5, rel=1e-15)
    assert GaussianNoise(1.0).change(2) == 0
    x = 3 * torch.randn(500, 2, dtype=torch.float64, generator=generator)
    y = x + torch.randn(500, 2, dtype=torch.float64, generator=generator)
    moved = weights @ (values.unsqueeze(1) * (x.cos() - y.cos())).square().sum(-1)
    ratio = (moved.sqrt() / (x - y).norm(dim=-1)).max()
    assert 0.8 * noise.change(2) < float(ratio) <= noise.change(2) * (1 + 1e-12)
    near = torch.tensor([[math.pi / 2, 0.0], [math.pi / 2 + 1e-4, 0.0]], dtype=torch.float64).cos()
    moved = weights @ (values * (near[0] - near[1])).square().sum(-1)
    assert float(moved.sqrt()) / 1e-4 == pytest.approx(noise.change(2), rel=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GaussianNoise(0.0), "sigma must be finite and > 0"),
        (lambda: SignNoise(math.nan), "sigma must be finite and > 0"),
        (lambda: ParetoNoise(1.0), "tail must be > 1"),
        (lambda: ParetoNoise(2.0, math.inf), "scale must be"),
        (lambda: SkewedNoise(1.0, (0.0, 0.0)), "direction must not be 0"),
        (lambda: SkewedNoise(1.0, (1.0,)).moment(2.0, 3), "direction must have 3 entries"),
        (lambda: GaussianNoise(1.0).moment(0.0, 3), "p must be"),
        (lambda: GaussianNoise(1.0).moment(2.0, 0), "d must be"),
        (lambda: GaussianNoise(1.0).draw(torch.zeros(2).double(), X), r"u must have shape \(\*batch, 3\)"),
        (lambda: SkewedNoise(1.0, (1.0,)).draw(torch.zeros(1).double(), X), "does not fit points"),
        (lambda: Noisy(Quadratic((1.0,)), SkewedNoise(1.0, (1.0, 2.0))), "must fit dimension 1"),
        (lambda: Noisy(Noisy(Quadratic((1.0,)), SignNoise(1.0)), SignNoise(1.0)), "noise comes last"),
        (lambda: Scaled(Noisy(Quadratic((1.0,)), SignNoise(1.0)), 2.0), "noise comes last"),
    ],
)
def test_bad_arguments_are_named(make, message: str):
    with pytest.raises(ValueError, match=message):
        make()


def test_wrong_kinds_are_named():
    with pytest.raises(TypeError, match="coefficients must be"):
        SineNoise(SineNoise(SignNoise(1.0)))
    with pytest.raises(TypeError, match="noise must be a Noise"):
        Noisy(Quadratic((1.0,)), 3.0)
    with pytest.raises(TypeError, match="made of Problems"):
        Noisy(3.0, SignNoise(1.0))


@every
def test_a_noisy_problem_is_the_problem_with_noise(noise: Noise):
    inner = Quadratic((1.0, 2.0, 5.0), f_star=7.0, seed=1)
    problem = Noisy(inner, noise)
    x = torch.randn(5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    for name in ("value", "grad", "gap", "nearest_star"):
        assert torch.equal(getattr(problem, name)(x), getattr(inner, name)(x))
    for name in ("prox", "brox"):
        assert torch.equal(getattr(problem, name)(x, 0.3), getattr(inner, name)(x, 0.3))
    assert all(
        torch.equal(a, b) for a, b in zip(problem.brox_step(x, 0.3), inner.brox_step(x, 0.3), strict=True)
    )
    assert torch.equal(problem.hvp(x, x), inner.hvp(x, x))
    assert (problem.f_star, problem.f_star_error, problem.x_star_error) == (7.0, 0.0, 0.0)
    assert torch.equal(problem.x_star, inner.x_star)
    assert problem.offers("noise")
    assert not inner.offers("noise")
    assert problem.certified[: len(inner.certified)] == inner.certified
    u = uniforms(noise, 3, 5)
    assert torch.equal(problem.noisy_grad(x, u), inner.grad(x) + noise.draw(u, x))
    classes = (Noisy, Quadratic, GaussianNoise, SignNoise, ParetoNoise, SkewedNoise, SineNoise)
    assert parse_specification(repr(problem), {c.__name__: c for c in classes}) == problem


def moments(problem: Noisy) -> dict[float, float]:
    return {
        c.assumption.p: c.assumption.sigma_p
        for c in problem.certified
        if isinstance(c.assumption, BoundedMoment)
    }


def test_certified_moments_are_the_exact_ones_rounded_up():
    problem = Noisy(Quadratic((1.0, 2.0)), GaussianNoise(3.0))
    (variance,) = (c.assumption for c in problem.certified if isinstance(c.assumption, BoundedVariance))
    assert 3.0 < variance.sigma <= 3.0 * (1 + 2e-10)
    for p, sigma_p in moments(problem).items():
        exact = GaussianNoise(3.0).moment(p, 2) ** (1 / p)
        assert exact < sigma_p <= exact * (1 + 2e-10)


@pytest.mark.parametrize("size", [5e-324, 2.7e-162, 1e-100, 1.0, 1e200], ids=repr)
@pytest.mark.parametrize(
    ("make", "root"),
    [
        (GaussianNoise, 1.0),
        (SignNoise, 1.0),
        (SkewedNoise, 3**0.5),
        (lambda s: ParetoNoise(3.0, s), 3**0.5),
        (lambda s: SineNoise(GaussianNoise(s)), 1.0),
    ],
    ids=["gaussian", "sign", "skewed", "pareto", "sine"],
)
def test_moments_of_any_size_are_rounded_up(make, root: float, size: float):
    problem = Noisy(Quadratic((1.0, 2.0)), make(size))
    (variance,) = (c.assumption for c in problem.certified if isinstance(c.assumption, BoundedVariance))
    assert root * size <= variance.sigma <= root * size * (1 + 2e-10) + 5e-324
    assert problem.noise.size(2.0, 2) == pytest.approx(root * size, rel=1e-14)
    assert len(moments(problem)) == 4


def test_moments_beyond_the_floats_are_infinite():
    assert GaussianNoise(1.0).moment(500.0, 1) == GaussianNoise(1e200).moment(2.0, 3) == math.inf
    assert GaussianNoise(1.0).entry_moment(500.0, 1) == SignNoise(1e200).moment(2.0, 1) == math.inf
    assert SkewedNoise().moment(700.0, 1) == SkewedNoise(1e-300, (3.0, 4.0)).moment(700.0, 2) + math.inf
    assert ParetoNoise(3.0, 1e200).moment(2.0, 2) == math.inf
    assert ParetoNoise(2.0).entry_moment(500.0, 1000) == math.inf
    assert ParetoNoise(1000.0).entry_moment(500.0, 1) == pytest.approx(2.0, rel=1e-12)
    assert GaussianNoise(5e-324).moment(1.5, 100) == 0.0
    assert SineNoise(GaussianNoise(1e200)).change(4) == pytest.approx(5e199, rel=1e-14)
    assert SkewedNoise(1.0, (1.7e308, 1.7e308)).entry_moment(2.0, 2) == pytest.approx(1.5, rel=1e-14)


def test_a_tail_next_to_one_has_no_moment():
    noise = ParetoNoise(math.nextafter(1, 2))
    assert noise.orders == ()
    problem = Noisy(Quadratic((1.0,)), noise)
    assert problem.certified == problem.problem.certified
    assert len(moments(Noisy(Quadratic((1.0,)), ParetoNoise(1 + 2.0**-51)))) == 1


def test_heavy_tails_have_no_variance_but_a_moment():
    problem = Noisy(Quadratic((1.0, 2.0)), ParetoNoise(1.6))
    assert sorted(moments(problem)) == [1.25, 1.5]
    assert not any(isinstance(c.assumption, BoundedVariance) for c in problem.certified)
    assert list(moments(Noisy(Quadratic((1.0,)), ParetoNoise(1.1)))) == [pytest.approx(1.05)]


@every
def test_certificates_are_not_refuted_and_smaller_constants_are(noise: Noise):
    problem = Noisy(Quadratic((1.0, 2.0, 5.0)), noise)
    for certificate in problem.certified:
        assumption = certificate.assumption
        if not isinstance(assumption, BoundedMoment | BoundedVariance):
            continue
        assert assumption.refute(problem, budget=5_000).verdict == "not refuted"
    size = 0.97 if noise.outcomes(3) is not None else 0.5
    root = noise.moment(2.0, 3) ** 0.5
    assert BoundedVariance(size * root).check(problem, torch.zeros(1, 3).double()).verdict == "refuted"


def test_noise_replaces_that_of_sampled_terms():
    """A finite sum has noise of its own; with another noise its moments are no longer claimed."""
    inner = LogisticRegression("breast_cancer", reg=0.01)
    problem = Noisy(inner, SignNoise(1.0))
    assert problem.n_terms == inner.n_terms
    own = [c for c in problem.certified if isinstance(c.assumption, BoundedVariance)]
    assert len(own) == 1
    assert own[0].assumption.sigma == pytest.approx(1.0, rel=1e-9)


@pytest.mark.parametrize("problem", [p for p in INSTANCES if not p.offers("noise")], ids=repr)
def test_every_instance_can_have_noise(problem):
    noisy = Noisy(problem, SignNoise(1.0))
    for name in ("f_star", "x_star", "nearest_star", "prox", "brox", "brox_step", "conjugate", "hvp"):
        assert noisy.offers(name) == problem.offers(name)
    assert noisy.layers == problem.layers
    assert noisy.oracle_errors == problem.oracle_errors
