"""The worst step in a ball, and how inexact orthogonalised directions are."""

import math
from collections.abc import Mapping

import pytest
import torch
from torch import Tensor, nn

from assumptions.column_norms import MaxColumn
from assumptions.layers import Layers
from assumptions.matrix_norms import Spectral
from assumptions.norms import Lp, Norm
from tests.workbench.level_cases import Variables, numbers, on_function, on_network, quadratic
from workbench.optim import Gluon, Muon, groups_for
from workbench.orthogonal import (
    Exact,
    NewtonSchulz,
    Orthogonaliser,
    PolarExpress,
    Rescaled,
    inexact_direction,
    lmo_factors,
)
from workbench.probes.ends import Ends, moved_by
from workbench.probes.layers import layers_for
from workbench.probes.levels import adversarial, lmo_quality, orthogonalisers, radii

# -- the worst step ---------------------------------------------------------------------------------

Q = torch.diag(torch.tensor([8.0, 4.0, 3.0, 0.5, 0.2, 0.1], dtype=torch.float64))
TURN = torch.linalg.qr(torch.randn(6, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1)))[0]


@pytest.mark.parametrize(
    ("norm", "q", "n", "constant"),
    [
        (Spectral(6, 3), torch.eye(6), 3, 3.0),
        (Spectral(6, 9), torch.eye(6), 9, 6.0),
        (Spectral(6, 6, 2.0), torch.eye(6), 6, 6.0 / 4),
        (Spectral(6, 3), TURN @ Q @ TURN.T, 3, 15.0),  # the 3 largest eigenvalues: Ky Fan
        (Spectral(6, 9), TURN @ Q @ TURN.T, 9, 15.8),
        (Lp(2.0), TURN @ Q @ TURN.T, 3, 8.0),
        (Lp(math.inf), Q, 3, 3 * 15.8),
        (MaxColumn(6, 3), TURN @ Q @ TURN.T, 3, 3 * 8.0),
    ],
    ids=["tall", "wide", "scaled", "Ky Fan", "trace", "Euclidean", "largest entry", "columns"],
)
def test_the_search_finds_the_constant_of_a_quadratic(norm: Norm, q: Tensor, n: int, constant: float):
    """f = <X, Q X> / 2, from a step of rank one with few entries, whose ratio is far below."""
    q, step = q.double(), torch.zeros(6, n, dtype=torch.float64)
    step[5, :2] = 0.3
    given = on_function(
        lambda x: (x[0] * (q @ x[0])).sum() / 2, [torch.ones(6, n, dtype=torch.float64)], [step], {"*": norm}
    )
    assert radii(*given, (1.0,)).item() < 0.7 * constant
    assert adversarial(*given, rounds=8).item() == pytest.approx(constant, rel=1e-4)


def test_the_search_finds_the_constants_of_all_layers_at_once():
    """Layers that do not interact, of ratios that are far apart, 1e-4 and 1e4 times."""
    draw = torch.Generator().manual_seed(0)
    x = [torch.randn(6, 3, dtype=torch.float64, generator=draw) for _ in range(2)]
    step = [torch.randn(6, 3, dtype=torch.float64, generator=draw) * size for size in (1e-3, 1.0)]

    def f(x: list[Tensor]) -> Tensor:
        return sum(c * (a * (Q @ a)).sum() / 2 for c, a in zip((1e4, 1e-4), x, strict=True))  # pyright: ignore

    found = adversarial(*on_function(f, x, step, {"*": Spectral(6, 3)}), rounds=6)
    assert found.tolist() == pytest.approx([15e4, 15e-4], rel=1e-5)


