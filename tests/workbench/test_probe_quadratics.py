"""Probes where everything is known: quadratics, and gradients that are noise."""

import itertools
import math

import pytest
import torch
from torch import nn

from assumptions.column_norms import MaxColumn
from assumptions.matrix_norms import Nuclear, Spectral
from assumptions.norms import Lp
from assumptions.smooth import Smooth
from problems.spectral_quadratic import SpectralQuadratic
from workbench.optim import Scion
from workbench.orthogonal import Exact
from workbench.probes.probe import SmoothnessProbe

HESSIANS = {
    "a": ((3.0, 1.0), (1.0, 2.0)),
    "b": ((2.0, 0.5, 0.0), (0.5, 1.0, 0.2), (0.0, 0.2, 0.7)),
    "c": ((1.0, 0.0), (0.0, 5.0)),
    "d": ((4.0,),),
    "e": ((1.5, 0.0, 0.0), (0.0, 1.5, 0.0), (0.0, 0.0, 1.5)),
}
NORMS = {
    "a": Spectral(2, 4),
    "b": Nuclear(3, 2),
    "c": MaxColumn(2, 3, 0.5),
    "d": Lp(math.inf, 2.0),
    "e": Lp(2.0),
}
PROBLEMS = {
    name: SpectralQuadratic(
        HESSIANS[name], norm.n if isinstance(norm, Spectral | Nuclear | MaxColumn) else 4, norm
    )
    for name, norm in NORMS.items()
}


class Quadratics(nn.Module):
    """sum over layers of <X, Q X> / 2 + <N, X>, N the mean over the rows of the batch."""

    def __init__(self, problems, start=1.0, seed=0):
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        for name, problem in problems.items():
            x = torch.randn(problem.m, problem.n, dtype=torch.float64, generator=generator)
            self.register_parameter(name, nn.Parameter(start * x))
        self.problems = problems

    def forward(self, batch):
        value = sum(problem.gap(getattr(self, name).flatten()) for name, problem in self.problems.items())
        return value + sum((batch[name].mean(0) * getattr(self, name)).sum() for name in batch)


def loss(model, batch):
    return model(batch)


def noise_of(problems, rows, scale, seed):
    generator = torch.Generator().manual_seed(seed)
    return {
        name: scale * torch.randn(rows, problem.m, problem.n, dtype=torch.float64, generator=generator)
        for name, problem in problems.items()
    }


def trained(model, optimizer, batch, batches, **options):
    probe = SmoothnessProbe(
        model, optimizer, loss=loss, batch=batch, **{"every": 1, "announce": None, **options}
    )
    points = [[p.detach().clone() for p in model.parameters()]]
    with probe:
        for each in batches:
            optimizer.zero_grad()
            probe.saw(each)
            loss(model, each).backward()
            optimizer.step()
            points.append([p.detach().clone() for p in model.parameters()])
    assert not probe.stopped
    return probe.result(), points


def on_all_layers(optimizer_of, steps=3, **options):
    model = Quadratics(PROBLEMS)
    batches = [noise_of(PROBLEMS, 4, 0.3, seed) for seed in range(steps)]
    return trained(
        model,
        optimizer_of(model.parameters()),
        noise_of(PROBLEMS, 6, 1.0, 99),
        batches,
        norms=NORMS,
        **options,
    )


OPTIMIZERS = {
    "sgd": lambda params: torch.optim.SGD(params, lr=0.05, momentum=0.5),
    "adam": lambda params: torch.optim.Adam(params, lr=0.1),
}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_number_is_the_analytic_one(optimizer):
    """The change of the gradient is Q dX, that of the noise nothing; all else follows."""
    result, points = on_all_layers(OPTIMIZERS[optimizer])
    fixed = noise_of(PROBLEMS, 6, 1.0, 99)
    for (k, (x, x_next)), (i, (name, norm)) in itertools.product(
        enumerate(itertools.pairwise(points)), enumerate(NORMS.items())
    ):
        q = torch.tensor(HESSIANS[name], dtype=torch.float64)
        step, row = x_next[i] - x[i], result.isel(probe=k, layer=i)
        here, there = (q @ end[i] + fixed[name].mean(0) for end in (x, x_next))
        length, inner = norm.norm(step.flatten()), (q @ step * step).sum()
        half = (fixed[name][:3].mean(0) - fixed[name][3:].mean(0)) / 2
        expected = {
            "step_length": length,
            "gradnorm": norm.dual(here.flatten()),
            "gradnorm_next": norm.dual(there.flatten()),
            "ratio": norm.dual((q @ step).flatten()) / length,
            "noise": norm.dual(half.flatten()),
            "cosine": (here * there).sum() / (here.norm() * there.norm()),
            "curvature": inner / length**2,
            "step_length_2": step.norm(),
            "gradnorm_2": here.norm(),
            "gradnorm_next_2": there.norm(),
            "ratio_2": (q @ step).norm() / step.norm(),
        }
        for quantity, value in expected.items():
            assert float(row[quantity]) == pytest.approx(float(value), rel=1e-6), (name, quantity)
        assert float(row["ratio_noise"]) <= float(row["ratio_resolution"])


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_levels_agree_with_the_pair_on_quadratics(optimizer):
    """Nothing depends on the length; layers do not interact; Hessian products are the whole change."""
    result, _ = on_all_layers(
        OPTIMIZERS[optimizer], level="radii, coupling, hvp, adversarial", scales=(0.5, 1, 2)
    )
    ratio = result["ratio"].values
    for scale in result["scale"].values:
        assert result["ratio_scaled"].sel(scale=scale).values == pytest.approx(ratio, rel=1e-6)
    for i, name in enumerate(NORMS):
        others = [other for other in NORMS if other != name]
        coupling = result["coupling"].isel(layer=i)
        assert coupling.sel(moved=name).values == pytest.approx(ratio[:, i], rel=1e-6)
        assert float(abs(coupling.sel(moved=others)).max()) < 1e-9
    assert result["coupling_sum"].values == pytest.approx(1.0, abs=1e-6)
    assert result["hvp_curvature"].values == pytest.approx(result["curvature"].values, rel=1e-6)
    assert float(result["hvp_residual"].max()) < 1e-6
    assert bool((result["ratio_adversarial"] >= result["ratio"] * (1 - 1e-9)).all())


