"""EF21-Muon: against a plain loop over workers, without compression, with its facts, costs and theorems."""

import dataclasses
import math

import pytest
import torch

from assumptions.column_norms import MaxRow
from assumptions.matrix_norms import Spectral
from problems import Quadratic
from problems.calculus.noisy import Noisy
from problems.matrix_sum import MatrixSum
from problems.noise.gaussian import GaussianNoise
from problems.noise.skewed import SkewedNoise
from problems.quadratic_sum import QuadraticSum
from workbench.compressors import Identity, Natural, RandK, RandomSkip, RankK, TopK
from workbench.draws import uniforms
from workbench.engine import run
from workbench.match import match
from workbench.methods.ef21_muon import EF21Muon
from workbench.methods.gluon import Gluon
from workbench.theorems.ef21_muon import LAYERS, PLAIN, identity
from workbench.theorems.ef21_muon_frobenius import FROBENIUS, ROTATED
from workbench.verify import Budget, Verdict, judge_unit
from workbench.verify.plan import Unit

TWO = MatrixSum(
    ((((2.0, 0.0), (0.0, 1.0)), ((1.0, 0.5), (0.5, 3.0))), (identity(2), ((4.0, 0.0), (0.0, 0.25)))),
    (2, 3),
    (Spectral(2, 2, 0.5), MaxRow(2, 3)),
    linear=(
        (1.0, 0.0, 2.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 2.0),
        (0.0, -1.0, 1.0, 1.0, 0.0, 0.0, 3.0, 0.0, 0.0, -1.0),
    ),
)
START = 10 * torch.randn(10, dtype=torch.float64, generator=torch.Generator().manual_seed(5))
SQUARE = MatrixSum.one_layer((identity(3),) * 2, 3)
TINY = Budget("tiny", steps=20, starts=1, replicates=64, pairs=2**10)


def by_hand(problem, radii, beta, server, worker, steps, noise=None):
    """The algorithm as the paper has it: worker after worker, layer by layer, deterministic compressors.

    noise: (steps, n, d), added to the gradients.
    """
    layers, n = problem.layers, problem.n_terms
    x = w = START
    m, g, points = [None] * n, [None] * n, [x]

    def compressed(c, z):
        parts = zip(layers.split(z), layers.shapes, strict=True)
        return torch.cat([c(part.flatten(), z[:0], shape) for part, shape in parts])

    for k in range(steps):
        for j in range(n):
            fresh = problem.part_grad(w, torch.tensor(j))
            fresh = fresh if noise is None else fresh + noise[k, j]
            if k == 0:
                m[j] = g[j] = fresh
            else:
                m[j] = beta * m[j] + (1 - beta) * fresh
                g[j] = g[j] + compressed(worker, m[j] - g[j])
        x = x - layers.lmo_direction(sum(g) / n, torch.tensor(radii, dtype=torch.float64))
        w = w + compressed(server, x - w)
        points.append(x)
    return torch.stack(points)


@pytest.mark.parametrize(
    ("server", "worker"), [(TopK(2), RankK(1)), (Identity(), TopK(3)), (TopK(3), Identity())]
)
def test_it_is_the_algorithm(server, worker):
    method = EF21Muon(torch.tensor([[0.05, 0.02]], dtype=torch.float64), 0.7, server, worker, "frobenius")
    trace = run(method, TWO, START, steps=30, keep_state=True)
    expected = by_hand(TWO, (0.05, 0.02), 0.7, server, worker, 30)
    torch.testing.assert_close(trace.x[0], expected, rtol=1e-9, atol=1e-9)


