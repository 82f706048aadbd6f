"""Samplings: who is picked, how often, and the ESO constants, all by enumeration."""

import dataclasses
import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from scipy import stats

from assumptions.specification import parse_specification
from workbench.samplings import AllOrNothing, Independent, Nice, Sampling, Single
from workbench.spaces import Coin, Index, Subset

N = 5
W = (1.0, 2.0, 3.0, 0.5, 0.25)
P = (0.3, 1.0, 0.05, 0.5, 0.9)
SAMPLINGS = [
    Single(),
    Single(W),
    Nice(1),
    Nice(2),
    Nice(4),
    Nice(5),
    Independent(0.3),
    Independent(P),
    AllOrNothing(0.2),
    AllOrNothing(1.0),
]
each = pytest.mark.parametrize("sampling", SAMPLINGS, ids=repr)
SAMPLES = 20_000


def joint(sampling: Sampling, n: int = N) -> np.ndarray:
    """P(i, j in S) by enumeration."""
    masks, weights = (t.double().numpy() for t in sampling.space(n).outcomes())
    return (masks * weights[:, None]).T @ masks


def slack(sampling: Sampling, factor: float = 1.0) -> float:
    """Smallest eigenvalue of D^(1/2) (factor diag(v) - [P_ij / (p_i p_j)]) D^(1/2), D = diag(p)."""
    p, v = np.array(sampling.probabilities(N)), np.array(sampling.eso(N))
    root = np.sqrt(p)
    matrix = factor * np.diag(v * p) - joint(sampling) / np.outer(root, root)
    return float(np.linalg.eigvalsh(matrix)[0])


@each
def test_probabilities_are_those_of_the_outcomes(sampling: Sampling):
    assert sampling.probabilities(N) == pytest.approx(np.diag(joint(sampling)), rel=1e-14)


@each
def test_outcomes_are_all_and_sum_to_one(sampling: Sampling):
    masks, weights = sampling.space(N).outcomes()
    assert masks.dtype == torch.bool
    assert masks.shape == (len(weights), N) == (sampling.space(N).size, N)
    assert float(weights.sum()) == pytest.approx(1, abs=1e-15)
    assert len({tuple(m) for m in masks.tolist()}) == len(masks)


@each
def test_samples_have_the_frequencies_of_the_outcomes(sampling: Sampling):
    space = sampling.space(N)
    masks, weights = space.outcomes()
    place = {tuple(m): i for i, m in enumerate(masks.tolist())}
    u = torch.from_numpy(np.random.default_rng(0).random((SAMPLES, space.width)))
    counts = np.bincount([place[tuple(m)] for m in space.value(u).tolist()], minlength=len(place))
    possible = weights.numpy() > 0
    assert counts[~possible].sum() == 0
    if possible.sum() > 1:
        assert stats.chisquare(counts[possible], SAMPLES * weights.numpy()[possible]).pvalue > 1e-6


@each
@pytest.mark.parametrize("batch", [(), (3,), (2, 3)])
def test_batch_axes_lead(sampling: Sampling, batch: tuple[int, ...]):
    space = sampling.space(N)
    u = torch.from_numpy(np.random.default_rng(1).random((*batch, space.width)))
    masks = space.value(u)
    assert masks.shape == (*batch, N)
    if batch:
        assert torch.equal(masks[-1], space.value(u[-1]))


@each
def test_eso_constants_are_valid(sampling: Sampling):
    assert slack(sampling) >= -1e-13


@pytest.mark.parametrize(
    "sampling", [Single(), Single(W), Nice(2), Nice(4), AllOrNothing(0.2), Nice(5)], ids=repr
)
def test_smaller_eso_constants_are_not(sampling: Sampling):
    """These closed forms are attained; that of independent coins need not be."""
    assert slack(sampling, 0.97) < -1e-3


def test_independent_constants_are_valid_where_they_are_not_attained():
    """lambda_max(M) / p_j, the best common scaling, and n - 1 + 1 / p_j are incomparable."""
    p, v = np.array(P), np.array(Independent(P).eso(N))
    root = np.sqrt(p)
    best = np.linalg.eigvalsh(joint(Independent(P)) / np.outer(root, root))[-1] / p
    assert (v < best).any()
    assert (v > best).any()


