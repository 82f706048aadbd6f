"""ASGO: roots and inverses, steps by hand, regret bounds with their numbers; the averaged form."""

import math
from types import SimpleNamespace

import pytest
import torch

from assumptions import Layers
from problems import LayerSum, Noisy, Quadratic, SpectralQuadratic
from problems.noise.sign import SignNoise
from workbench import run
from workbench.methods.asgo import ASGO
from workbench.methods.averaged_asgo import AveragedASGO
from workbench.methods.left_roots import inverted, left_root, roots, roots_added
from workbench.theorems.asgo import ROUND, THEOREMS

NOTHING = SimpleNamespace()
TWO = LayerSum((SpectralQuadratic(((2.0, 0.5), (0.5, 1.0)), 3), SpectralQuadratic(((3.0,),), 2)))
WIDE = SpectralQuadratic(((2.0, 0.5), (0.5, 1.0)), 3)


def after(method, problem, steps):
    """The state after so many steps from the problem's start."""
    state = method.init(problem, problem.x0, NOTHING)
    for _ in range(steps):
        state = method.step(problem, state, NOTHING)
    return state


def gaussian(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shape", [(3, 5), (4, 2), (1, 1), (3, 3)])
@pytest.mark.parametrize("scale", [1e-150, 1e-6, 1.0, 1e150])
def test_a_root_squares_to_the_outer_product(shape, scale):
    a = scale * gaussian(7, *shape)
    root = left_root(a) / scale
    a = a / scale
    torch.testing.assert_close(root @ root, a @ a.mT, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(root, root.mT, rtol=0, atol=1e-13)
    assert (torch.linalg.eigvalsh(root) >= -1e-13).all()


def test_small_singular_values_keep_their_digits():
    """Through V = G G' the direction of size 1e-10 would be lost: its square is below the rounding of 1."""
    layers = Layers.single(4)
    layers = Layers(((2, 2),), layers.norms)
    g = torch.tensor([1.0, 0.0, 0.0, 1e-10], dtype=torch.float64)
    root = roots_added(layers, torch.zeros(4, dtype=torch.float64), g)
    step = inverted(layers, root, g)
    torch.testing.assert_close(step, torch.eye(2, dtype=torch.float64).flatten(), rtol=1e-12, atol=1e-12)


def test_zero_and_nan():
    layers, zero = WIDE.layers, torch.zeros(3, 6, dtype=torch.float64)
    zero[1, 2] = torch.nan
    root = roots_added(layers, torch.zeros(3, 4, dtype=torch.float64), zero)
    found = inverted(layers, root, zero)
    assert found[[0, 2]].tolist() == torch.zeros(2, 6).tolist()
    assert found[1].isnan().all()


def test_the_first_step_is_muon_and_eps_shrinks_it():
    """V_1^(-1/2) G = U V' for the thin singular value decomposition of G."""
    g = WIDE.grad(WIDE.x0).reshape(2, 3)
    u, s, vh = torch.linalg.svd(g, full_matrices=False)
    x = run(ASGO(0.3), WIDE, steps=1, keep_state=True).x[0]
    torch.testing.assert_close(x[0] - x[1], 0.3 * (u @ vh).flatten(), rtol=1e-12, atol=1e-13)
    x = run(ASGO(0.3, eps=2.0), WIDE, steps=1, keep_state=True).x[0]
    expected = 0.3 * (u * (s / (s + 2)) @ vh).flatten()
    torch.testing.assert_close(x[0] - x[1], expected, rtol=1e-12, atol=1e-13)


def test_roots_add_up_layer_by_layer():
    t = run(ASGO(0.2), TWO, steps=6, keep_state=True)
    g = torch.stack([TWO.grad(x) for x in t.x[0, :-1]])
    for i, shape in enumerate(TWO.layers.shapes):
        parts = TWO.layers.split(g)[i].reshape(6, *shape)
        v = (parts @ parts.mT).sum(0)
        root = roots(TWO.layers, after(ASGO(0.2), TWO, 6).root)[i]
        torch.testing.assert_close(root @ root, v, rtol=1e-11, atol=1e-11)


def test_a_vector_is_a_column():
    """Its first step is a gradient step of length eta; one entry: AdaGrad."""
    problem = Quadratic((1.0, 4.0), center=(0.0, 0.0), seed=None, start=(3.0, 1.0))
    x = run(ASGO(0.5), problem, steps=1, keep_state=True).x[0]
    assert (x[0] - x[1]).tolist() == pytest.approx([0.3, 0.4])
    line = SpectralQuadratic(((1.0,),), 1, start=(1.0,))
    x = run(ASGO(0.5), line, steps=2, keep_state=True).x[0, :, 0]
    assert x.tolist() == pytest.approx([1.0, 0.5, 0.5 - 0.25 / math.sqrt(1.25)])


def test_a_batch_equals_its_rows():
    x, method = gaussian(3, TWO.d), ASGO(torch.tensor([[0.1], [0.2], [0.3]], dtype=torch.float64), eps=0.5)
    both = method.step(TWO, method.step(TWO, method.init(TWO, x, NOTHING), NOTHING), NOTHING)
    for row, eta in enumerate((0.1, 0.2, 0.3)):
        one = ASGO(eta, eps=0.5)
        alone = one.step(TWO, one.step(TWO, one.init(TWO, x[row], NOTHING), NOTHING), NOTHING)
        torch.testing.assert_close(both.x[row], alone.x, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"eta": 0.0}, "eta must be finite and > 0"),
        ({"eps": -1.0}, "eps must be finite and >= 0"),
        ({"minibatch": 0}, "minibatch must be an integer >= 1"),
        ({"eta": torch.ones(2)}, "eta must be a float or have shape"),
    ],
)
def test_wrong_numbers(change, said):
    with pytest.raises(ValueError, match=said):
        ASGO(**{"eta": 0.1, **change})


