"""Compressors: what they keep, what they are proved to shrink, what they cost."""

import math

import pytest
import torch

from assumptions import parse_specification
from assumptions.column_norms import MaxColumn, MaxRow, SumColumns, SumRows
from assumptions.matrix_norms import Nuclear, Spectral
from assumptions.norms import EUCLIDEAN, Lp
from workbench.compressors import (
    COMPRESSORS,
    Identity,
    L1Sign,
    Natural,
    RandK,
    RandomSkip,
    RankK,
    TopK,
)
from workbench.compressors.draws import Copies, Nothing, Uniforms
from workbench.compressors.norms import distortion, dual_of, exponent
from workbench.spaces import Coin, Subset

INF = math.inf
ALL = (
    Identity(), TopK(1), TopK(4), TopK(9), RandK(2), RandK(3, scaled=True), RandK(5, scaled=True),
    RankK(1), RankK(2), Natural(), RandomSkip(0.3), L1Sign(),
)  # fmt: skip
SHAPES = ((6,), (2, 3), (3, 3), (3, 1))
FIVE_THIRDS = Lp(5 / 3)


def vector(*entries):
    return torch.tensor(entries, dtype=torch.float64)


def norms_of(shape):
    if len(shape) == 1:
        return (EUCLIDEAN, Lp(1.0), Lp(INF), FIVE_THIRDS, Lp(3.0, 2.0))
    matrix = (Spectral, Nuclear, MaxColumn, SumColumns, MaxRow, SumRows)
    return (EUCLIDEAN, Lp(1.0), Lp(INF), FIVE_THIRDS, *(kind(*shape, 0.5) for kind in matrix))


def adversaries(shape, generator):
    """Equal entries, one large one, the identity, geometric decays, 4/3 2^k, signs, low rank, noise."""
    d, m = math.prod(shape), shape[0]
    n = d // m
    rows = torch.randn(40, d, dtype=torch.float64, generator=generator)
    decay = torch.arange(d, dtype=torch.float64)
    low = torch.randn(8, m, 1, dtype=torch.float64, generator=generator) * torch.randn(
        8, 1, n, dtype=torch.float64, generator=generator
    )
    special = [
        torch.ones(d, dtype=torch.float64),
        torch.eye(m, n, dtype=torch.float64).flatten() + 1e-9 * rows[0],
        torch.eye(m, n, dtype=torch.float64).flatten(),
        torch.ones(d, dtype=torch.float64) + 0.01 * torch.eye(m, n, dtype=torch.float64).flatten(),
        2.0**-decay,
        10.0**-decay,
        4 / 3 * 2.0 ** (decay % 3),
        2.0**0.5 * 2.0 ** (decay % 2),
        torch.zeros(d, dtype=torch.float64),
    ]
    return torch.cat([rows, rows.sign(), low.flatten(1), torch.stack(special), 1e150 * rows, 1e-150 * rows])


def mean_error(compressor, x, norm, shape):
    """E|C(x) - x|, exactly."""
    values, weights = compressor.outcomes(x, shape)
    return (norm.norm(values - x) * weights).sum(0)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("compressor", ALL, ids=repr)
def test_no_vector_is_shrunk_less_than_proved(compressor, shape):
    x = adversaries(shape, torch.Generator().manual_seed(0))
    for norm in norms_of(shape):
        q = compressor.shrinks(norm, shape)
        if q is not None:
            assert (mean_error(compressor, x, norm, shape) <= q * norm.norm(x) * (1 + 1e-12)).all(), norm
    square = float(compressor.squared_error(shape))
    scaled = x / x.norm(dim=-1, keepdim=True).clamp(min=1e-300)
    values, weights = compressor.outcomes(scaled, shape)
    assert (((values - scaled).square().sum(-1) * weights).sum(0) <= square + 1e-12).all()


