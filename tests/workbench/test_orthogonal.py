"""Orthogonalisers: what they do to matrices of every shape, size and type, and how well."""

import math

import pytest
import torch
from torch import Tensor

from assumptions.layers import Layers
from assumptions.matrix_norms import Nuclear, Spectral
from assumptions.norms import EUCLIDEAN, Lp
from assumptions.specification import parse_specification
from workbench.orthogonal import (
    Exact,
    GramPolar,
    NewtonSchulz,
    PolarExpress,
    Rescaled,
    as_matrix,
    by_shape,
    inexact_direction,
    like,
    lmo_factors,
    nuclear_norm,
    spectral_norm,
)
from workbench.orthogonal.polynomial import PolynomialOrthogonaliser

KJ = (3.4445, -4.7750, 2.0315)
CLASSES = {
    "Exact": Exact,
    "GramPolar": GramPolar,
    "NewtonSchulz": NewtonSchulz,
    "PolarExpress": PolarExpress,
    "Rescaled": Rescaled,
}
SCALE_FREE = (
    Exact(),
    GramPolar(),
    NewtonSchulz(eps=0.0),
    NewtonSchulz(steps=20, kind="cubic", eps=0.0),
    NewtonSchulz(steps=12, kind="order5", eps=0.0),
    PolarExpress(eps=0.0),
    PolarExpress(safety=1.02, eps=0.0),
    Rescaled(0.7, 1.2),
)
ALL = (*SCALE_FREE, NewtonSchulz(), PolarExpress(steps=9))
SHAPES = ((1, 1), (1, 5), (5, 1), (4, 4), (3, 7), (7, 3))


