import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from assumptions import EUCLIDEAN, Layers, Lp
from assumptions.column_norms import MaxColumn, MaxRow, SumColumns, SumRows
from assumptions.matrix_norms import MatrixNorm, Nuclear, Spectral
from assumptions.specification import parse_specification

RTOL = 1e-12  # an accurate decomposition of a matrix of 12 entries, and sums of them
FAMILIES = (Spectral, Nuclear, MaxColumn, SumColumns, MaxRow, SumRows)
DUAL_OF = {
    Spectral: Nuclear,
    Nuclear: Spectral,
    MaxColumn: SumColumns,
    SumColumns: MaxColumn,
    MaxRow: SumRows,
    SumRows: MaxRow,
}
SIZES = ((1, 1), (1, 4), (3, 1), (2, 3), (4, 3), (3, 3))

every = pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.__name__)
families = st.sampled_from(FAMILIES)
sizes = st.sampled_from(SIZES)
scales = st.floats(1e-3, 1e3)


@st.composite
def matrices(draw: st.DrawFn, count: int = 1) -> tuple[int, int, tuple[Tensor, ...]]:
    """Flat matrices of one size, of any rank, with entries of one magnitude or of many."""
    m, n = draw(sizes)
    found = []
    for _ in range(count):
        rank = draw(st.integers(0, min(m, n)))
        generator = torch.Generator().manual_seed(draw(st.integers(0, 10_000)))
        left = torch.randn(m, rank, dtype=torch.float64, generator=generator)
        right = torch.randn(rank, n, dtype=torch.float64, generator=generator)
        spread = 10.0 ** (
            draw(st.integers(0, 12)) * torch.rand(m, 1, dtype=torch.float64, generator=generator)
        )
        found.append((left @ right * spread * 10.0 ** draw(st.integers(-150, 130))).flatten())
    return m, n, tuple(found)


