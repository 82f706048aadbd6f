"""Ranges and factors of orthogonalisers: the published numbers, proofs against searches."""

import math

import pytest
import torch
from torch import Tensor

from workbench.orthogonal import Exact, GramPolar, NewtonSchulz, PolarExpress, Rescaled
from workbench.orthogonal.interval import image, turns

CUBIC, ORDER5 = "cubic", "order5"
TABLE = [
    (NewtonSchulz(eps=0.0), 1e-3, (0.471, 1.202)),
    (NewtonSchulz(eps=0.0), 1e-2, (0.682, 1.134)),
    (NewtonSchulz(eps=0.0), 0.03, (0.682, 1.134)),
    (NewtonSchulz(eps=0.0), 0.1, (0.682, 1.134)),
    (NewtonSchulz(steps=3, eps=0.0), 1e-3, (0.041, 1.202)),
    (NewtonSchulz(steps=3, eps=0.0), 1e-2, (0.400, 1.202)),
    (NewtonSchulz(steps=3, eps=0.0), 0.03, (0.682, 1.202)),
    (NewtonSchulz(steps=3, eps=0.0), 0.1, (0.682, 1.134)),
    (NewtonSchulz(steps=10, eps=0.0), 1e-3, (0.682, 1.134)),
    (PolarExpress(safety=1.02, eps=0.0), 1e-3, (0.847, 1.141)),
    (PolarExpress(safety=1.02, eps=0.0), 1e-2, (0.859, 1.141)),
    (PolarExpress(safety=1.02, eps=0.0), 0.1, (0.859, 1.141)),
    (PolarExpress(steps=3, divisor=1.0, eps=0.0), 1e-3, (0.130, 1.866)),
    (PolarExpress(steps=3, divisor=1.0, eps=0.0), 1e-2, (0.187, 1.866)),
    (PolarExpress(steps=3, eps=0.0), 1e-3, (0.129, 1.866)),
    (PolarExpress(steps=8, divisor=1.0, eps=0.0), 1e-3, (1.0, 1.0)),
    (NewtonSchulz(5, CUBIC, eps=0.0), 1e-3, (0.008, 1.0)),
    (NewtonSchulz(5, CUBIC, eps=0.0), 1e-2, (0.076, 1.0)),
    (NewtonSchulz(5, CUBIC, eps=0.0), 0.03, (0.225, 1.0)),
    (NewtonSchulz(5, CUBIC, eps=0.0), 0.1, (0.659, 1.0)),
    (NewtonSchulz(10, CUBIC, eps=0.0), 1e-3, (0.058, 1.0)),
    (NewtonSchulz(10, CUBIC, eps=0.0), 1e-2, (0.529, 1.0)),
    (NewtonSchulz(10, CUBIC, eps=0.0), 0.03, (0.968, 1.0)),
    (NewtonSchulz(10, CUBIC, eps=0.0), 0.1, (1.0, 1.0)),
    (NewtonSchulz(5, ORDER5, eps=0.0), 1e-3, (0.032, 1.002)),
    (NewtonSchulz(5, ORDER5, eps=0.0), 1e-2, (0.312, 1.002)),
    (NewtonSchulz(12, ORDER5, eps=0.0), 1e-3, (1.0, 1.0)),
]
POLYNOMIALS = (
    NewtonSchulz(steps=2, eps=0.0),
    NewtonSchulz(eps=0.0),
    NewtonSchulz(5, CUBIC, eps=0.0),
    PolarExpress(safety=1.02, eps=0.0),
    PolarExpress(steps=3, eps=0.0),
)


def composed(quintics, s: Tensor) -> Tensor:
    for a, b, c in quintics:
        s = a * s + b * s**3 + c * s**5
    return s


@pytest.mark.parametrize(
    ("orthogonaliser", "low", "expected"), TABLE, ids=[f"{o!r} from {low:g}" for o, low, _ in TABLE]
)
def test_published_ranges(orthogonaliser, low, expected):
    assert orthogonaliser.range_on(low) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("orthogonaliser", POLYNOMIALS, ids=repr)
