"""Spaces of draws against their own enumeration, and the uniforms behind them."""

import itertools
import math

import numpy as np
import pytest
import torch
from scipy import stats

from problems.noise.gaussian import GaussianNoise
from problems.noise.sign import SignNoise
from problems.noise.sine import SineNoise
from problems.noise.skewed import SkewedNoise
from workbench import draws as draws_module
from workbench.draws import (
    CHUNK,
    STREAM_INIT,
    STREAM_METHOD,
    STREAM_STARTS,
    Coin,
    DrawStream,
    Gaussian,
    Index,
    Indices,
    NoiseDraw,
    Subset,
    uniforms,
)

FINITE = [
    Coin(0.3),
    Coin(0.0),
    Coin(1.0),
    Index(1),
    Index(7),
    Subset(5, 2),
    Subset(5, 1),
    Subset(5, 4),
    Subset(4, 4),
    Subset(6, 3),
    Indices(1, 3),
    Indices(5, 1),
    Indices(4, 3),
]
SPACES = [*FINITE, Gaussian(1), Gaussian(4), Gaussian(5)]
SAMPLES = 20_000

ALMOST_SURE = 1e-6
"""A correct space fails with this probability; the seeds are fixed."""


def u_of(space, n=SAMPLES, seed=0):
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.random((n, space.width)))


