import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from assumptions import EUCLIDEAN, Lp, Weighted

RTOL = 1e-13  # a few hundred roundings: powers lose about log2(exponent) bits
EXPONENTS = (1.0, 1.1, 1.5, 2.0, 3.0, 10.0, math.inf)

exponents = st.sampled_from(EXPONENTS)
scales = st.floats(1e-3, 1e3)
# magnitudes over the whole range; 1e-300 leaves room for a scale
entries = st.one_of(
    st.just(0.0),
    st.builds(
        lambda sign, e, m: sign * m * 10.0**e,
        st.sampled_from((-1, 1)),
        st.integers(-300, 300),
        st.floats(1, 9),
    ),
)
vectors = st.lists(entries, min_size=1, max_size=6).map(lambda v: torch.tensor(v, dtype=torch.float64))


def close(a: Tensor, b: Tensor) -> bool:
    return bool(torch.isclose(a, b, rtol=RTOL, atol=0.0).all())


@given(exponents, scales, vectors)
def test_lmo_direction_attains_the_dual_norm(p, scale, g):
    norm = Lp(p, scale)
    direction = norm.lmo_direction(g)
    assert close((g * direction).sum(), norm.dual(g))
    assert close(norm.norm(direction), torch.tensor(float(bool(g.any())), dtype=torch.float64))


