"""Muon: known answers, every option, the matrices that it takes, wrong input."""

from types import SimpleNamespace

import pytest
import torch

from assumptions import Layers
from assumptions.matrix_norms import Nuclear, Spectral
from problems import Quadratic
from problems.calculus.noisy import Noisy
from problems.layer_sum import LayerSum
from problems.noise.sign import SignNoise
from problems.spectral_quadratic import SpectralQuadratic
from workbench import run
from workbench.draws import DrawStream
from workbench.methods.muon import SCALES, Muon
from workbench.orthogonal import Exact, NewtonSchulz

NOTHING = SimpleNamespace()
Q = ((3.0, 1.0, 0.0), (1.0, 2.0, 0.5), (0.0, 0.5, 1.0))
TALL = SpectralQuadratic(Q, 2)
BOTH = LayerSum((TALL, SpectralQuadratic(((1.0, 0.0), (0.0, 4.0)), 3)))


def polar(m):
    u, _, vh = torch.linalg.svd(m, full_matrices=False)
    return u @ vh


def by_hand(problem, steps, lr, beta, wd, nesterov, factor):
    """The update as coded, on one matrix: lerp, look ahead, orthogonalise, decay, step."""
    shape = problem.layers.shapes[0]
    p, buffer = problem.x0.reshape(shape).clone(), torch.zeros(shape, dtype=torch.float64)
    for _ in range(steps):
        g = problem.grad(p.flatten()).reshape(shape)
        buffer = torch.lerp(buffer, g, 1 - beta)
        update = torch.lerp(g, buffer, beta) if nesterov else buffer
        p = p * (1 - lr * wd) - lr * factor * polar(update)
    return p.flatten()


def last(method, problem, steps):
    found = run(method, problem, steps=steps, keep_state=True).x
    assert found is not None
    return found[0, -1]


@pytest.mark.parametrize("nesterov", [True, False])
@pytest.mark.parametrize(
    ("scale", "factor"), [("none", 1.0), ("jordan", 1.5**0.5), ("rms", 0.2 * 3**0.5), ("spectral", 1.5**0.5)]
)
def test_it_is_the_update_as_coded(nesterov, scale, factor):
    method = Muon(0.05, 0.9, 0.3, nesterov=nesterov, scale=scale)
    expected = by_hand(TALL, 7, 0.05, 0.9, 0.3, nesterov, factor)
    torch.testing.assert_close(last(method, TALL, 7), expected, rtol=1e-12, atol=1e-13)


def test_factors_of_wide_matrices():
    """2 rows, 8 columns: (1, 1, 0.2 sqrt 8, 1/2)."""
    found = {name: rule(2, 8) for name, rule in SCALES.items()}
    assert found == {"none": 1.0, "jordan": 1.0, "rms": pytest.approx(0.2 * 8**0.5), "spectral": 0.5}


def test_the_first_step_from_twice_the_identity():
    """|X|_F^2 / 2 at 2 I: the direction is I."""
    eye = tuple(tuple(float(i == j) for j in range(3)) for i in range(3))
    problem = SpectralQuadratic(eye, 3, start=tuple(2.0 * (i % 4 == 0) for i in range(9)))
    expected = 1.75 * torch.eye(3, dtype=torch.float64).flatten()
    torch.testing.assert_close(last(Muon(0.25, 0.95), problem, 1), expected, rtol=0, atol=1e-14)


def test_a_step_has_the_given_length_in_every_layer():
    radius = torch.tensor([[0.1, 0.02]], dtype=torch.float64)
    state = Muon(radius, 0.5, scale="none").init(BOTH, BOTH.x0[None], NOTHING)
    new = Muon(radius, 0.5, scale="none").step(BOTH, state, NOTHING)
    torch.testing.assert_close(BOTH.layers.norm_i(new.x - state.x), radius, rtol=1e-12, atol=0)


def test_newton_schulz_steps_are_as_long_as_its_values_say():
    """Singular values of five steps of the quintic are in [0.68, 1.14] for well conditioned matrices."""
    state = Muon(1.0, 0.5).init(TALL, TALL.x0, NOTHING)
    new = Muon(1.0, 0.5, scale="none", orthogonaliser=NewtonSchulz(5)).step(TALL, state, NOTHING)
    assert 0.68 < float(TALL.layers.norm_i(new.x - state.x)) < 1.14


def test_the_buffer_is_a_weighted_sum_of_gradients_and_mass_its_weight():
    problem = Noisy(TALL, SignNoise(0.5))
    method = Muon(0.1, 0.75)
    spaces = method.draws(problem)
    stream = DrawStream(0, [0], spaces, "cpu")
    state, total = method.init(problem, problem.x0[None], NOTHING), torch.zeros(1, 6, dtype=torch.float64)
    for k in range(4):
        draw = stream.at(k, spaces)
        g = problem.grad(state.x) + problem.noise.draw(draw.noise[:, 0], state.x)
        total = 0.75 * total + 0.25 * g
        state = method.step(problem, state, draw)
    torch.testing.assert_close(state.m, total, rtol=1e-13, atol=1e-15)
    assert float(state.mass) == pytest.approx(1 - 0.75**4, rel=1e-14)