@pytest.mark.parametrize("low", [0.0, 1e-3, 0.02, 0.3, 1.0])
def test_ranges_hold_and_are_attained(orthogonaliser, low):
    divide = getattr(orthogonaliser, "safety", 1.0)
    grid = torch.cat(
        [torch.linspace(low, 1, 200_001), torch.logspace(math.log10(max(low, 1e-9)), 0, 200_001)]
    ).double()
    values = composed(orthogonaliser.quintics, grid.clamp(low, 1) / divide)
    bottom, top = orthogonaliser.range_on(low)
    assert bottom <= values.min() + 1e-14
    assert values.max() <= top + 1e-14
    assert values.min() - bottom < 2e-3
    assert top - values.max() < 1e-5


def test_images_of_any_quintics_hold_and_are_attained():
    """Also polynomials that leave [0, inf), and many intervals at a time."""
    rng = torch.Generator().manual_seed(3)
    for _ in range(40):
        quintics = tuple(tuple(row) for row in torch.randn(3, 3, generator=rng, dtype=torch.float64).tolist())
        ends = torch.rand(5, 2, generator=rng, dtype=torch.float64).sort(dim=-1).values
        low, high = image(quintics, ends[:, 0], ends[:, 1])
        grid = ends[:, :1] + (ends[:, 1:] - ends[:, :1]) * torch.linspace(0, 1, 20_001, dtype=torch.float64)
        values = composed(quintics, grid)
        scale = 1 + torch.maximum(low.abs(), high.abs())
        assert (low <= values.min(dim=-1).values).all()
        assert (values.max(dim=-1).values <= high).all()
        assert ((values.min(dim=-1).values - low) / scale < 1e-4).all()
        assert ((high - values.max(dim=-1).values) / scale < 1e-4).all()


def test_turning_points():
    first, _, second, _ = turns((3.4445, -4.7750, 2.0315))
    for turn in (first, second):
        s = turn.low
        assert abs(3.4445 - 3 * 4.775 * s**2 + 5 * 2.0315 * s**4) < 1e-14
        assert turn.high - turn.low <= 4e-16
        assert 0 <= turn.value_high - turn.value_low < 1e-14
    assert (first.value_low, second.value_low) == pytest.approx((1.20237, 0.68183), abs=1e-5)
    assert turns((1.0, 1.0, 0.0)) == ()
    assert turns((1.0, 0.0, 1.0)) == ()
    assert turns((1.0, 0.0, 0.0)) == ()


# -- factors --------------------------------------------------------------------------------------