@pytest.mark.parametrize("n", [1, 3, 10, 49, 1000])
def test_eso_constants_are_never_rounded_below(n: int):
    """v_j p_j >= the exact number, in rational arithmetic."""
    assert set(Single().eso(n)) == set(Nice(max(1, n // 2)).eso(n)) == {float(n)}
    p = 0.1
    assert Fraction(AllOrNothing(p).eso(n)[0]) * Fraction(p) >= n
    assert Fraction(Independent(p).eso(n)[0]) - (n - 1) >= 1 / Fraction(p)
    weights = tuple(0.1 * (i + 1) for i in range(n))
    total = sum(map(Fraction, weights))
    assert all(
        Fraction(v) * Fraction(w) >= total for v, w in zip(Single(weights).eso(n), weights, strict=True)
    )


@pytest.mark.parametrize("n", [2, 5, 8])
def test_the_same_uniforms_pick_the_same(n: int):
    u = torch.from_numpy(np.random.default_rng(2).random((200, n)))
    rows = torch.arange(200)[:, None]
    for s in range(1, n + 1):
        width = Subset(n, s).width
        assert Nice(s).space(n).width == width
        marks = Nice(s).space(n).value(u[:, :width])
        assert marks[rows, Subset(n, s).value(u[:, :width])].all()
        assert (marks.sum(1) == s).all()
    one = Single().space(n).value(u[:, :1])
    assert torch.equal(one, Nice(1).space(n).value(u[:, :1]))
    assert one[rows, Index(n).value(u[:, :1])].all()
    for p in (0.3, 1.0):
        heads = Coin(p).value(u[:, :1])
        assert torch.equal(AllOrNothing(p).space(n).value(u[:, :1]), heads.expand(-1, n))


def test_a_sampling_may_be_empty():
    assert not Independent(0.3).space(3).outcomes()[0][0].any()
    assert AllOrNothing(0.3).space(3).outcomes()[1].tolist() == pytest.approx([0.3, 0.7])


LEAST = 2.0**-53


def test_the_smallest_probability_that_is_accepted_is_the_smallest_that_is_drawn():
    first, second = torch.tensor([[0.0]]).double(), torch.tensor([[LEAST]]).double()
    for sampling in (Independent(LEAST), AllOrNothing(LEAST), Single((LEAST, 1 - LEAST))):
        assert sampling.probabilities(2)[0] == LEAST
        space = sampling.space(2)
        assert bool(space.value(first.expand(1, space.width))[0, 0])
        assert not bool(space.value(second.expand(1, space.width))[0, 0])
        with pytest.raises(ValueError, match="picked with its probability"):
            dataclasses.replace(sampling, **{name: below(v) for name, v in vars(sampling).items()})
    last = Single((1 - LEAST, LEAST)).space(2)
    assert last.value(1 - second)[0].tolist() == [False, True]
    assert last.value(1 - 2 * second)[0].tolist() == [True, False]


def below(value):
    """A little less, where one number of several does."""
    return (value[0] * 0.99, *value[1:]) if isinstance(value, tuple) else value * 0.99


@pytest.mark.parametrize("size", [1e308, 1e-310], ids=["huge", "tiny"])
def test_only_the_ratios_of_weights_matter(size: float):
    space = Single((size, size / 2, size)).space(3)
    u = torch.tensor([[0.0], [0.39], [0.41], [0.59], [0.61], [1 - LEAST]]).double()
    assert space.value(u).long().argmax(-1).tolist() == [0, 0, 1, 1, 2, 2]
    assert space.outcomes()[1].tolist() == pytest.approx([0.4, 0.2, 0.4])


def test_many_coins_are_drawn_but_not_listed():
    space = Independent(0.5).space(40)
    assert space.size == math.inf
    assert space.value(torch.rand(3, 40, dtype=torch.float64)).shape == (3, 40)
    with pytest.raises(TypeError, match="40 coins cannot be enumerated; at most 20 can"):
        space.outcomes()


@each
def test_the_text_makes_the_sampling(sampling: Sampling):
    names = {kind.__name__: kind for kind in (Single, Nice, Independent, AllOrNothing)}
    assert parse_specification(repr(sampling), names) == sampling


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: Single((1.0, 0.0)),
            r"weights must be at least 2\*\*-53 of their sum .*, got 0.0 at index 1$",
        ),
        (lambda: Single((1e-320, 1.0)), r"weights must be .* of their sum .*, got 1e-320 at index 0$"),
        (lambda: Single((3.0, 1.0, 4e-16)), r"weights must be .* of their sum .*, got 4e-16 at index 2$"),
        (lambda: Single((0.0, 0.0)), "weights must be .*, got 0.0 at index 0$"),
        (lambda: Independent((0.5, 0.5, 0.0)), r"p must be at least 2\*\*-53 for .*, got 0.0 at index 2$"),
        (lambda: Independent((0.5, 1e-320)), r"p must be at least 2\*\*-53 for .*, got 1e-320 at index 1$"),
        (lambda: Independent(1e-320), r"p must be at least 2\*\*-53 for .*, got 1e-320 at index 0$"),
        (lambda: Independent(0.0), r"p must be at least 2\*\*-53 for .*, got 0.0 at index 0$"),
        (lambda: AllOrNothing(0), r"p must be at least 2\*\*-53 for .*, got 0.0 at index 0$"),
        (lambda: AllOrNothing(1e-16), r"p must be at least 2\*\*-53 for .*, got 1e-16 at index 0$"),
        (lambda: Single((1.0, -1.0)), "weights must be finite and > 0, got -1.0"),
        (lambda: Single((1.0, math.inf)), "weights must be finite and > 0, got inf"),
        (lambda: Single((1.0, math.nan)), "weights must be finite and > 0, got nan"),
        (lambda: Independent(1.5), r"p must be in \(0, 1\], got 1.5"),
        (lambda: Independent((0.5, math.nan)), r"p must be in \(0, 1\], got nan"),
        (lambda: Independent(()), r"p must hold at least one number, got \(\)"),
        (lambda: AllOrNothing(-0.1), r"p must be in \(0, 1\], got -0.1"),
        (lambda: Nice(0), "s must be an integer >= 1, got 0"),
        (lambda: Nice(1.5), "s must be an integer >= 1, got 1.5"),  # pyright: ignore[reportArgumentType]
        (lambda: Nice(4).space(3), "s must be at most the number of clients, 3, got 4"),
        (lambda: Nice(4).eso(3), "s must be at most the number of clients, 3, got 4"),
        (lambda: Single(W).probabilities(3), "weights must have one entry for each of 3 clients"),
        (lambda: Independent(P).space(3), "p must have one entry for each of 3 clients"),
        (lambda: AllOrNothing(0.5).space(0), "n must be an integer >= 1, got 0"),
    ],
)
def test_impossible_samplings_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