# -- spaces ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("space", SPACES, ids=str)
@pytest.mark.parametrize("batch", [(), (3,), (2, 3)])
def test_batch_axes_lead(space, batch):
    u = torch.rand(*batch, space.width, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    value = space.value(u)
    assert value.shape[:-1] == batch
    if space.size < math.inf:
        assert value.dtype == space.outcomes()[0].dtype
        assert value.shape[-1] == space.outcomes()[0].shape[-1]


@pytest.mark.parametrize("space", FINITE, ids=str)
def test_outcomes_are_all_and_sum_to_one(space):
    values, weights = space.outcomes()
    assert values.shape[0] == weights.shape[0] == space.size
    assert weights.dtype == torch.float64
    assert float(weights.sum()) == pytest.approx(1, abs=1e-15)
    assert (weights >= 0).all()
    assert len({tuple(v) for v in values.tolist()}) == space.size


@pytest.mark.parametrize("space", FINITE, ids=str)
def test_samples_have_the_frequencies_of_the_outcomes(space):
    values, weights = space.outcomes()
    place = {tuple(v): i for i, v in enumerate(values.tolist())}
    counts = np.bincount([place[tuple(v)] for v in space.value(u_of(space)).tolist()], minlength=len(place))
    possible = weights.numpy() > 0
    assert counts[~possible].sum() == 0
    if possible.sum() > 1:
        expected = SAMPLES * weights.numpy()[possible]
        assert stats.chisquare(counts[possible], expected).pvalue > ALMOST_SURE


@pytest.mark.parametrize("space", SPACES, ids=str)
@pytest.mark.parametrize("extreme", [0.0, 1 - 2.0**-53])
def test_extreme_uniforms_give_values_in_range(space, extreme):
    value = space.value(torch.full((1, space.width), extreme, dtype=torch.float64))
    assert value.double().isfinite().all()
    if space.size < math.inf:
        values, weights = space.outcomes()
        possible = [v for v, w in zip(values.tolist(), weights.tolist(), strict=True) if w > 0]
        assert value[0].tolist() in possible


def test_a_subset_is_sorted_without_repetition():
    draws = Subset(6, 3).value(u_of(Subset(6, 3)))
    assert (draws.diff(dim=-1) > 0).all()
    assert Subset(6, 3).outcomes()[0].tolist() == [list(c) for c in itertools.combinations(range(6), 3)]


def test_subsets_of_one_and_all():
    """One element is Index(n) on the same uniform; all of them need none."""
    u = u_of(Subset(7, 1), 100)
    assert torch.equal(Subset(7, 1).value(u), Index(7).value(u))
    assert Subset(7, 7).width == 0
    assert Subset(7, 7).value(torch.empty(3, 0).double()).tolist() == [list(range(7))] * 3
    assert Subset(2000, 3).width == Subset(2000, 1997).width == 3


def test_indices_repeat_and_are_sorted():
    space = Indices(4, 3)
    draws = space.value(u_of(space))
    assert (draws.diff(dim=-1) >= 0).all()
    assert (draws[:, 0] == draws[:, 2]).any()
    values, weights = space.outcomes()
    chance = {tuple(v): w for v, w in zip(values.tolist(), weights.tolist(), strict=True)}
    assert len(chance) == space.size == 20
    assert chance[0, 0, 0] == pytest.approx(1 / 64)
    assert chance[0, 0, 1] == pytest.approx(3 / 64)
    assert chance[0, 1, 2] == pytest.approx(6 / 64)


LISTED = [SignNoise(2.0), SkewedNoise(0.5), SkewedNoise(2.0, (1.0, -2.0)), SineNoise(SignNoise(1.0))]


@pytest.mark.parametrize("noise", LISTED, ids=repr)
@pytest.mark.parametrize("b", [1, 2])
def test_the_outcomes_of_a_noise_are_uniforms_that_make_each_of_its_values(noise, b):
    """The mean of b draws: mean 0, and the variance of one over b."""
    space = NoiseDraw(noise, 2, b)
    u, weights = space.outcomes()
    assert u.shape == (space.size, b, noise.width(2))
    assert float(weights.sum()) == pytest.approx(1, abs=1e-15)
    n = noise.draw(u, torch.zeros(*u.shape[:-1], 2).double()).mean(dim=-2)
    assert (weights @ n).abs().max() <= 1e-15
    assert float(weights @ n.square().sum(-1)) == pytest.approx(noise.moment(2.0, 2) / b, rel=1e-14)
    law = noise.coefficients if isinstance(noise, SineNoise) else noise
    values, chances = law.outcomes(2)
    assert len(weights) == len(chances) ** b
    if b == 1:
        assert torch.equal(n, values)
        assert torch.equal(weights, chances)


def test_a_noise_draw_is_its_uniforms_in_rows():
    space = NoiseDraw(GaussianNoise(1.0), 3, 2)
    u = u_of(space, 5)
    assert space.width == 6
    assert torch.equal(space.value(u), u.reshape(5, 2, 3))
    assert space.value(u[0]).shape == (2, 3)
    assert space.size == NoiseDraw(SignNoise(1.0), 13).size == math.inf
    with pytest.raises(TypeError, match=r"GaussianNoise\(sigma=1.0\) has no finite list of values"):
        space.outcomes()
    with pytest.raises(TypeError, match="noise must be a Noise such as"):
        NoiseDraw(1.0, 3)  # pyright: ignore[reportArgumentType]


def test_a_coin_may_have_a_probability_per_row():
    p = torch.tensor([[0.0], [0.5], [1.0]], dtype=torch.float64)
    u = u_of(Coin(0.5)).reshape(-1, 1, 1)
    share = Coin(p).value(u).double().mean(0)[:, 0]
    assert share[0] == 0
    assert share[1] == pytest.approx(0.5, abs=5 * 0.5 / math.sqrt(SAMPLES))
    assert share[2] == 1


@pytest.mark.parametrize("d", [1, 2, 5])
def test_a_gaussian_has_normal_independent_entries(d):
    x = Gaussian(d).value(u_of(Gaussian(d), seed=1)).numpy()
    assert x.shape == (SAMPLES, d)
    for i in range(d):
        assert stats.kstest(x[:, i], "norm").pvalue > ALMOST_SURE
    covariance = x.T @ x / SAMPLES
    assert np.abs(covariance - np.eye(d)).max() < 6 * math.sqrt(2 / SAMPLES)
    fourth = (x**2).T @ (x**2) / SAMPLES  # independence beyond correlation: 3 on the diagonal, else 1
    assert np.abs(fourth - np.ones((d, d)) - 2 * np.eye(d)).max() < 6 * math.sqrt(96 / SAMPLES)


def test_a_gaussian_cannot_be_enumerated():
    assert Gaussian(3).size == math.inf
    with pytest.raises(TypeError, match="cannot be enumerated"):
        Gaussian(3).outcomes()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Coin(1.5), "p must be at most 1"),
        (lambda: Coin(-0.1), "p must be finite and >= 0"),
        (lambda: Coin(math.nan), "p must be"),
        (lambda: Coin(torch.tensor([[0.5], [1.1]])), "p must be at most 1"),
        (lambda: Index(0), "n must be an integer >= 1, got 0"),
        (lambda: Subset(3, 4), "b must be at most n = 3, got 4"),
        (lambda: Subset(3, 0), "b must be an integer >= 1, got 0"),
        (lambda: Gaussian(0), "d must be an integer >= 1, got 0"),
        (lambda: Indices(0, 1), "n must be an integer >= 1, got 0"),
        (lambda: Indices(3, 0), "b must be an integer >= 1, got 0"),
        (lambda: NoiseDraw(SignNoise(1.0), 3, 0), "b must be an integer >= 1, got 0"),
        (lambda: NoiseDraw(SkewedNoise(1.0, (1.0, 2.0)), 3), "noise must fit dimension 3, got SkewedNoise"),
    ],
)
def test_impossible_spaces_are_rejected(make, message):
    with pytest.raises(ValueError, match=message):
        make()