@pytest.mark.parametrize("compressor", [c for c in ALL if c.unbiased], ids=repr)
def test_the_mean_of_an_unbiased_one_is_the_vector(compressor):
    x = adversaries((6,), torch.Generator().manual_seed(1))
    values, weights = compressor.outcomes(x)
    torch.testing.assert_close((values * weights.unsqueeze(-1)).sum(0), x, rtol=1e-14, atol=0)


def euclidean(compressor, x, shape=None):
    values, weights = compressor.outcomes(x, shape)
    return float(((values - x).square().sum(-1) * weights).sum(0) / x.square().sum())


def test_equality_cases():
    x = vector(3.0, -1.0, 0.5, 2.0)
    assert euclidean(TopK(3), torch.ones(4, dtype=torch.float64)) == 0.25
    assert euclidean(RandK(1), x) == pytest.approx(0.75, rel=1e-15)
    assert euclidean(RandK(1, scaled=True), x) == pytest.approx(3.0, rel=1e-15)
    assert euclidean(Natural(), 4 / 3 * vector(1.0, -2.0, 0.25)) == pytest.approx(1 / 8, rel=1e-15)
    assert euclidean(RankK(1), torch.eye(4, dtype=torch.float64).flatten(), (4, 4)) == pytest.approx(0.75)
    assert euclidean(RandomSkip(0.25), x) == 0.75
    thin = torch.full((5,), 1e-9, dtype=torch.float64).index_fill(0, torch.tensor([0]), 1.0)
    assert euclidean(L1Sign(), thin) == pytest.approx(0.8, rel=1e-8)
    assert euclidean(L1Sign(), vector(1.0, 0.0, 0.0, 0.0)) == (1 - 1 / 4) ** 2


def test_classes():
    assert TopK(9).contraction((9, 9)) == pytest.approx(1 / 9, rel=1e-15)
    assert TopK(2).variance((4,)) is None
    assert RandK(1, scaled=True).variance((4,)) == 3.0
    assert RandK(1, scaled=True).contraction((4,)) is None
    assert Natural().variance((7,)) == 0.125
    assert RankK(1).contraction((3, 5)) == pytest.approx(1 / 3, rel=1e-15)
    assert RankK(1).contraction((3,)) == 1.0
    assert Identity().contraction((2,)) == 1.0


def test_top_k_does_not_shrink_the_nuclear_norm():
    x = (torch.ones(9, 9, dtype=torch.float64) + 0.01 * torch.eye(9, dtype=torch.float64)).flatten()
    nuclear = Nuclear(9, 9)
    assert float(nuclear.norm(x)) == pytest.approx(9.09)
    assert float(nuclear.norm(x - TopK(9)(x, x[:0]))) == pytest.approx(16.0)
    assert TopK(9).shrinks(nuclear, (9, 9)) is None
    assert TopK(9).shrinks(EUCLIDEAN, (9, 9)) == pytest.approx(math.sqrt(8 / 9), rel=1e-15)


def test_rank_k_does_not_shrink_the_spectral_norm():
    x = torch.eye(4, dtype=torch.float64).flatten()
    left = x - RankK(1)(x, x[:0], (4, 4))
    assert float(Spectral(4, 4).norm(left)) == pytest.approx(1.0)
    assert RankK(1).shrinks(Spectral(4, 4), (4, 4)) == 1.0
    assert RankK(1).shrinks(Nuclear(4, 4), (4, 4)) == 0.75
    assert RankK(1).shrinks(EUCLIDEAN, (4, 4)) == pytest.approx(math.sqrt(0.75))
    assert RankK(4).shrinks(Spectral(4, 4), (4, 4)) == 0.0