def certified(problem, norm):
    """The smoothness constant that the problem proves in the norm."""
    return next(
        c.assumption.L
        for c in problem.certified
        if isinstance(c.assumption, Smooth) and c.assumption.norm == norm
    )


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_no_ratio_exceeds_the_certified_constant(optimizer):
    result, _ = on_all_layers(OPTIMIZERS[optimizer], level="radii, coupling, adversarial", steps=5)
    for i, (name, norm) in enumerate(NORMS.items()):
        limit = certified(PROBLEMS[name], norm) * (1 + 1e-9)
        row = result.isel(layer=i)
        for quantity in ("ratio", "ratio_scaled", "coupling", "ratio_adversarial"):
            assert float(row[quantity].max()) <= limit, (name, quantity)
        assert float(row["curvature"].max()) <= limit
        assert float(row["ratio_adversarial"].max()) > 0.5 * limit


@pytest.mark.parametrize("shape", [(3, 3), (2, 5), (4, 1)], ids=str)
def test_steps_of_an_exact_polar_factor_attain_the_constant_of_an_isotropic_quadratic(shape):
    """|X|_F^2 / 2 has the constant min(m, n): |t U V'|_nuc / |t U V'|_op, and no other step has more."""
    m, n = shape
    identity = tuple(tuple(float(i == j) for j in range(m)) for i in range(m))
    problems = {"x": SpectralQuadratic(identity, n)}
    constant = certified(problems["x"], Spectral(m, n))
    assert constant == pytest.approx(min(m, n), rel=1e-9)
    ratios = {}
    for name in ("scion", "sgd"):
        model = Quadratics(problems, start=3.0)
        scion = Scion(model.parameters(), lr=0.1, norm=Spectral(m, n), orthogonaliser=Exact())
        optimizer = scion if name == "scion" else torch.optim.SGD(model.parameters(), lr=0.1)
        batches = [noise_of(problems, 2, 0.5, seed) for seed in range(4)]
        result, points = trained(model, optimizer, batches[0], batches, norms={"x": Spectral(m, n)})
        ratios[name] = result["ratio"].values[:, 0]
        steps = [after[0] - before[0] for before, after in itertools.pairwise(points)]
        exact = [float(torch.linalg.svdvals(s).sum() / torch.linalg.svdvals(s)[0]) for s in steps]
        assert ratios[name].tolist() == pytest.approx(exact, rel=1e-6)
    assert ratios["scion"].tolist() == pytest.approx([constant] * 4, rel=1e-6)
    assert ratios["sgd"].max() < constant * (1 - 1e-3) or min(m, n) == 1


# -- the published estimator ----------------------------------------------------------------------------

SIDE = 32
IDENTITY = tuple(tuple(float(i == j) for j in range(SIDE)) for i in range(SIDE))
ISOTROPIC = {"x": SpectralQuadratic(IDENTITY, SIDE)}
OPERATOR = Spectral(SIDE, SIDE)


@pytest.mark.parametrize("lr", [1e-2, 1e-4])
def test_different_batches_show_sqrt_two_over_the_step_whatever_the_loss(lr):
    """Noise 10^3 times the gradient: ratio t / |G'| is near sqrt 2, and 1 / L1 near t; L = 32 is not seen.

    The same steps on one batch each see 32, however noisy.
    """
    found = {}
    for batch in ("different", "training"):
        model = Quadratics(ISOTROPIC, start=1e-3)
        scion = Scion(model.parameters(), lr=lr, beta=0.0, norm=OPERATOR, orthogonaliser=Exact())
        batches = [noise_of(ISOTROPIC, 2, 1.0, seed) for seed in range(7)]
        found[batch], _ = trained(model, scion, batch, batches, norms={"x": OPERATOR})
    different, same = found["different"], found["training"]
    artefact = (different["ratio"] * different["step_length"] / different["gradnorm_next"]).values
    assert artefact.shape == (6, 1)
    assert 1.3 <= artefact.min() <= artefact.max() <= 1.45
    assert float(different["ratio"].min()) > 3 * SIDE
    assert same["ratio"].values == pytest.approx(SIDE, rel=1e-6)
    assert same.sizes["probe"] == 7
    assert "NOISE" in different.attrs["estimator"]
    assert "noise" not in same.attrs["estimator"].lower()


def test_the_same_batch_is_compared_with_itself_at_both_ends():
    """The rows of "different" hold the gradients of two batches; those of "training" of one."""
    model = Quadratics(ISOTROPIC)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    batches = [noise_of(ISOTROPIC, 3, 1.0, seed) for seed in range(5)]
    result, points = trained(model, optimizer, "different", batches, norms={"x": OPERATOR}, every=2)
    assert result["step"].values.tolist() == [0, 2]
    for row, k in enumerate((0, 2)):
        change = points[k + 1][0] - points[k][0] + batches[k + 1]["x"].mean(0) - batches[k]["x"].mean(0)
        length = torch.linalg.svdvals(points[k + 1][0] - points[k][0])[0]
        expected = float(torch.linalg.svdvals(change).sum() / length)
        assert float(result["ratio"][row, 0]) == pytest.approx(expected, rel=1e-6)