def gaussians(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def with_values(values: Tensor, m: int, n: int, seed: int = 0) -> Tensor:
    """A matrix m x n with these singular values."""
    u = torch.linalg.qr(gaussians(m, len(values), seed=seed))[0]
    v = torch.linalg.qr(gaussians(n, len(values), seed=seed + 1))[0]
    return (u * values) @ v.mT


def share(x: Tensor, o: Tensor) -> Tensor:
    """<M, O> / |M|_nuc."""
    return (x * o).sum(dim=(-2, -1)) / torch.linalg.svdvals(x).sum(dim=-1)


def length(o: Tensor) -> Tensor:
    return torch.linalg.svdvals(o)[..., 0]


def by_svd(orthogonaliser: PolynomialOrthogonaliser, x: Tensor, divide: float) -> Tensor:
    """U p(S / (divide |S|)) V', singular value by singular value."""
    u, s, vh = torch.linalg.svd(x, full_matrices=False)
    w = s / (divide * s.norm(dim=-1, keepdim=True))
    for a, b, c in orthogonaliser.quintics:
        w = a * w + b * w**3 + c * w**5
    return (u * w.unsqueeze(-2)) @ vh


# -- the definition -------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("scale", [1e-300, 1e-9, 1.0, 1e9, 1e300])
def test_the_exact_factor_satisfies_the_identities(shape, scale):
    x = gaussians(6, *shape)
    o = Exact()(scale * x)
    torch.testing.assert_close(share(x, o), torch.ones(6, dtype=torch.float64), rtol=1e-13, atol=0)
    torch.testing.assert_close(length(o), torch.ones(6, dtype=torch.float64), rtol=1e-13, atol=0)
    flat = Spectral(*shape).lmo_direction((scale * x).flatten(-2))
    assert torch.equal(o.flatten(-2), flat)


@pytest.mark.parametrize(
    ("orthogonaliser", "divide"),
    [
        (NewtonSchulz(eps=0.0), 1.0),
        (NewtonSchulz(steps=3, kind="cubic", eps=0.0), 1.0),
        (NewtonSchulz(steps=2, kind="order5", eps=0.0), 1.0),
        (PolarExpress(steps=10, eps=0.0), 1.01),
        (PolarExpress(steps=4, divisor=1.0, eps=0.0), 1.0),
        (PolarExpress(safety=1.02, eps=0.0), 1.02),
    ],
    ids=repr,
)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_polynomials_act_on_singular_values(orthogonaliser, divide, shape):
    x = gaussians(2, 3, *shape)
    torch.testing.assert_close(orthogonaliser(x), by_svd(orthogonaliser, x, divide), rtol=0, atol=1e-12)


def test_the_coefficients_and_their_safety():
    assert NewtonSchulz(steps=3).quintics == (KJ,) * 3
    first = PolarExpress(steps=1).quintics[0]
    assert first == pytest.approx(
        (8.28721201814563 / 1.01, -23.595886519098837 / 1.01**3, 17.300387312530933 / 1.01**5)
    )
    seventh, eighth, ninth = PolarExpress(steps=9).quintics[6:]
    assert seventh[0] == pytest.approx(1.8750014808534479 / 1.01)
    assert eighth == ninth == (1.875, -1.25, 0.375)
    assert PolarExpress(steps=5, safety=1.02).quintics[0][0] == 8.156554524902461


@pytest.mark.parametrize("shape", [(64, 64), (30, 100), (100, 30), (1, 1)], ids=str)
def test_the_quintic_is_that_of_torch_in_bfloat16(shape):
    muon = pytest.importorskip("torch.optim._muon", reason="this torch has no Muon")
    x = gaussians(*shape).to(torch.float32)
    theirs = muon._zeropower_via_newtonschulz(x, KJ, 5, 1e-7)
    ours = NewtonSchulz(dtype="bfloat16")(x)
    assert ours.dtype == torch.float32
    # the order of summation may depend on the kernel, and 5 steps multiply a rounding by up to 485
    torch.testing.assert_close(ours, theirs.float(), rtol=0, atol=0.03)


def test_the_published_eps_shrinks_tiny_matrices_and_no_eps_does_not():
    x = torch.full((1, 1), 1e-12, dtype=torch.float64)
    assert NewtonSchulz()(x).item() == pytest.approx(484.9e-5, rel=1e-3)  # 1e-12 / 1e-7 times the slope at 0
    assert NewtonSchulz(eps=0.0)(x).item() == pytest.approx(0.6964, rel=1e-4)
    assert NewtonSchulz(eps=0.0)(1e-300 * x).item() == pytest.approx(0.6964, rel=1e-4)
    x = 1e-5 * torch.eye(2, dtype=torch.float64)
    w = 1e-5 / (math.sqrt(2) * 1e-5 + 1e-7)
    for _ in range(5):
        w = KJ[0] * w + KJ[1] * w**3 + KJ[2] * w**5
    assert NewtonSchulz()(x)[0, 0].item() == pytest.approx(w, rel=1e-12)


# -- inputs of every kind -------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("orthogonaliser", ALL, ids=repr)
def test_zero_nan_and_inf(orthogonaliser, dtype):
    x = gaussians(2, 3, 4, 6).to(dtype)
    alone = orthogonaliser(x)
    assert alone.dtype == dtype
    assert alone.shape == x.shape
    assert alone.isfinite().all()
    spoilt = x.clone()
    spoilt[0, 0] = 0.0
    spoilt[0, 1, 2, 3] = math.nan
    spoilt[1, 2, 0, 0] = -math.inf
    before = spoilt.clone()
    o = orthogonaliser(spoilt)
    assert torch.equal(spoilt.nan_to_num(), before.nan_to_num())
    assert (o[0, 0] == 0).all()
    assert o[0, 1].isnan().all()
    assert o[1, 2].isnan().all()
    for i, j in ((0, 2), (1, 0), (1, 1)):
        assert torch.equal(o[i, j], alone[i, j])


@pytest.mark.parametrize("orthogonaliser", ALL, ids=repr)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_batches_are_looped_and_transposes_transposed(orthogonaliser, shape):
    x = gaussians(2, 2, *shape)
    o = orthogonaliser(x)
    torch.testing.assert_close(orthogonaliser(x.mT), o.mT, rtol=0, atol=1e-11)
    torch.testing.assert_close(orthogonaliser(x[1, 0]), o[1, 0], rtol=0, atol=1e-11)
    assert orthogonaliser(x[:0]).shape == (0, 2, *shape)
    torch.testing.assert_close(orthogonaliser(-x), -o, rtol=0, atol=1e-11)


@pytest.mark.parametrize("orthogonaliser", ALL, ids=repr)
def test_what_is_orthogonal_to_a_deficient_matrix_stays_so(orthogonaliser):
    x = with_values(torch.tensor([3.0, 1.0, 0.2], dtype=torch.float64), 8, 12)
    o = orthogonaliser(x)
    values = torch.linalg.svdvals(o)
    assert (values[:3] > 0.6).all()
    assert (values[3:] < 1e-11).all()
    assert share(x, o) > 0.6


@pytest.mark.parametrize("orthogonaliser", SCALE_FREE, ids=repr)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16], ids=str)
def test_the_scale_does_not_matter(orthogonaliser, dtype):
    x = gaussians(3, 5).to(dtype)
    o = orthogonaliser(x)
    big = 1000 if dtype == torch.float64 else 120
    for power in (-big, -30, 30, big):
        assert torch.equal(orthogonaliser(torch.ldexp(x, torch.tensor(power))), o)