def test_what_is_known_beyond_euclid():
    assert TopK(3).shrinks(Lp(1.0), (4,)) == 0.25
    assert TopK(3).shrinks(Lp(INF), (4,)) == 1.0
    assert TopK(3).shrinks(Lp(2.0, scale=7.0), (4,)) == 0.5
    assert TopK(3).shrinks(Nuclear(2, 2), (2, 2)) == pytest.approx(math.sqrt(0.5))
    assert TopK(3).shrinks(Spectral(4, 1), (4, 1)) == 0.5
    assert TopK(1).shrinks(MaxColumn(2, 2), (2, 2)) is None
    assert RandomSkip(0.25).shrinks(Spectral(2, 2, 3.0), (2, 2)) == 0.75
    assert Natural().shrinks(EUCLIDEAN, (3,)) == pytest.approx(math.sqrt(1 / 8))
    assert Natural().shrinks(Spectral(2, 2), (2, 2)) == pytest.approx(0.5)
    worst = vector(math.sqrt(2.0))
    share = float(mean_error(Natural(), worst, Lp(1.0), (1,))) / math.sqrt(2.0)
    assert share == pytest.approx(6 - 4 * math.sqrt(2.0), rel=1e-12)
    assert Natural().shrinks(Lp(1.0), (1,)) == pytest.approx(share, rel=1e-4)
    with pytest.raises(ValueError, match="norm must fit 3 entries"):
        TopK(1).shrinks(Spectral(2, 2), (3,))


def test_norms_of_one_row_or_column():
    assert exponent(MaxRow(1, 3)) == 2.0
    assert exponent(MaxColumn(1, 3)) == INF
    assert exponent(SumRows(3, 1)) == 1.0
    assert exponent(Spectral(2, 2)) is None
    assert distortion(MaxRow(2, 5), 10) == 2
    assert distortion(FIVE_THIRDS, 10) is None