# -- uniforms -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seed", "replicate", "stream", "step", "expected"),
    [
        (0, 0, 0, 0, [0.011546754286331562, 0.24154919656271812, 0.11142585551493822]),
        (7, 3, 1, 42, [0.9668474455828541, 0.9683958936813148, 0.8736100602760412]),
        (2**63 - 1, 65_535, 3, 12_345, [0.6427737621311925, 0.9815963025971404, 0.1641701602431206]),
    ],
)
def test_known_answers(seed, replicate, stream, step, expected):
    """Philox 4x64 is a published generator: these numbers are part of the format of results."""
    assert uniforms(seed, [replicate], stream, step, 3)[0].tolist() == expected


@pytest.mark.parametrize(
    ("key", "counter", "expected"),
    [
        (
            [0, 0],
            [0, 0, 0, 0],
            [0x16554D9ECA36314C, 0xDB20FE9D672D0FDC, 0xD7E772CEE186176B, 0x7E68B68AEC7BA23B],
        ),
        (
            [2**64 - 1] * 2,
            [2**64 - 1] * 4,
            [0x87B092C3013FE90B, 0x438C3C67BE8D0224, 0x9CC7D7C69CD777B6, 0xA09CAEBF594F0BA0],
        ),
        (
            [0x452821E638D01377, 0xBE5466CF34E90C6C],
            [0x243F6A8885A308D3, 0x13198A2E03707344, 0xA4093822299F31D0, 0x082EFA98EC4E6C89],
            [0xA528F45403E61D95, 0x38C72DBD566E9788, 0xA5A1610E72FD18B5, 0x57BD43B5E52B7FE6],
        ),
    ],
)
def test_the_raw_generator_is_philox(key, counter, expected):
    """The published vectors of philox4x64-10 (Random123); NumPy counts up before it makes its first block."""
    number = (sum(c << 64 * i for i, c in enumerate(counter)) - 1) % 2**256
    before = [(number >> 64 * i) % 2**64 for i in range(4)]
    raw = np.random.Philox(key=np.array(key, np.uint64), counter=np.array(before, np.uint64)).random_raw(4)
    assert raw.tolist() == expected


@pytest.mark.parametrize(
    ("seed", "replicate", "step", "width", "expected"),
    [
        (0, 0, 0, 1, [0.011546754286331562, 0.011546754286331562]),
        (1, 2, 57, 5, [0.3060701642027871, 0.7154012987988299]),
        (7, 100, 199, 2, [0.7111665942064388, 0.03157778530430244]),
        (9223372036854775807, 3, 1234, 51, [0.8744555938199459, 0.9021169259638785]),
        (42, 63, 99, 7, [0.6801290652070905, 0.6355559499667355]),
    ],
)
def test_known_answers_of_wide_steps(seed, replicate, step, width, expected):
    """First and last number of a step: steps of a chunk follow each other without a gap."""
    u = uniforms(seed, [replicate], STREAM_METHOD, step, width)[0]
    assert [float(u[0]), float(u[-1])] == expected


def test_uniforms_are_numpys_for_the_same_key_and_counter():
    """numpy's ``random`` turns the same bits into the same doubles; steps of a chunk follow each other."""
    chunk = np.random.Generator(np.random.Philox(key=[9, 4], counter=[0, 0, 2, 1])).random((CHUNK, 3))
    for offset in (0, 1, 57, CHUNK - 1):
        found = uniforms(9, [4], STREAM_INIT, 2 * CHUNK + offset, 3)
        assert found[0].tolist() == chunk[offset].tolist()


def test_uniforms_are_uniform_on_53_bits():
    u = uniforms(0, range(50), STREAM_METHOD, 0, 400)
    assert u.dtype == torch.float64
    assert stats.kstest(u.flatten().numpy(), "uniform").pvalue > ALMOST_SURE
    scaled = u * 2.0**53
    assert torch.equal(scaled, scaled.round())
    assert (scaled % 2 == 1).any()
    assert (u < 1).all()