@pytest.mark.parametrize("batch", [(), (3,), (2, 2)])
def test_a_batch_equals_its_rows_and_nothing_is_written(batch):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(*batch, BOTH.d, dtype=torch.float64, generator=generator)
    method = Muon(0.1, 0.9, 0.1)
    state = method.init(BOTH, x, NOTHING)
    copies = [f.clone() for f in state]
    new = method.step(BOTH, state, NOTHING)
    assert all(torch.equal(a, b) for a, b in zip(state, copies, strict=True))
    assert [f.shape for f in new] == [f.shape for f in state]
    rows = [method.step(BOTH, method.init(BOTH, row, NOTHING), NOTHING).x for row in x.reshape(-1, BOTH.d)]
    torch.testing.assert_close(new.x, torch.stack(rows).reshape(x.shape), rtol=1e-12, atol=1e-13)


def test_nan_stays_in_its_row_and_zero_gradients_only_decay():
    x = torch.stack([BOTH.x0, BOTH.x0 * torch.nan, BOTH.x_star])
    method = Muon(0.1, 0.9, 0.5)
    new = method.step(BOTH, method.init(BOTH, x, NOTHING), NOTHING)
    assert new.x[1].isnan().all()
    assert new.x[0].isfinite().all()
    torch.testing.assert_close(new.x[2], 0.95 * x[2], rtol=0, atol=0)


def test_cost_and_facts():
    trace = run(Muon(0.1, 0.9), BOTH, steps=3, record=("grad_calls", "lmo_calls"))
    assert trace["grad_calls"][0].tolist() == [0, 1, 2, 3]
    assert trace["lmo_calls"][0].tolist() == [0, 2, 4, 6]
    known = Muon.known(BOTH, {"scale": "jordan", "orthogonaliser": Exact()})
    assert known["scale_i"].tolist() == pytest.approx([1.5**0.5, 1.0])
    assert known["a_i"].tolist() == known["b_i"].tolist() == [1.0, 1.0]


def test_a_vector_and_another_norm_are_refused_in_words():
    vector = LayerSum((TALL, Quadratic((1.0, 2.0), seed=0)))
    assert "layer 1 of shape (2,) is a vector" in Muon.unfit(vector)
    assert "Scion and Gluon" in Muon.unfit(vector)
    with pytest.raises(TypeError, match=r"layer 1 of shape \(2,\) is a vector"):
        run(Muon(0.1, 0.9), vector, steps=1)
    nuclear = SpectralQuadratic(Q, 2, Nuclear(3, 2))
    assert "layer 0 is measured by Nuclear(m=3, n=2), not by Spectral" in Muon.unfit(nuclear)
    assert Muon.unfit(BOTH) == ""


def test_a_row_under_a_spectral_norm_is_a_vector_too_and_a_convolution_is_a_matrix():
    flat = SimpleNamespace(layers=Layers(((4,),), (Spectral(1, 4),)))
    assert "is a vector" in Muon.unfit(flat)  # pyright: ignore[reportArgumentType]
    kernel = SimpleNamespace(layers=Layers(((8, 2, 3, 3),), (Spectral(8, 18),)))
    assert Muon.unfit(kernel) == ""  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"radius_i": 0.0}, ValueError, "radius_i must be finite and > 0, got 0.0"),
        ({"radius_i": torch.tensor([[0.1, -1.0]])}, ValueError, "radius_i must be finite and > 0"),
        ({"beta": 1.0}, ValueError, r"beta must be in \[0, 1\), got 1.0"),
        ({"beta": float("nan")}, ValueError, "beta must be"),
        ({"weight_decay": -0.1}, ValueError, "weight_decay must be finite and >= 0, got -0.1"),
        ({"nesterov": 1}, ValueError, "nesterov must be True or False, got 1"),
        ({"scale": "keller"}, ValueError, "scale must be one of none, jordan, rms, spectral, got 'keller'"),
        ({"scale": None}, ValueError, "scale must be one of"),
        ({"minibatch": 0}, ValueError, "minibatch must be an integer >= 1, got 0"),
        ({"orthogonaliser": "svd"}, TypeError, "orthogonaliser must be one such as Exact"),
    ],
)
def test_wrong_arguments_are_named(arguments, error, match):
    with pytest.raises(error, match=match):
        Muon(**{"radius_i": 0.1, "beta": 0.9, **arguments})


def test_radii_for_another_number_of_layers_are_refused():
    with pytest.raises(
        ValueError, match="radius_i must have one entry, or one for each of the 2 layers, got 3"
    ):
        run(Muon(torch.full((1, 3), 0.1), 0.9), BOTH, steps=1)


def test_it_prints_as_the_call_that_makes_it():
    method = Muon(0.1, 0.9, nesterov=False, scale="none", orthogonaliser=NewtonSchulz(3))
    names = {"Muon": Muon, "NewtonSchulz": NewtonSchulz}
    assert eval(repr(method), names) == method