def test_a_float64_matrix_beyond_float32_survives_a_lower_precision():
    x = gaussians(4, 4)
    for size in (1e-200, 1e200):
        o = NewtonSchulz(dtype="float32", eps=0.0)(size * x)
        assert o.dtype == torch.float64
        torch.testing.assert_close(o, NewtonSchulz(eps=0.0)(x), rtol=0, atol=1e-3)


def test_precisions():
    """Errors against float64: some roundings times the slope 485."""
    x = gaussians(5, 32, 48)
    best = NewtonSchulz()(x)
    for dtype, tolerance in ((torch.float32, 2e-5), (torch.bfloat16, 0.1)):
        error = (NewtonSchulz(dtype=dtype)(x) - best).abs().max()
        assert tolerance / 100 < error < tolerance
        assert NewtonSchulz()(x.to(dtype)).dtype == dtype
        assert (Exact()(x.to(dtype)).double() - Exact()(x)).abs().max() < tolerance
    a, b = share(x, NewtonSchulz(dtype="bfloat16")(x)), length(NewtonSchulz(dtype="bfloat16")(x))
    assert (a - share(x, best)).abs().max() < 0.01
    assert (b - length(best)).abs().max() < 0.02


def test_autocast_does_not_lower_the_precision():
    x = gaussians(2, 6, 6).float()
    for orthogonaliser in (NewtonSchulz(), PolarExpress(), GramPolar(), Exact()):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            inside = orthogonaliser(x)
        assert torch.equal(inside, orthogonaliser(x))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("orthogonaliser", ALL, ids=repr)
def test_a_gpu_agrees(orthogonaliser):
    x = gaussians(3, 20, 30)
    torch.testing.assert_close(orthogonaliser(x.cuda()).cpu(), orthogonaliser(x), rtol=0, atol=1e-9)


def test_convolutions_are_matrices():
    weight = gaussians(8, 3, 5, 5)
    matrix = as_matrix(weight)
    assert matrix.shape == (8, 75)
    assert torch.equal(like(matrix, weight), weight)
    assert torch.equal(as_matrix(matrix), matrix)
    with pytest.raises(ValueError, match=r"two axes or more, got \(8,\).*Euclidean"):
        as_matrix(weight[:, 0, 0, 0])
    with pytest.raises(ValueError, match=r"shape \(8, 75\), got \(8, 74\)"):
        like(matrix[:, 1:], weight)


# -- measured -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("orthogonaliser", "a", "b"),
    [
        (NewtonSchulz(), (0.82, 0.86), (1.12, 1.2024)),
        (NewtonSchulz(dtype="bfloat16"), (0.82, 0.86), (1.12, 1.22)),
        (PolarExpress(safety=1.02), (0.98, 1.04), (1.13, 1.1412)),
        (PolarExpress(), (0.97, 1.02), (1.11, 1.1240)),
    ],
    ids=repr,
)
def test_gaussian_matrices(orthogonaliser, a, b):
    """64 x 64, 60 draws; the ends are those seen over 200 draws, widened by a percent."""
    x = gaussians(60, 64, 64)
    o = orthogonaliser(x)
    for (low, high), seen in ((a, share(x, o)), (b, length(o))):
        assert low < seen.min()
        assert seen.max() < high