def test_replicates_do_not_see_each_other():
    everyone = uniforms(3, range(20), STREAM_METHOD, 117, 4)
    assert torch.equal(uniforms(3, [13, 2, 7], STREAM_METHOD, 117, 4), everyone[[13, 2, 7]])


def test_all_coordinates_of_the_key_matter():
    places = itertools.product(
        (0, 1), (0, 1), (STREAM_METHOD, STREAM_INIT, STREAM_STARTS), (0, 1, CHUNK, CHUNK + 1)
    )
    drawn = [u for s, r, stream, step in places for u in uniforms(s, [r], stream, step, 5)[0].tolist()]
    assert len(set(drawn)) == len(drawn)


MIX = {"coin": Coin(0.4), "noise": Gaussian(3), "which": Index(5)}
WIDTH = 1 + 4 + 1


def flat(draw):
    return torch.cat([draw.coin.double(), draw.noise, draw.which.double()], -1)


def direct(step, replicates=range(6), stream=STREAM_METHOD):
    u = uniforms(11, replicates, stream, step, WIDTH)
    return torch.cat(
        [
            MIX["coin"].value(u[:, :1]).double(),
            MIX["noise"].value(u[:, 1:5]),
            MIX["which"].value(u[:, 5:]).double(),
        ],
        -1,
    )


@pytest.mark.parametrize(
    "order",
    [
        [0, 1, 2, 3],
        [5, 0, 99, 3, 99],
        [CHUNK - 2, CHUNK - 1, CHUNK, CHUNK + 1],
        [CHUNK, CHUNK - 1, 3 * CHUNK + 7, 0, CHUNK + 99],
    ],
)
def test_a_stream_gives_the_uniforms_of_its_step_in_any_order(order):
    stream = DrawStream(11, range(6), MIX, "cpu")
    for step in order:
        assert torch.equal(flat(stream.at(step, MIX)), direct(step))


def test_the_first_draw_comes_from_a_stream_of_its_own():
    stream = DrawStream(11, range(6), MIX, "cpu")
    first = flat(stream.at(0, MIX, STREAM_INIT))
    assert torch.equal(first, direct(0, stream=STREAM_INIT))
    assert not torch.equal(first, flat(stream.at(0, MIX)))


def test_blocks_of_a_stream_are_its_rows():
    whole = flat(DrawStream(11, range(100), MIX, "cpu").at(57, MIX))
    for low, high in ((0, 1), (0, 64), (64, 100), (17, 18)):
        assert torch.equal(flat(DrawStream(11, range(low, high), MIX, "cpu").at(57, MIX)), whole[low:high])


def test_no_spaces_no_draws():
    assert vars(DrawStream(0, range(3), {}, "cpu").at(5, {})) == {}


def test_a_stream_keeps_its_width():
    stream = DrawStream(0, range(3), {"noise": Gaussian(3)}, "cpu")
    with pytest.raises(ValueError, match="draws of step 4 consume 6 uniforms, not 4 as the first"):
        stream.at(4, {"noise": Gaussian(5)})


@pytest.mark.parametrize("at_once", [1, 6 * WIDTH * 10, 2**21], ids=["one", "ten", "all"])
def test_how_many_steps_are_made_at_once_does_not_matter(at_once, monkeypatch):
    monkeypatch.setattr(draws_module, "AT_ONCE", at_once)
    stream = DrawStream(11, range(6), MIX, "cpu")
    assert stream._count == {1: 1, 6 * WIDTH * 10: 10, 2**21: 100}[at_once]
    for step in (0, 9, 10, 57, CHUNK - 1, CHUNK, 3):
        assert torch.equal(flat(stream.at(step, MIX)), direct(step))
        assert torch.equal(flat(stream.at(step, dict(MIX))), direct(step))


def test_the_order_of_replicates_does_not_matter():
    order = [4, 0, 5, 2]
    stream = DrawStream(11, order, MIX, "cpu")
    assert torch.equal(flat(stream.at(31, MIX)), direct(31)[order])


def test_spaces_with_a_value_for_each_row_are_those_of_their_step():
    """Decoded for many steps at once, a probability per row still belongs to its row."""
    p = torch.tensor([[0.1], [0.5], [0.9], [0.0], [1.0], [0.3]], dtype=torch.float64)
    spaces = {"coin": Coin(p)}
    stream = DrawStream(3, range(6), spaces, "cpu")
    for step in (0, 1, 99, 100):
        expected = uniforms(3, range(6), STREAM_METHOD, step, 1) < p
        assert torch.equal(stream.at(step, spaces).coin, expected)