def test_duals_are_duals():
    x = torch.randn(6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    for norm in (
        EUCLIDEAN,
        Lp(INF),
        FIVE_THIRDS,
        *(kind(2, 3) for kind in (Spectral, Nuclear, MaxRow, SumColumns)),
    ):
        torch.testing.assert_close(dual_of(norm).norm(x), norm.dual(x))
        assert dual_of(dual_of(norm)).norm(x) == pytest.approx(float(norm.norm(x)))


def test_samples_are_outcomes_with_their_frequencies():
    x = vector(1.0, 2.0, 3.0, 5.0)
    u = torch.rand(20_000, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    for compressor in (RandK(2, scaled=True), RandomSkip(0.3), Natural()):
        space = compressor.space((4,))
        drawn = space.value(u[:, : space.width])
        sent = compressor(x.expand(len(u), 4), drawn)
        values, weights = compressor.outcomes(x)
        mean = (values * weights.unsqueeze(-1)).sum(0)
        torch.testing.assert_close(sent.mean(0), mean, rtol=0.05, atol=0)
        assert (sent.unsqueeze(0) == values.unsqueeze(1)).all(-1).any(0).all()


def test_rows_do_not_mix_and_nan_stays():
    x = torch.randn(2, 3, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    x[0, 1, 2], x[1, 2, 0] = torch.nan, torch.inf
    fine = x.isfinite().all(-1)
    for compressor in ALL:
        space = compressor.space((2, 3))
        u = space.value(torch.full((2, 3, space.width), 0.1, dtype=torch.float64))
        sent = compressor(x, u, (2, 3))
        assert sent.shape == x.shape
        assert sent[fine].isfinite().all()
        torch.testing.assert_close(sent[0, 0], compressor(x[0, 0], u[0, 0], (2, 3)), rtol=1e-13, atol=1e-15)
    assert RankK(1)(x, x[..., :0], (2, 3))[0, 1].isnan().all()
    assert TopK(2)(x, x[..., :0])[0, 1].isnan().any()


def test_float32_stays_float32():
    x = torch.tensor([1.5, -3.0, 0.25, 7.0])
    for compressor in ALL:
        space = compressor.space((2, 2))
        assert compressor(x, space.value(torch.full((space.width,), 0.3)), (2, 2)).dtype == torch.float32


def test_natural_at_the_edges():
    x = vector(0.0, 1.0, -2.0, 5e-324, 3e-310, 1e300, -1.5)
    up = Natural()(x, torch.zeros(7, dtype=torch.float64))
    down = Natural()(x, torch.full((7,), 1 - 2.0**-53, dtype=torch.float64))
    assert up[[0, 1, 2, 3, 6]].tolist() == [0.0, 1.0, -2.0, 5e-324, -2.0]
    assert down[[0, 1, 2, 3, 6]].tolist() == [0.0, 1.0, -2.0, 5e-324, -1.0]
    assert (down[:6].abs() <= x[:6].abs()).all()
    assert (up.abs() >= x.abs()).all()


def test_natural_is_not_the_nearest_power():
    values, weights = Natural().outcomes(vector(1.4))
    assert values.flatten().tolist() == [1.0, 2.0]
    assert float((values.flatten() * weights.flatten()).sum()) == pytest.approx(1.4)


def test_bits():
    assert Identity().bits((3, 5)) == 15 * 64
    assert Identity().bits((3, 5), 32) == 15 * 32
    assert TopK(2).bits((3, 5)) == 2 * (64 + 4)
    assert TopK(2).bits((2,)) == 2 * 64
    assert RandK(1).bits((16,), 32) == 32 + 4
    assert RankK(1).bits((8, 4)) == 12 * 64
    assert RankK(3).bits((3, 3)) == 9 * 64
    assert Natural().bits((10,)) == 120
    assert Natural().bits((10,), 32) == 90
    assert L1Sign().bits((10,)) == 84
    spent = RandomSkip(0.5).spent(torch.tensor([[True], [False]]), (4,))
    assert spent.tolist() == [256.0, 0.0]
    with pytest.raises(ValueError, match="entry must be 64 or 32"):
        Natural().bits((3,), 16)


def test_copies_are_independent():
    space = Copies(Coin(0.25), 2)
    draws, weights = space.outcomes()
    assert (space.width, space.size, draws.shape) == (2, 4, (4, 2, 1))
    assert weights.tolist() == [0.0625, 0.1875, 0.1875, 0.5625]
    assert space.value(vector(0.1, 0.9)).tolist() == [[True], [False]]
    assert Copies(Nothing(), 3).size == 1
    assert Copies(Nothing(), 3).outcomes()[0].shape == (1, 3, 0)
    assert Copies(Subset(4, 2), 3).outcomes()[0].shape == (216, 3, 2)
    for unlisted in (Copies(Uniforms(1), 2), Copies(Coin(0.5), 64)):
        assert unlisted.size == INF
        with pytest.raises(TypeError, match="cannot be enumerated"):
            unlisted.outcomes()


@pytest.mark.parametrize("compressor", ALL, ids=repr)
def test_its_text_makes_it(compressor):
    assert parse_specification(repr(compressor), {c.__name__: c for c in COMPRESSORS}) == compressor


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: TopK(0), "K must be"),
        (lambda: RandK(True), "K must be"),
        (lambda: RandK(1, scaled=1), "scaled must be True or False"),
        (lambda: RankK(-1), "K must be"),
        (lambda: RandomSkip(0.0), r"p must be in \(0, 1\]"),
        (lambda: RandomSkip(math.nan), r"p must be in \(0, 1\]"),
        (lambda: TopK(1).bits(()), "shape must be a non-empty tuple"),
        (lambda: TopK(1)(vector(1.0, 2.0), vector(), (3,)), "3"),
        (lambda: Copies(Coin(0.5), 0), "n must be"),
    ],
)  # fmt: skip
def test_wrong_input(make, said):
    with pytest.raises(ValueError, match=said):
        make()


def test_too_many_outcomes():
    with pytest.raises(TypeError, match="17 entries have too many outcomes"):
        Natural().outcomes(torch.ones(17, dtype=torch.float64))