def test_the_trace_of_the_root_cannot_be_its_length():
    """|W - I_8|^2 / 2 from 0, eta = 1/2, 20 steps: the sum of the gaps is between the two."""
    names = ("gap", "reach_i", "root_trace_i", "root_length_i")
    t = run(ASGO(0.5), ROUND, steps=20, record=names)
    gaps = float(t["gap"][0, :20].sum())
    reach, trace, length = (float(t[name][0, 20, 0]) for name in names[1:])
    factor = reach**2 / (2 * 0.5) + 0.5
    assert gaps == pytest.approx(5.4506, abs=5e-5)
    assert factor * length == pytest.approx(4.9525, abs=5e-5)
    assert factor * trace == pytest.approx(14.008, abs=5e-4)
    assert 2 * factor**2 * 8 >= gaps


def test_regret_against_random_gradients():
    """sum <G, X - X_star> with noise as large as the gradient: no run leaves the bound, at any eta."""
    problem = Noisy(TWO, SignNoise(3.0))
    for eta in (0.01, 0.3, 3.0):
        for eps in (0.0, 0.7):
            t = run(
                ASGO(eta, eps=eps),
                problem,
                replicates=20,
                steps=50,
                record=("linear", "reach_i", "root_trace_i"),
            )
            rows = torch.tensor([2.0, 1.0], dtype=torch.float64)
            regret = t["linear"].cumsum(1)[:, 1:]
            reach, trace = t["reach_i"][:, 1:], t["root_trace_i"][:, 1:]
            bound = (reach**2 / (2 * eta) * (trace + eps * rows) + eta * trace).sum(-1)
            assert (regret <= bound * (1 + 1e-12)).all()


def test_reach_counts_the_points_before_the_step():
    line = SpectralQuadratic(((1.0,),), 1, start=(1.0,))
    t = run(ASGO(5.0), line, steps=2, record=("reach_i",))
    assert t["reach_i"][0, :, 0].tolist() == pytest.approx([1.0, 1.0, 4.0])


def test_theorems_say_where_they_come_from():
    assert [t.id for t in THEOREMS] == ["asgo/linear", "asgo/regret", "asgo/smooth"]
    assert all(t.source.status == "DERIVED" and t.mutants and t.tight and t.proof for t in THEOREMS)


# -- the averaged form ------------------------------------------------------------------------------


def test_an_averaged_step_has_a_fixed_length_and_decays_weights():
    x = run(AveragedASGO(0.05, weight_decay=0.0), WIDE, steps=8, keep_state=True).x[0]
    lengths = (x[1:] - x[:-1]).norm(dim=-1)
    assert lengths.tolist() == pytest.approx([0.05 * 0.2 * math.sqrt(6)] * 8)
    y = run(AveragedASGO(0.05, weight_decay=0.5), WIDE, steps=1, keep_state=True).x[0]
    torch.testing.assert_close(y[1], x[1] - 0.05 * 0.5 * x[0], rtol=1e-12, atol=1e-14)


def test_a_tall_layer_is_a_wide_one_transposed():
    """|W - B|^2 / 2 is the same function of the transposed matrix."""
    tall = SpectralQuadratic(
        ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)), 2, start=tuple(map(float, range(1, 7)))
    )
    wide = SpectralQuadratic(((1.0, 0.0), (0.0, 1.0)), 3, start=(1.0, 3.0, 5.0, 2.0, 4.0, 6.0))
    one = run(AveragedASGO(0.1), tall, steps=10, keep_state=True)
    two = run(AveragedASGO(0.1), wide, steps=10, keep_state=True)
    assert len(after(AveragedASGO(0.1), tall, 1).root) == 4
    turned = one.x.reshape(1, 11, 3, 2).mT.flatten(-2)
    torch.testing.assert_close(turned, two.x, rtol=1e-9, atol=1e-10)


def test_averages_by_hand():
    """One entry: V = 0.8 V + 0.2 G^2, M = 0.9 M + 0.1 G; the step is 0.2 stepsize sign(M)."""
    line = SpectralQuadratic(((1.0,),), 1, start=(1.0,))
    t = run(AveragedASGO(1.0, weight_decay=0.0, eps=0.0), line, steps=2, keep_state=True)
    assert t.x[0, :, 0].tolist() == pytest.approx([1.0, 0.8, 0.6])
    last = after(AveragedASGO(1.0, weight_decay=0.0, eps=0.0), line, 2)
    assert last.root.item() ** 2 == pytest.approx(0.8 * 0.2 + 0.2 * 0.64)
    assert last.m.item() == pytest.approx(0.9 * 0.1 + 0.1 * 0.8)


def test_no_gradient_no_step():
    still = SpectralQuadratic(((1.0, 0.0), (0.0, 1.0)), 2, start=(0.0,) * 4)
    assert run(AveragedASGO(0.1, eps=0.0), still, steps=3, keep_state=True).x.abs().max() == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"stepsize": 0.0}, "stepsize must be finite and > 0"),
        ({"beta": 1.0}, r"beta must be in \[0, 1\)"),
        ({"eps": -1.0}, "eps must be finite and >= 0"),
        ({"weight_decay": -1.0}, "weight_decay must be finite and >= 0"),
        ({"minibatch": 2.0}, "minibatch must be an integer >= 1"),
    ],
)
def test_wrong_numbers_of_the_averaged_form(change, said):
    with pytest.raises(ValueError, match=said):
        AveragedASGO(**{"stepsize": 0.1, **change})