def test_every_worker_has_noise_of_its_own():
    noisy = Noisy(TWO, GaussianNoise(0.5))
    method = EF21Muon(0.05, 0.5, TopK(2), TopK(3), "frobenius")
    trace = run(method, noisy, START, steps=10, keep_state=True, seed=3)
    width = noisy.noise.width(10)
    u = torch.stack([uniforms(3, [0], 0, k, 2 * width)[0].reshape(2, width) for k in range(10)])
    drawn = noisy.noise.draw(u, TWO.x0.expand(10, 2, 10))
    assert not torch.equal(drawn[:, 0], drawn[:, 1])
    expected = by_hand(TWO, (0.05, 0.05), 0.5, TopK(2), TopK(3), 10, drawn)
    torch.testing.assert_close(trace.x[0], expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    "problem",
    [TWO, Noisy(TWO, SkewedNoise(0.1)), Noisy(Quadratic((1.0, 2.0), seed=0), GaussianNoise(1.0))],
    ids=["two", "noisy", "one-worker"],
)
@pytest.mark.parametrize("beta", [0.0, 0.9])
def test_without_compression_it_is_gluon(problem, beta):
    start = 100 * torch.ones(problem.d, dtype=torch.float64)
    ours = run(EF21Muon(0.05, beta), problem, start, steps=40, keep_state=True)
    gluon = run(Gluon(0.05, beta, minibatch=problem.n_terms), problem, start, steps=40, keep_state=True)
    torch.testing.assert_close(ours.x, gluon.x, rtol=1e-12, atol=0)


def test_error_feedback_and_its_absence():
    """Three workers whose largest entries hide the mean; numbers of a run written apart from this one."""
    top = {"worker_compressor": TopK(1)}
    both = {**top, "server_compressor": TopK(1)}
    found = {}
    for name, options in (("feedback", top), ("without", {**top, "feedback": False}), ("both", both)):
        trace = run(EF21Muon(0.01, **options), ROTATED, steps=1000, record=("gradnorm",))
        found[name] = float(trace.quantities["gradnorm"][0, :-1].mean())
    assert found["feedback"] == pytest.approx(0.0262, abs=1e-4)
    assert found["without"] == pytest.approx(1.406, abs=1e-3)
    assert found["both"] == pytest.approx(0.0259, abs=1e-4)
    gap0, t, q = 1 / 6, 0.01, math.sqrt(2 / 3)
    plain = gap0 / (t * 1000) + t / 2
    assert found["both"] > plain == pytest.approx(0.0217, abs=1e-4)
    full = plain + 2 * t * (q / (1 - q) + q / (1 - q) * (1 + q) / (1 - q))
    assert full == pytest.approx(0.99, abs=2e-3)


def test_facts_in_the_norms_of_the_layers_and_their_duals():
    options = {**PLAIN, "server_compressor": RandomSkip(0.25), "worker_compressor": RankK(1)}
    facts = EF21Muon.known(SQUARE, options)
    assert facts["q_server_i"].tolist() == [0.75]
    assert facts["q_worker_i"].tolist() == pytest.approx([2 / 3])
    euclid = EF21Muon.known(SQUARE, {**options, "server_compressor": TopK(3), "contracts_in": "frobenius"})
    assert euclid["q_worker_i"].tolist() == pytest.approx([math.sqrt(2 / 3)])
    assert euclid["q_server_i"].tolist() == pytest.approx([math.sqrt(2 / 3)])


def test_of_several_layers_the_second_moment_counts():
    options = {**PLAIN, "worker_compressor": RandomSkip(0.75), "contracts_in": "frobenius"}
    assert EF21Muon.known(TWO, options)["q_worker_i"].tolist() == [0.5, 0.5]
    assert EF21Muon.known(SQUARE, options)["q_worker_i"].tolist() == [0.25]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"server_compressor": RankK(1)}, r"server_compressor RankK\(K=1\) .* layer 0 in Spectral.*q = 1"),
        ({"worker_compressor": TopK(3)}, r"worker_compressor TopK\(K=3\) .* the dual of Spectral.*no q"),
        ({"worker_compressor": RandK(1, True), "contracts_in": "frobenius"}, "the Euclidean norm: q = 2.8"),
    ],
)  # fmt: skip
def test_a_compressor_that_does_not_shrink(change, said):
    options = {**PLAIN, **change}
    with pytest.raises(ValueError, match=said):
        EF21Muon.known(SQUARE, options)
    with pytest.warns(RuntimeWarning, match=said):
        run(EF21Muon(0.1, **options), SQUARE, steps=2)
    theorem = FROBENIUS if "contracts_in" in change else LAYERS
    refused = dataclasses.replace(theorem, parameters={**theorem.parameters, **options}, mutants=(), tight=())
    assert not isinstance(match(refused, SQUARE), str)
    records = judge_unit(Unit(refused, SQUARE, TINY, 0, ""))
    assert {r.verdict for r in records} == {Verdict.NOT_APPLICABLE}
    assert all("does not shrink layer 0" in r.reason for r in records)