def test_small_singular_values_matter_for_the_error_and_not_for_a():
    """64 values from 1 to 1e-3: the distance to U V' says 0.79, though 0.94 of the norm is realised."""
    x = with_values(torch.logspace(0, -3, 64, dtype=torch.float64), 64, 64)
    o = NewtonSchulz()(x)
    assert share(x, o).item() == pytest.approx(0.94, abs=0.01)
    assert length(o - Exact()(x)).item() == pytest.approx(0.79, abs=0.01)
    x = torch.diag(torch.tensor([0.5, 0.5e-8], dtype=torch.float64))
    assert share(x, NewtonSchulz(eps=0.0)(x)).item() == pytest.approx(0.696, abs=1e-3)


# -- layers ---------------------------------------------------------------------------------------

LAYERS = Layers(
    ((3, 5), (4,), (2, 2, 2), (6,)), (Spectral(3, 5, 2.0), EUCLIDEAN, Spectral(2, 4), Lp(math.inf, 3.0))
)


def test_an_exact_orthogonaliser_gives_the_exact_direction():
    g, lengths = gaussians(7, LAYERS.d), gaussians(7, 4).abs()
    assert torch.equal(inexact_direction(LAYERS, Exact(), g, lengths), LAYERS.lmo_direction(g, lengths))
    a, b = lmo_factors(LAYERS, g, LAYERS.lmo_direction(g))
    torch.testing.assert_close(a, torch.ones_like(a), rtol=1e-13, atol=0)
    torch.testing.assert_close(b, torch.ones_like(b), rtol=1e-13, atol=0)


def test_spectral_layers_alone_are_inexact_and_the_factors_say_how():
    g = gaussians(3, LAYERS.d)
    d = inexact_direction(LAYERS, Rescaled(0.5, 1.5), g, 1e-3)
    exact = LAYERS.split(LAYERS.lmo_direction(g, 1e-3))
    parts = LAYERS.split(d)
    assert torch.equal(parts[1], exact[1])
    assert torch.equal(parts[3], exact[3])
    torch.testing.assert_close(
        parts[0], 1e-3 * Rescaled(0.5, 1.5)(LAYERS.split(g)[0]) / 2.0, rtol=1e-13, atol=0
    )
    for scale in (1e-200, 1.0, 1e200):
        a, b = lmo_factors(LAYERS, scale * g, 1e3 * d)
        s = torch.linalg.svdvals(LAYERS.split(g)[0])
        expected = (s * torch.tensor([0.5, 1.5, 0.5], dtype=torch.float64)).sum(-1) / s.sum(-1)
        torch.testing.assert_close(a[:, 0], expected, rtol=1e-12, atol=0)
        torch.testing.assert_close(b[:, [0, 2]], b.new_full((3, 2), 1.5), rtol=1e-12, atol=0)
        torch.testing.assert_close(a[:, [1, 3]], a.new_ones(3, 2), rtol=1e-12, atol=0)


def test_factors_of_zero_and_undefined_gradients():
    g = gaussians(2, LAYERS.d)
    g[0, :15], g[1, 0] = 0.0, math.nan
    a, b = lmo_factors(LAYERS, g, inexact_direction(LAYERS, NewtonSchulz(), g))
    assert (a[0, 0], b[0, 0]) == (1.0, 0.0)
    assert a[1, 0].isnan()
    assert b[1, 0].isnan()
    assert a[:, 1:].isfinite().all()


def test_wrong_layers():
    g = gaussians(LAYERS.d)
    with pytest.raises(TypeError, match=r"one such as Exact\(\), got 'exact'"):
        inexact_direction(LAYERS, "exact", g)  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="direction must have the shape of g"):
        lmo_factors(LAYERS, g, g[1:])
    with pytest.raises(ValueError, match="lengths_i"):
        inexact_direction(LAYERS, Exact(), g, torch.ones(3))
    with pytest.raises(ValueError, match="must have shape"):
        inexact_direction(LAYERS, Exact(), g[1:])