@given(exponents, scales, vectors, st.integers(0, 1000))
def test_dual_norm_bounds_every_inner_product(p, scale, g, seed):
    norm = Lp(p, scale)
    z = torch.randn(50, len(g), dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    z = z / norm.norm(z).unsqueeze(-1)
    assert ((z * g).sum(-1) <= norm.dual(g) * (1 + RTOL)).all()


@given(exponents, vectors)
def test_values_agree_with_exact_arithmetic(p, x):
    largest = max(abs(v) for v in x.tolist())
    scaled = [abs(v) / largest if largest else 0.0 for v in x.tolist()]
    naive = max(scaled) if p == math.inf else math.fsum(v**p for v in scaled) ** (1 / p)
    assert float(Lp(p).norm(x)) == pytest.approx(largest * naive, rel=RTOL, abs=0.0)


@pytest.mark.parametrize("size", [1e-300, 1.0, 1e300])
@pytest.mark.parametrize("p", EXPONENTS)
def test_extreme_values_neither_overflow_nor_vanish(p, size):
    x = torch.tensor([3.0, -4.0, 0.0], dtype=torch.float64)
    assert close(Lp(p).norm(size * x), size * Lp(p).norm(x))
    assert close(Lp(p).dual(size * x), size * Lp(p).dual(x))
    assert close(Lp(p).lmo_direction(size * x), Lp(p).lmo_direction(x))


@pytest.mark.parametrize("d", [1, 2, 5])
@pytest.mark.parametrize("p", EXPONENTS)
def test_rho_is_the_smallest_constant(p, d):
    norm = Lp(p, scale=2.0)
    g = torch.randn(200, d, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    g = torch.cat([g, torch.ones(1, d, dtype=torch.float64), torch.eye(d, dtype=torch.float64)])
    ratios = norm.dual(g) / g.norm(dim=-1)
    assert float(ratios.max()) == pytest.approx(norm.rho(d), rel=RTOL)


@pytest.mark.parametrize("p", EXPONENTS)
def test_nan_in_nan_out(p):
    g = torch.tensor([[1.0, math.nan, 2.0], [0.0, 1.0, 2.0]], dtype=torch.float64)
    for result in (Lp(p).norm(g), Lp(p).dual(g), Lp(p).lmo_direction(g)):
        assert result[0].isnan().all()
        assert result[1].isfinite().all()


@pytest.mark.parametrize("p", EXPONENTS)
def test_infinity_is_infinite(p):
    g = torch.tensor([1.0, -math.inf], dtype=torch.float64)
    assert float(Lp(p).norm(g)) == math.inf
    assert float(Lp(p).dual(g)) == math.inf


@pytest.mark.parametrize("shape", [(3,), (4, 3), (2, 4, 3)])
@pytest.mark.parametrize("p", EXPONENTS)
def test_batches_lead_and_arguments_stay(p, shape):
    x = torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    before = x.clone()
    assert Lp(p).norm(x).shape == Lp(p).dual(x).shape == shape[:-1]
    directions = Lp(p).lmo_direction(x)
    assert directions.shape == x.shape
    for row, direction in zip(x.reshape(-1, 3), directions.reshape(-1, 3), strict=True):
        assert torch.equal(Lp(p).lmo_direction(row), direction)
    assert torch.equal(x, before)


def test_direction_for_p_1_is_the_first_largest_entry():
    g = torch.tensor([1.0, -2.0, 2.0], dtype=torch.float64)
    assert Lp(1).lmo_direction(g).tolist() == [0.0, -1.0, 0.0]


def test_directions_take_no_room_from_float32():
    g = torch.tensor([1.0, -2.0, 2.0])
    assert all(Lp(p, 2.0).lmo_direction(g).dtype == Lp(p, 2.0).norm(g).dtype == g.dtype for p in EXPONENTS)


@pytest.mark.parametrize("p", [1.5, 2.0, 3.0])
def test_gradient_of_the_norm_is_the_direction_of_the_dual(p):
    x = torch.tensor([3.0, -4.0, 1.0], dtype=torch.float64, requires_grad=True)
    (grad,) = torch.autograd.grad(Lp(p).dual(x), x)
    assert close(grad, Lp(p).lmo_direction(x.detach()))


@pytest.mark.parametrize(
    "norm",
    [
        *[Lp(p, 2.0) for p in EXPONENTS],
        *[Weighted((0.5, 2.0, 3.0), p) for p in (1.0, 1.5, 2.0, 3.0, math.inf)],
    ],
    ids=repr,
)
@pytest.mark.parametrize("size", [1e-300, 1e-150, 1.0, 1e150, 1e300])
def test_gradients_are_finite_and_zero_at_zero(norm, size):
    rows = torch.tensor([[0.0, 0.0, 0.0], [3.0, -4.0, 1.0], [0.0, 2.0, 0.0]], dtype=torch.float64)
    plain = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)
    for of in (norm.norm, norm.dual):
        x = torch.cat([size * rows, plain.unsqueeze(0)]).requires_grad_()
        (grad,) = torch.autograd.grad(of(x).sum(), x)
        assert (grad[0] == 0).all()
        assert torch.isfinite(grad).all()
        y = rows[1:].clone().requires_grad_()
        (expected,) = torch.autograd.grad(of(y).sum(), y)  # a norm has the same gradient at all multiples
        assert torch.allclose(grad[1:3], expected, rtol=1e-12)


def test_equal_norms_are_equal():
    assert Lp(2) == Lp(2.0) == Lp(2, 1) == EUCLIDEAN
    assert hash(Lp(2)) == hash(EUCLIDEAN)
    assert repr(Lp(2)) == repr(EUCLIDEAN) == "Lp(p=2.0)"
    assert Lp(2) != Lp(2, scale=2)


@pytest.mark.parametrize(
    ("p", "scale", "error", "message"),
    [
        (0.5, 1.0, ValueError, r"p must be >= 1 .*got 0\.5"),
        (-math.inf, 1.0, ValueError, "p must be >= 1 .*got -inf"),
        (math.nan, 1.0, ValueError, "p must be >= 1 .*got nan"),
        ("2", 1.0, TypeError, "p must be a number, got '2'"),
        (10**400, 1.0, ValueError, "p must fit a float, got an integer of 1329 bits"),
        (2.0, 10**400, ValueError, "scale must be finite and > 0, got an integer of 1329 bits"),
        (True, 1.0, TypeError, "p must be a number, got True"),
        (2.0, 0.0, ValueError, r"scale must be finite and > 0, got 0\.0"),
        (2.0, math.inf, ValueError, "scale must be finite and > 0, got inf"),
        (2.0, math.nan, ValueError, "scale must be finite and > 0, got nan"),
        (2.0, None, TypeError, "scale must be a number"),
    ],
)
def test_bad_arguments_are_named(p, scale, error, message):
    with pytest.raises(error, match=message):
        Lp(p, scale)


WEIGHTS = (0.5, 2.0, 3.0)
BASES = (1.0, 1.5, 2.0, 3.0, math.inf)


def gaussian(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("p", BASES)
def test_a_weighted_norm_is_that_of_the_weighted_vector(p):
    norm, x = Weighted(WEIGHTS, p), gaussian(20, 3, seed=0)
    assert torch.equal(norm.norm(x), Lp(p).norm(x * torch.tensor(WEIGHTS).double()))
    z = norm.lmo_direction(x)
    assert torch.allclose(norm.norm(z), torch.ones(20).double(), rtol=1e-13)
    assert torch.allclose((x * z).sum(-1), norm.dual(x), rtol=1e-13)


@pytest.mark.parametrize("p", BASES)
def test_the_dual_of_a_weighted_norm_is_a_maximum(p):
    norm, g, z = Weighted(WEIGHTS, p), gaussian(3, seed=1), gaussian(40_000, 3, seed=2)
    best = float((z @ g / norm.norm(z)).max())
    assert best <= float(norm.dual(g)) * (1 + 1e-12)
    assert best >= float(norm.dual(g)) * 0.98


@pytest.mark.parametrize("p", BASES)
def test_rho_of_a_weighted_norm_is_attained(p):
    norm, g = Weighted(WEIGHTS, p), torch.cat([gaussian(40_000, 3, seed=2), torch.eye(3).double()])
    ratio = float((norm.dual(g) / g.norm(dim=-1)).max())
    assert 0.99 * norm.rho(3) <= ratio <= norm.rho(3) * (1 + 1e-12)


def test_bad_weights_are_named():
    for bad in ((), (1.0, 0.0), (1.0, -2.0), (1.0, math.inf), 3.0, ("a",)):
        with pytest.raises(ValueError, match="weights must be"):
            Weighted(bad)  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="p must be >= 1"):
        Weighted((1.0,), 0.5)
    with pytest.raises(ValueError, match="must have shape"):
        Weighted(WEIGHTS).norm(torch.zeros(2).double())
    with pytest.raises(ValueError, match="d must be 3"):
        Weighted(WEIGHTS).rho(2)
    assert Weighted(WEIGHTS).fits(3)
    assert not Weighted(WEIGHTS).fits(2)
    assert repr(Weighted((1, 2), 1)) == "Weighted(weights=(1.0, 2.0), p=1.0)"