def test_no_layer_rules_by_its_unit():
    """f = 1000 a u + b v, the layers a, b and (u, v) = (cos, sin) small angle: phi is best at (sin, cos)."""
    cos, sin = math.cos(0.1), math.sin(0.1)
    x = [*numbers(1.0, 1.0), torch.zeros(2, dtype=torch.float64)]
    step = [*numbers(1.0, 1.0), torch.tensor([cos, sin], dtype=torch.float64)]
    given = on_function(lambda x: (1000 * x[0] * x[2][0] + x[1] * x[2][1]).sum(), x, step)
    assert radii(*given, (1.0,)).flatten()[:2].tolist() == pytest.approx([1000 * cos, sin])
    assert adversarial(*given, rounds=2)[:2].tolist() == pytest.approx([1000 * cos, cos], rel=1e-3)


def test_the_search_goes_uphill_from_the_far_end():
    """G = x - 3 x^2 / 4 from 0 to 1: the slope at 1 is negative, and leads to -1."""
    given = on_function(
        lambda x: (x[0].square() / 2 - x[0].pow(3) / 4).sum(), numbers(0.0), numbers(1.0), "euclidean"
    )
    assert radii(*given, (1.0,)).item() == 0.25
    assert adversarial(*given, rounds=1).item() == pytest.approx(1.75)


def test_coupled_layers_move_together():
    """f = (x + y)^2 / 2: at most (r_x + r_y) / r_i, though the blocks of H alone are 1."""
    given = on_function(quadratic(torch.ones(2, 2).double()), numbers(1.0, 1.0), numbers(1.0, -0.5))
    assert radii(*given, (1.0,)).flatten().tolist() == pytest.approx([0.5, 1.0])
    assert adversarial(*given, rounds=2).tolist() == pytest.approx([1.5, 3.0], rel=1e-12)


def test_the_search_leaves_steps_that_change_nothing():
    given = on_function(quadratic(torch.ones(2, 2).double()), numbers(1.0, 1.0), numbers(1.0, -1.0))
    assert radii(*given, (1.0,)).flatten().tolist() == [0.0, 0.0]
    assert adversarial(*given, rounds=4).tolist() == pytest.approx([2.0, 2.0], rel=1e-12)


def test_the_search_stays_in_the_ball_and_leaves_frozen_layers():
    oracle, layers, batch, ends = on_network(nn.Tanh)
    still = ends.x_next[0].clone().copy_(ends.x[0])
    x_next = (still, *ends.x_next[1:])
    ends = Ends(ends.x, x_next, ends.here, oracle.evaluate(x_next, batch))
    oracle.gradients.clear()
    found = adversarial(oracle, layers, batch, ends, rounds=3)
    assert found.isnan().tolist() == [True, False, False, False, False]
    assert len(oracle.gradients) == len(oracle.products) == 3
    lengths = layers.norm_i(ends.step)
    for point in oracle.gradients:
        step = moved_by(point, ends.x, -1.0)
        assert (step[0] == 0).all()
        assert layers.norm_i(step)[1:].tolist() == pytest.approx(lengths[1:].tolist(), rel=1e-9)
    measured = radii(oracle, layers, batch, ends, (1.0,))[:, 0]
    assert (found >= measured)[1:].all()
    assert (found > 1.2 * measured).any()


def test_the_search_repeats():
    given = on_network(nn.Tanh)
    once = adversarial(*given, rounds=2, seed=5)
    assert torch.equal(once, adversarial(*given, rounds=2, seed=5))
    assert (adversarial(*given, rounds=4, seed=5) >= once).all()


def test_the_search_ends_where_the_gradient_overflows():
    """exp at X = 0: the worst step is the opposite one, at which the gradient is inf."""
    oracle, layers, batch, ends = on_function(lambda x: x[0].exp().sum(), numbers(0.0), numbers(-800.0))
    # the change is negative, and so is W; H(X') = 0 leaves the direction to chance: seeds of both signs
    found = [adversarial(oracle, layers, batch, ends, rounds=6, seed=seed).item() for seed in range(8)]
    assert found == pytest.approx([1 / 800] * 8)
    assert any(point[0].item() > 0 for point in oracle.gradients)