# -- Gram matrices --------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("scale", [1e-300, 1.0, 1e300])
def test_nuclear_norms_of_well_conditioned_matrices(shape, scale):
    x = scale * gaussians(4, *shape)
    expected = Nuclear(*shape).norm(x.flatten(-2))
    torch.testing.assert_close(nuclear_norm(x), expected, rtol=1e-12, atol=0)
    torch.testing.assert_close(
        nuclear_norm(gaussians(*shape)), expected[0] * 0 + nuclear_norm(gaussians(*shape))
    )


@pytest.mark.parametrize(
    ("values", "tolerance"),
    [
        (torch.ones(5), 1e-14),
        (torch.logspace(0, -3, 64), 1e-13),
        (torch.logspace(0, -12, 64), 2e-7),
        (torch.cat([torch.ones(1), torch.full((63,), 1e-8)]), 1e-6),
    ],
    ids=["rank 5", "condition 1e3", "condition 1e12", "63 values 1e-8"],
)
def test_nuclear_norms_and_polar_factors_of_bad_matrices(values, tolerance):
    values = values.double()
    for m, n in ((64, 64), (64, 90), (200, 64)):
        x = with_values(values, m, n)
        total = values.sum()
        error = (nuclear_norm(x) - total).abs()
        assert error <= tolerance * total
        assert error <= 1.5 * min(m, n) * math.sqrt(max(m, n) * 2.3e-16)  # what the docstring states
        o = GramPolar()(x)
        a, b = GramPolar().factors(64)
        assert share(x, o) >= a
        assert length(o) <= b + 1e-14
        seen = torch.linalg.svdvals(o)
        assert ((seen - 1).abs().lt(1e-13) | seen.lt(1e-13)).all()
        assert (seen > 0.5).sum() == (values > 1e-6).sum()


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("scale", [1e-300, 1.0, 1e300])
def test_spectral_norms(shape, scale):
    x = scale * gaussians(2, 3, *shape)
    found = spectral_norm(x)
    assert found.shape == (2, 3)
    assert found.dtype == torch.float64
    torch.testing.assert_close(found, Spectral(*shape).norm(x.flatten(-2)), rtol=1e-14, atol=0)
    torch.testing.assert_close(spectral_norm(x[1, 2]), found[1, 2], rtol=1e-14, atol=0)


@pytest.mark.parametrize(
    "values",
    [torch.ones(5), torch.logspace(0, -12, 64), torch.cat([torch.ones(1), torch.full((63,), 1e-8)])],
    ids=["rank 5", "condition 1e12", "63 values 1e-8"],
)
def test_spectral_norms_of_bad_matrices_are_right_to_what_is_stated(values):
    for m, n in ((64, 64), (64, 90), (200, 64)):
        x = 3.0 * with_values(values.double(), m, n)
        assert (spectral_norm(x) - 3.0).abs() <= 3.0 * max(m, n) * 2.3e-16


def test_spectral_norms_of_other_types_and_undefined_matrices():
    x = gaussians(4, 4, 5)
    x[0, 0, 0], x[1, 1, 1], x[2] = math.nan, -math.inf, 0.0
    x[0, 1, 1] = math.inf
    found = spectral_norm(x)
    assert found[0].isnan()
    assert found[1] == math.inf
    assert found[2] == 0
    assert torch.equal(found[3], spectral_norm(x[3:])[0])
    assert spectral_norm(torch.full((1, 1), -2.5)) == 2.5
    assert spectral_norm(x[:0]).shape == (0,)
    half = gaussians(4, 5).bfloat16()
    torch.testing.assert_close(spectral_norm(half), torch.linalg.matrix_norm(half.double(), 2))


@pytest.mark.parametrize("x", [torch.ones(3), torch.ones(2, 2, dtype=torch.int64), torch.ones(0, 3)], ids=str)
@pytest.mark.parametrize("norm", [nuclear_norm, spectral_norm])
def test_norms_of_what_is_no_matrix(norm, x):
    with pytest.raises(ValueError, match="x must"):
        norm(x)