def least_share(orthogonaliser, rank: int, divide: float) -> float:
    """The smallest <M, O> / |M|_nuc found: up to three distinct singular values, any multiplicities."""
    rng = torch.Generator().manual_seed(rank)
    count = 40_000
    first = torch.randint(1, rank + 1, (count,), generator=rng)
    second = (torch.rand(count, generator=rng) * (rank - first + 1)).long()
    many = torch.stack([first, second, rank - first - second], dim=-1).double()
    values = 10 ** (-5 * torch.rand(count, 3, generator=rng, dtype=torch.float64))
    best = torch.arange(count)
    for spread in (0.0, 0.1, 0.01):  # ever closer to the best ones
        noise = torch.randn(count, 3, generator=rng, dtype=torch.float64)
        many, values = many[best], values[best] * (spread * noise).exp()
        t = values / (many * values**2).sum(dim=-1, keepdim=True).sqrt()
        t = t.clamp(max=1)  # values with multiplicity 0 may be anything
        w = composed(orthogonaliser.quintics, t / divide)
        shares = (many * t * w).sum(dim=-1) / (many * t).sum(dim=-1)
        best = shares.argsort()[:200].repeat(count // 200)
    return shares.min().item()


@pytest.mark.parametrize("rank", [2, 8, 64, 768])
@pytest.mark.parametrize("orthogonaliser", POLYNOMIALS, ids=repr)
def test_factors_withstand_a_search_and_are_nearly_tight(orthogonaliser, rank):
    divide = getattr(orthogonaliser, "safety", 1.0)
    a, b = orthogonaliser.factors(rank)
    seen = least_share(orthogonaliser, rank, divide)
    assert 0 < a <= seen
    assert a > 0.9 * seen
    assert b == orthogonaliser.range_on(0.0)[1]
    lows = [rank**-0.5 * 0.9**k for k in range(100)]
    simple = max(orthogonaliser.range_on(low)[0] * (1 - (rank - 1) * low) for low in lows)
    assert a > simple  # small singular values carry at most (rank - 1) low of the nuclear norm


def test_a_larger_a_would_be_false():
    """Eight singular values on which five quintic steps realise less than a / 0.97."""
    a, b = NewtonSchulz(eps=0.0).factors(8)
    assert least_share(NewtonSchulz(eps=0.0), 8, 1.0) < a / 0.97
    assert (a, b) == pytest.approx((0.6804, 1.2024), abs=1e-4)


@pytest.mark.parametrize("orthogonaliser", [*POLYNOMIALS, Exact(), GramPolar(), Rescaled(0.7, 1.2)], ids=repr)
@pytest.mark.parametrize("rank", [1, 2, 5])
def test_factors_hold_for_matrices(orthogonaliser, rank):
    rng = torch.Generator().manual_seed(0)
    a, b = orthogonaliser.factors(rank)
    x = torch.randn(500, rank, 7, generator=rng, dtype=torch.float64)
    decay = 10 ** (-6 * torch.rand(500, rank, 1, generator=rng, dtype=torch.float64))
    size = 10.0 ** torch.randint(-200, 200, (500, 1, 1), generator=rng).double()
    x = x * decay
    o = orthogonaliser(size * x)
    shares = (x * o).sum(dim=(-2, -1)) / torch.linalg.svdvals(x).sum(dim=-1)
    lengths = torch.linalg.svdvals(o)[:, 0]
    assert shares.min() >= a - 1e-12
    assert lengths.max() <= b + 1e-12
    if rank == 1:
        assert a == pytest.approx(b, rel=1e-10)


def test_factors_of_the_exact_ones():
    assert Exact().factors(5) == Exact().range_on(1e-9) == (1.0, 1.0)
    assert Exact().range_on(0.0) == (0.0, 1.0)
    assert Rescaled(0.7, 1.2).factors(3) == Rescaled(0.7, 1.2).range_on(0.1) == (0.7, 1.2)
    assert GramPolar().factors(101)[0] == pytest.approx(1 - 1e-4)
    x = torch.outer(torch.ones(3), torch.arange(1.0, 5.0)).double()
    o = Rescaled(0.7, 1.2)(x)
    assert (x * o).sum() / x.norm() == pytest.approx(0.7)


def test_the_published_eps_leaves_a_for_large_matrices_alone():
    faithful, free = NewtonSchulz(), NewtonSchulz(eps=0.0)
    assert faithful.factors(4) == (0.0, free.factors(4)[1])
    assert faithful.range_on(0.5)[0] == 0.0
    assert faithful.factors(4, least=math.inf) == free.factors(4)
    a = faithful.factors(4, least=1e-6)[0]
    assert 0.5 < a <= free.factors(4)[0]
    x = torch.randn(400, 4, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    x = 1e-6 * x / x.norm(dim=(-2, -1), keepdim=True)
    shares = (x * faithful(x)).sum(dim=(-2, -1)) / torch.linalg.svdvals(x).sum(dim=-1)
    assert shares.min() >= a
    one = torch.full((1, 1), 1e-6, dtype=torch.float64)
    assert faithful.factors(1, least=1e-6)[0] <= faithful(one).item() <= faithful.factors(1, least=1e-6)[1]


def test_more_steps_of_the_quintic_do_not_converge_and_others_do():
    for steps in (5, 10, 40):
        assert NewtonSchulz(steps, eps=0.0).range_on(0.1) == pytest.approx((0.6818, 1.1344), abs=2e-4)
    for kind in (CUBIC, ORDER5):
        assert NewtonSchulz(40, kind, eps=0.0).range_on(1e-3) == pytest.approx((1.0, 1.0), abs=1e-12)


@pytest.mark.parametrize("orthogonaliser", [*POLYNOMIALS, Exact(), GramPolar(), Rescaled(1, 1)], ids=repr)
def test_wrong_arguments(orthogonaliser):
    for low in (-0.1, 1.1, math.nan):
        with pytest.raises(ValueError, match=r"low must be in \[0, 1\]"):
            orthogonaliser.range_on(low)
    with pytest.raises(ValueError, match="least must be >= 0"):
        orthogonaliser.factors(3, least=-1.0)
    with pytest.raises(ValueError, match="rank must be an integer >= 1"):
        orthogonaliser.factors(0)