# -- linear minimisation ----------------------------------------------------------------------------


def mixed() -> nn.Module:
    torch.manual_seed(2)
    return nn.Sequential(nn.Conv2d(2, 4, 3), nn.Flatten(), nn.Linear(16, 8), nn.Linear(8, 8), nn.Linear(8, 8))


def gradients_of(model: nn.Module) -> list[Tensor]:
    draw = torch.Generator().manual_seed(0)
    return [torch.randn(p.shape, generator=draw) for p in model.parameters()]


@pytest.mark.parametrize(
    "how", [Exact(), NewtonSchulz(5), PolarExpress(5), Rescaled(0.7, 1.1)], ids=lambda how: type(how).__name__
)
def test_the_quality_is_that_of_singular_values(how: Orthogonaliser):
    model = mixed()
    layers, g = layers_for(model, "scion", output="4"), gradients_of(model)
    a, b = lmo_quality(layers, g, [how] * len(g))
    assert a.dtype == b.dtype == torch.float64
    for i, layer in enumerate(layers.layers):
        flat = layer.layout.flat(g[i][None])
        alone = Layers.single(flat.shape[-1], layer.layout.norm)
        expected = lmo_factors(alone, flat.double(), inexact_direction(alone, how, flat).double())
        assert [a[i].item(), b[i].item()] == pytest.approx([part.item() for part in expected], rel=1e-6)


def test_the_quality_in_numbers():
    """diag(3, 1) to diag(0.5, 1.5), of norm 1.5 times the length: <G, D> = 3, |G|_nuc = 4."""
    layers = layers_for(Variables([torch.zeros(2, 2)] * 4), {"*": Spectral(2, 2, 4.0)})
    one = torch.diag(torch.tensor([3.0, 1.0]))
    a, b = lmo_quality(layers, [one, one, one, 0 * one], [Rescaled(0.5, 1.5), None, Rescaled(1, 2), Exact()])
    assert a.tolist() == pytest.approx([0.75, 1.0, 1.25, 1.0])
    assert b.tolist() == pytest.approx([1.5, 1.0, 2.0, 0.0])


def test_the_quality_needs_an_entry_for_every_layer():
    model = mixed()
    with pytest.raises(ValueError, match="each of 8 layers, got 8 and 1"):
        lmo_quality(layers_for(model, "euclidean"), gradients_of(model), [None])


def test_orthogonalisers_are_those_of_the_groups():
    model = mixed()
    groups = groups_for(model, output="4")
    hidden, others = (
        [g for g in groups if g["norm"] == "hidden"],
        [g for g in groups if g["norm"] != "hidden"],
    )
    optimizers = [Muon(hidden, orthogonaliser=PolarExpress(3)), Gluon(others, orthogonaliser=Exact())]
    parameters = dict(model.named_parameters())
    found = orthogonalisers(layers_for(model, "scion", output="4"), optimizers, parameters)
    spectral: Mapping[str, Orthogonaliser] = {
        "0.weight": Exact(),
        "2.weight": PolarExpress(3),
        "3.weight": PolarExpress(3),
    }
    assert found == tuple(spectral.get(name) for name in parameters)
    # the output has a spectral norm here, and the optimizer another: nothing is orthogonalised
    muon = orthogonalisers(layers_for(model, "muon"), optimizers, parameters)
    assert muon[-2] is None
    assert muon[2] == PolarExpress(3)
    assert not any(orthogonalisers(layers_for(model, "euclidean"), optimizers, parameters))


def test_orthogonalisers_of_other_optimizers():
    model = mixed()
    parameters = dict(model.named_parameters())
    layers = layers_for(model, "scion", output="4")
    assert orthogonalisers(layers, [torch.optim.AdamW(model.parameters())], parameters) == (None,) * 8
    with pytest.raises(ValueError, match=r"'0\.weight' is missing"):
        orthogonalisers(layers, [], {})