def gaussian(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def close(a: Tensor, b: Tensor | float, rtol: float = RTOL) -> bool:
    return bool(torch.isclose(a, torch.as_tensor(b, dtype=a.dtype), rtol=rtol, atol=0.0).all())


@given(families, scales, matrices())
def test_directions_attain_the_dual_norm(family, scale, drawn):
    m, n, (g,) = drawn
    norm = family(m, n, scale)
    direction = norm.lmo_direction(g)
    size = float(g.abs().max()) or 1.0
    # a sum of 12 products rounds to parts of its largest one
    assert float(((g / size) * direction).sum()) == pytest.approx(float(norm.dual(g)) / size, rel=RTOL)
    assert close(norm.norm(direction), float(bool(g.any())))


@given(families, scales, matrices(2))
def test_dual_norms_bound_every_inner_product(family, scale, drawn):
    m, n, (x, g) = drawn
    norm = family(m, n, scale)
    a, b = (float(t.abs().max()) or 1.0 for t in (x, g))
    assert float((x / a * (g / b)).sum()) <= float(norm.norm(x)) / a * (float(norm.dual(g)) / b) * (1 + RTOL)


@given(families, scales, matrices(2), st.integers(-20, 20))
def test_norms_are_norms(family, scale, drawn, power):
    m, n, (x, y) = drawn
    norm = family(m, n, scale)
    assert float(norm.norm(x)) > 0 or not x.any()
    for length in (norm.norm, norm.dual):
        assert float(length(x + y)) <= (float(length(x)) + float(length(y))) * (1 + RTOL)
        # a power of two changes no digit
        assert torch.equal(length(-(2.0**power) * x), 2.0**power * length(x))


@given(families, scales, matrices())
def test_the_dual_of_the_dual_is_the_norm(family, scale, drawn):
    m, n, (x,) = drawn
    assert close(DUAL_OF[family](m, n, 1 / scale).norm(x), family(m, n, scale).dual(x))
    assert close(DUAL_OF[family](m, n, 1 / scale).dual(x), family(m, n, scale).norm(x))


@pytest.mark.parametrize("size", SIZES, ids=repr)
@every
def test_rho_is_the_smallest_constant(family: type[MatrixNorm], size: tuple[int, int]):
    m, n = size
    norm, d = family(m, n, 2.0), m * n
    columns, rows = torch.zeros(m, n).double(), torch.zeros(m, n).double()
    columns[0], rows[:, 0] = 1.0, 1.0
    extremes = torch.stack([torch.eye(m, n).double(), columns, rows]).flatten(-2)
    g = torch.cat([gaussian(200, d), extremes, torch.eye(d).double()])
    ratios = norm.dual(g) / g.norm(dim=-1)
    assert float(ratios.max()) == pytest.approx(norm.rho(d), rel=1e-14)


def test_values_of_a_known_matrix():
    """Singular values 4 and 3; columns (3, 0), (0, 0), (0, 4)."""
    x = torch.tensor([3.0, 0.0, 0.0, 0.0, 0.0, -4.0], dtype=torch.float64)
    expected = {Spectral: 4.0, Nuclear: 7.0, MaxColumn: 4.0, SumColumns: 7.0, MaxRow: 4.0, SumRows: 7.0}
    assert {f: float(f(2, 3).norm(x)) for f in FAMILIES} == pytest.approx(expected)
    turned = torch.tensor([1.0, 1.0, 1.0, -1.0], dtype=torch.float64)  # sqrt 2 times an orthogonal matrix
    root = math.sqrt(2)
    expected = {Spectral: root, Nuclear: 2 * root, MaxColumn: root, SumColumns: 2 * root}
    assert {f: float(f(2, 2).norm(turned)) for f in expected} == pytest.approx(expected)
    assert Spectral(2, 2).lmo_direction(turned).tolist() == pytest.approx((turned / root).tolist())
    assert float(MaxRow(2, 3).norm(torch.arange(6.0).double())) == pytest.approx(math.sqrt(50))
    assert float(MaxColumn(2, 3).norm(torch.arange(6.0).double())) == pytest.approx(math.sqrt(29))


def test_operator_norms_are_those_of_their_spaces():
    """max |X v| over vectors v: of l_2 for the spectral norm, l_1 for columns, l_2 into l_inf for rows."""
    x, v = gaussian(12, seed=4), gaussian(200_000, 3, seed=5)
    image = v @ x.reshape(4, 3).mT
    cases = ((Spectral, 2.0, 2.0), (MaxColumn, 1.0, 2.0), (MaxRow, 2.0, math.inf))
    for family, before, after in cases:
        best = float((Lp(after).norm(image) / Lp(before).norm(v)).max())
        exact = float(family(4, 3).norm(x))
        assert 0.98 * exact <= best <= exact * (1 + 1e-12)


def test_the_nuclear_norm_lies_between_frobenius_and_root_rank_times_frobenius():
    for rank in (1, 2, 3):
        g = (gaussian(50, 4, rank) @ gaussian(50, rank, 3, seed=1)).flatten(-2)
        nuclear, frobenius = Nuclear(4, 3).norm(g), EUCLIDEAN.norm(g)
        assert (frobenius <= nuclear * (1 + 1e-13)).all()
        assert (nuclear <= math.sqrt(rank) * frobenius * (1 + 1e-13)).all()


def test_a_direction_has_the_rank_of_the_gradient():
    g = torch.zeros(3, 4, dtype=torch.float64)
    g[0, 1], g[2, 2] = 5.0, -1e-3
    expected = torch.zeros(3, 4, dtype=torch.float64)
    expected[0, 1], expected[2, 2] = 1.0, -1.0
    assert torch.allclose(Spectral(3, 4).lmo_direction(g.flatten()), expected.flatten(), atol=1e-15)


@every
@pytest.mark.parametrize("size", [1e-300, 1e-150, 1.0, 1e150, 1e300])
def test_extreme_values_neither_overflow_nor_vanish(family: type[MatrixNorm], size: float):
    norm, x = family(2, 3), torch.tensor([3.0, -4.0, 0.0, 1.0, 2.0, 2.0], dtype=torch.float64)
    assert close(norm.norm(size * x), size * norm.norm(x))
    assert close(norm.dual(size * x), size * norm.dual(x))
    assert torch.allclose(norm.lmo_direction(size * x), norm.lmo_direction(x), atol=1e-14)


@every
def test_nan_and_infinity_stay_in_their_rows(family: type[MatrixNorm]):
    g = gaussian(4, 6)
    clean = g.clone()
    g[1, 2], g[3, 0] = math.nan, -math.inf
    norm = family(2, 3)
    for function in (norm.norm, norm.dual):
        assert torch.equal(function(g)[[0, 2]], function(clean)[[0, 2]])
        assert function(g)[1].isnan()
        assert float(function(g)[3]) == math.inf
    assert torch.equal(norm.lmo_direction(g)[[0, 2]], norm.lmo_direction(clean)[[0, 2]])
    assert norm.lmo_direction(g)[1].isnan().all()
    assert norm.lmo_direction(g)[3].isnan().any()
    assert not norm.lmo_direction(torch.zeros(2, 6).double()).any()


@every
@pytest.mark.parametrize("shape", [(6,), (0, 6), (4, 6), (2, 4, 6)])
def test_batches_lead_and_arguments_stay(family: type[MatrixNorm], shape: tuple[int, ...]):
    norm, x = family(2, 3), gaussian(*shape, seed=1)
    before = x.clone()
    directions = norm.lmo_direction(x)
    assert norm.norm(x).shape == norm.dual(x).shape == shape[:-1]
    assert directions.shape == x.shape
    for row, direction in zip(x.reshape(-1, 6), directions.reshape(-1, 6), strict=True):
        assert torch.equal(norm.lmo_direction(row), direction)
    assert torch.equal(x, before)


@every
def test_gradients_of_the_dual_are_directions(family: type[MatrixNorm]):
    norm, x = family(3, 4, 2.0), gaussian(5, 12, seed=3).requires_grad_()
    (grad,) = torch.autograd.grad(norm.dual(x).sum(), x)
    assert torch.allclose(grad, norm.lmo_direction(x.detach()), atol=1e-12)


@every
def test_gradients_are_finite_at_equal_and_vanishing_singular_values(family: type[MatrixNorm]):
    rank_one = torch.zeros(3, 3).double()
    rank_one[0, 0] = 2.0
    x = torch.stack([torch.eye(3).double(), rank_one, torch.zeros(3, 3).double()]).flatten(-2)
    x.requires_grad_()
    for length in (family(3, 3).norm, family(3, 3).dual):
        (grad,) = torch.autograd.grad(length(x).sum(), x)
        assert grad.isfinite().all()


@every
def test_single_precision_stays(family: type[MatrixNorm]):
    norm, x = family(2, 3, 2.0), gaussian(6).float()
    assert norm.norm(x).dtype == norm.dual(x).dtype == norm.lmo_direction(x).dtype == torch.float32
    assert float(norm.norm(norm.lmo_direction(x))) == pytest.approx(1.0, rel=1e-6)


@every
def test_they_fit_their_size_and_print_as_their_call(family: type[MatrixNorm]):
    norm = family(2, 3, 2)
    assert [norm.fits(d) for d in (5, 6, 7)] == [False, True, False]
    assert repr(norm) == f"{family.__name__}(m=2, n=3, scale=2.0)"
    assert repr(family(2, 3)) == f"{family.__name__}(m=2, n=3)"
    assert parse_specification(repr(norm), {family.__name__: family}) == norm
    assert norm != family(3, 2, 2)
    assert hash(norm) == hash(family(2, 3, 2.0))


@every
def test_bad_arguments_are_named(family: type[MatrixNorm]):
    for wrong in ({"m": 0, "n": 2}, {"m": 2, "n": 1.5}, {"m": True, "n": 2}):
        with pytest.raises(ValueError, match=r"[mn] must be an integer >= 1"):
            family(**wrong)
    for scale in (0.0, math.inf, math.nan):
        with pytest.raises(ValueError, match="scale must be finite and > 0"):
            family(2, 3, scale)
    with pytest.raises(TypeError, match="scale must be a number"):
        family(2, 3, "2")  # pyright: ignore[reportArgumentType]
    for function in (family(2, 3).norm, family(2, 3).dual, family(2, 3).lmo_direction):
        with pytest.raises(ValueError, match=r"must have shape \(\*batch, 6\)"):
            function(torch.zeros(4, 5).double())
    with pytest.raises(ValueError, match="d must be 6, the number of entries, got 5"):
        family(2, 3).rho(5)


def test_layers_take_them():
    layers = Layers(((2, 3), (3, 1), (4,)), (Spectral(2, 3, 0.5), MaxColumn(3, 1), Lp(1.0)))
    g = gaussian(5, 13)
    assert layers.dual_i(g).shape == (5, 3)
    assert close((g * layers.lmo_direction(g)).sum(-1), layers.dual_i(g).sum(-1))
    assert close(layers.norm_i(layers.lmo_direction(g)), 1.0)