def test_natural_compression_runs_and_is_judged_by_sampling():
    options = {**PLAIN, "worker_compressor": Natural(), "contracts_in": "frobenius"}
    theorem = dataclasses.replace(
        FROBENIUS, parameters={**FROBENIUS.parameters, **options}, mutants=(), tight=()
    )
    records = judge_unit(Unit(theorem, ROTATED, TINY, 0, ""))
    assert {r.verdict for r in records} <= {Verdict.NOT_REFUTED, Verdict.CONSISTENT}


def test_costs_of_both_directions():
    method = EF21Muon(0.1, server_compressor=TopK(2), worker_compressor=RankK(1), contracts_in="frobenius")
    trace = run(method, TWO, steps=2, record=("bits", "lmo_calls", "communications", "grad_calls"))
    down, up = 2 * (64 + 2) + 2 * (64 + 3), 2 * (4 * 64 + 5 * 64)
    whole = 2 * 10 * 64
    assert trace.quantities["bits"][0].tolist() == [0, whole + down, whole + up + 2 * down]
    assert trace.quantities["lmo_calls"][0].tolist() == [0, 2, 4]
    assert trace.quantities["grad_calls"][0].tolist() == [0, 2, 4]
    assert trace.quantities["communications"][0].tolist() == [0, 1, 2]


def test_skipped_messages_cost_nothing():
    method = EF21Muon(0.1, worker_compressor=RandomSkip(0.5))
    bits = run(method, SQUARE, steps=200, record=("bits",)).quantities["bits"][0].diff() - 9 * 64
    assert set(bits.tolist()) == {0.0, 9 * 64.0, 18 * 64.0}
    assert float(bits[1:].mean()) == pytest.approx(9 * 64, rel=0.2)


def test_rows_and_scales():
    method = EF21Muon(0.1, 0.5, TopK(2), TopK(2), "frobenius")
    starts = torch.randn(3, 10, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    together = run(method, TWO, starts, steps=5, keep_state=True).x
    alone = torch.cat([run(method, TWO, row, steps=5, keep_state=True).x for row in starts])
    torch.testing.assert_close(together, alone, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    ("fields", "error", "said"),
    [
        ({"radius_i": 0.0}, ValueError, "radius_i must be finite and > 0"),
        ({"radius_i": 1.0, "beta": 1.0}, ValueError, "beta must be in"),
        ({"radius_i": 1.0, "beta": math.nan}, ValueError, "beta must be in"),
        ({"radius_i": 1.0, "server_compressor": 3}, TypeError, "server_compressor must be a Compressor"),
        ({"radius_i": 1.0, "contracts_in": "l1"}, ValueError, "contracts_in must be one of"),
        ({"radius_i": 1.0, "feedback": 1}, ValueError, "feedback must be True or False"),
    ],
)  # fmt: skip
def test_wrong_input(fields, error, said):
    with pytest.raises(error, match=said):
        EF21Muon(**fields)


def test_radii_must_fit_the_layers():
    with pytest.raises(ValueError, match="one for each of the 2 layers"):
        run(EF21Muon(torch.ones(1, 3, dtype=torch.float64)), TWO, steps=1)


def test_the_coordinates_of_a_sum_are_workers():
    trace = run(
        EF21Muon(0.01, worker_compressor=TopK(1)), QuadraticSum.coordinates(4), steps=3, keep_state=True
    )
    assert trace.x.shape == (1, 4, 4)
