import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from assumptions import EUCLIDEAN, Layers, Lp

LAYERS = Layers(((2, 3), (4,), (1, 1)), (EUCLIDEAN, Lp(1), Lp(math.inf, 2.0)))


def points(*batch: int, d: int = LAYERS.d) -> torch.Tensor:
    return torch.randn(*batch, d, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


@given(
    st.lists(st.lists(st.integers(1, 3), min_size=1, max_size=3).map(tuple), min_size=1, max_size=4),
    st.lists(st.integers(1, 3), max_size=2),
)
def test_split_and_join_are_inverse(shapes, batch):
    layers = Layers(tuple(shapes), (EUCLIDEAN,) * len(shapes))
    x = points(*batch, d=layers.d)
    parts = layers.split(x)
    assert [tuple(p.shape) for p in parts] == [(*batch, *shape) for shape in shapes]
    assert torch.equal(layers.join(parts), x)


def test_layers_lie_in_order():
    first, second, third = LAYERS.split(torch.arange(11.0))
    assert first.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert second.tolist() == [6, 7, 8, 9]
    assert third.tolist() == [[10]]


def test_facts():
    assert (LAYERS.d, LAYERS.n_layers, LAYERS.sizes) == (11, 3, (6, 4, 1))
    assert Layers.single(5) == Layers(((5,),), (EUCLIDEAN,))
    assert Layers.single(5, Lp(1)).norms == (Lp(1),)


@pytest.mark.parametrize("batch", [(), (5,), (2, 5)])
def test_each_layer_has_its_norm(batch):
    x = points(*batch)
    matrix, vector, last = LAYERS.split(x)
    norms = torch.stack(
        [matrix.flatten(-2).norm(dim=-1), vector.abs().sum(-1), 2 * last[..., 0, 0].abs()], -1
    )
    duals = torch.stack(
        [matrix.flatten(-2).norm(dim=-1), vector.abs().amax(-1), last[..., 0, 0].abs() / 2], -1
    )
    torch.testing.assert_close(LAYERS.norm_i(x), norms)
    torch.testing.assert_close(LAYERS.dual_i(x), duals)


@pytest.mark.parametrize("lengths", [1.0, 0.3, torch.tensor([1.0, 0.0, 2.0]), points(5, d=3).abs()])
def test_direction_goes_its_length_in_every_layer(lengths):
    g = points(5)
    z = LAYERS.lmo_direction(g, lengths)
    lengths = torch.as_tensor(lengths, dtype=torch.float64).expand(5, 3)
    torch.testing.assert_close(LAYERS.norm_i(z), lengths)
    torch.testing.assert_close((g * z).sum(-1), (lengths * LAYERS.dual_i(g)).sum(-1))


def test_a_layer_without_gradient_stays():
    g = points().clone()
    g[:6] = 0
    assert LAYERS.norm_i(LAYERS.lmo_direction(g, 1.0)).tolist() == pytest.approx([0.0, 1.0, 1.0])


@pytest.mark.parametrize(
    ("shapes", "norms", "error"),
    [
        ((), (), ValueError),
        (((),), (EUCLIDEAN,), ValueError),
        (((0,),), (EUCLIDEAN,), ValueError),
        (((2, -1),), (EUCLIDEAN,), ValueError),
        (((2.0,),), (EUCLIDEAN,), ValueError),
        ((3,), (EUCLIDEAN,), ValueError),
        ([(3,)], (EUCLIDEAN,), ValueError),
        (((3,),), (), ValueError),
        (((3,),), (EUCLIDEAN, EUCLIDEAN), ValueError),
        (((3,),), (2.0,), TypeError),
    ],
)
def test_bad_layers_are_rejected(shapes, norms, error):
    with pytest.raises(error, match=r"shapes|norm"):
        Layers(shapes, norms)


@pytest.mark.parametrize("call", [LAYERS.split, LAYERS.norm_i, LAYERS.dual_i, LAYERS.lmo_direction])
@pytest.mark.parametrize("x", [points(d=10), torch.zeros(()), torch.zeros(11, dtype=torch.int64)])
def test_bad_points_are_rejected(call, x):
    with pytest.raises(ValueError, match="x must"):
        call(x)


@pytest.mark.parametrize(
    "parts",
    [
        LAYERS.split(points())[:2],
        tuple(reversed(LAYERS.split(points()))),
        (*LAYERS.split(points(5))[:2], LAYERS.split(points())[2]),
        (torch.zeros(6), torch.zeros(4), torch.zeros(1, 1)),
    ],
)
def test_bad_parts_are_rejected(parts):
    with pytest.raises(ValueError, match="parts must"):
        LAYERS.join(parts)


def test_bad_lengths_are_rejected():
    with pytest.raises(ValueError, match=r"lengths_i must be a float or \(\*batch, 1 or 3\), got \(5, 2\)"):
        LAYERS.lmo_direction(points(5), torch.ones(5, 2))


def test_lengths_and_numbers_of_layers():
    x = points(5)
    parts = LAYERS.split(x)
    expected = torch.stack([part.reshape(5, -1).norm(dim=-1) for part in parts], dim=-1)
    torch.testing.assert_close(LAYERS.length_i(x), expected, rtol=1e-14, atol=0)
    numbers = torch.arange(3, dtype=torch.float64).expand(5, 3)
    for number, part in enumerate(LAYERS.split(LAYERS.per_entry(numbers))):
        assert (part == number).all()