def test_the_two_polar_factors_agree():
    for m, n in ((64, 64), (40, 100), (100, 40)):
        x = gaussians(3, m, n)
        torch.testing.assert_close(GramPolar()(x), Exact()(x), rtol=0, atol=1e-9)
        torch.testing.assert_close(GramPolar()(x.float()), Exact()(x).float(), rtol=0, atol=1e-3)


def test_nuclear_norms_of_other_types_and_undefined_matrices():
    x = gaussians(3, 4, 5)
    x[0, 0, 0], x[1, 1, 1] = math.nan, -math.inf
    norms = nuclear_norm(x)
    assert norms[0].isnan()
    assert norms[1] == math.inf
    assert norms[2].item() == pytest.approx(torch.linalg.svdvals(x[2]).sum().item(), rel=1e-13)
    assert nuclear_norm(torch.zeros(2, 3)) == 0
    half = gaussians(4, 5).bfloat16()
    assert nuclear_norm(half).dtype == torch.float64
    torch.testing.assert_close(nuclear_norm(half), torch.linalg.svdvals(half.double()).sum())


def test_matrices_of_a_shape_go_together():
    matrices = [gaussians(*s, seed=i) for i, s in enumerate([(3, 4), (2, 2), (3, 4), (4, 3), (2, 2)])]
    matrices.append(matrices[0].float())
    calls = []

    def counted(x: Tensor) -> Tensor:
        calls.append(tuple(x.shape))
        return nuclear_norm(x)

    found = by_shape(counted, matrices)
    assert calls == [(2, 3, 4), (2, 2, 2), (1, 4, 3), (1, 3, 4)]
    for x, norm in zip(matrices, found, strict=True):
        torch.testing.assert_close(norm, torch.linalg.svdvals(x.double()).sum(), rtol=1e-12, atol=0)
    assert by_shape(counted, []) == []
    factors = by_shape(NewtonSchulz(), matrices)
    assert [f.shape for f in factors] == [x.shape for x in matrices]


# -- arguments ------------------------------------------------------------------------------------


@pytest.mark.parametrize("orthogonaliser", ALL, ids=repr)
def test_they_print_as_the_call_that_makes_them(orthogonaliser):
    assert parse_specification(repr(orthogonaliser), CLASSES) == orthogonaliser


def test_a_precision_is_kept_by_its_name():
    assert NewtonSchulz(dtype=torch.bfloat16) == NewtonSchulz(dtype="bfloat16")
    assert repr(NewtonSchulz(dtype=torch.bfloat16)) == "NewtonSchulz(dtype='bfloat16')"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: NewtonSchulz(steps=0), "steps must be an integer >= 1, got 0"),
        (lambda: NewtonSchulz(steps=True), "steps must be an integer >= 1"),
        (lambda: NewtonSchulz(kind="septic"), "kind must be one of quintic, cubic, order5, got 'septic'"),
        (lambda: NewtonSchulz(dtype="int8"), "dtype must be None or one of float64"),
        (lambda: NewtonSchulz(eps=-1e-7), "eps must be finite and >= 0"),
        (lambda: NewtonSchulz(eps=math.nan), "eps must be finite and >= 0"),
        (lambda: PolarExpress(safety=1.03), "safety must be 1.01 or 1.02, got 1.03"),
        (lambda: PolarExpress(steps=6, safety=1.02), "steps must be <= 5 for the safety 1.02, got 6"),
        (lambda: PolarExpress(divisor=0.99), "divisor must be >= 1"),
        (lambda: Rescaled(1.2, 0.7), "low must be <= high"),
        (lambda: Rescaled(-0.1, 0.7), "low must be finite and >= 0"),
        (lambda: Rescaled(0.0, math.inf), "high must be finite and > 0"),
    ],
)
def test_wrong_parameters(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("orthogonaliser", ALL, ids=repr)
@pytest.mark.parametrize(
    "x", [torch.ones(3), torch.ones(2, 2, dtype=torch.int64), torch.ones(0, 3), "x"], ids=str
)
def test_wrong_matrices(orthogonaliser, x):
    with pytest.raises(ValueError, match="x must"):
        orthogonaliser(x)
