"""Fronts of pairs (L0, L1): exact vertices, the local radius, the rules."""

import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from assumptions.l0l1.front import (
    Front,
    grid_front,
    last_level,
    local_front,
    outside,
    polyhedral_front,
    violations,
)
from assumptions.l0l1.lines import Lines


def column(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def least(q: Tensor, s: Tensor, r: Tensor | None, L1: float) -> float:
    """The front straight from its definition."""
    needed = s - L1 * q
    if r is not None and L1 > 0:
        needed = torch.where(r <= 1 / L1, needed, 0.0)
    return max(float(needed.max()), 0.0)


def samples(seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Up to 40 samples over many decades, some with q = 0, some with equal ratios s / q."""
    generator = torch.Generator().manual_seed(seed)
    n = 1 + seed % 40
    decades = (seed % 5) * torch.randn(3, n, dtype=torch.float64, generator=generator)
    q, s, r = 10**decades
    if seed % 3 == 1:
        q[::3] = 0.0
    if seed % 3 == 2:
        s = q * (1 + 1e-15 * torch.randn(n, dtype=torch.float64, generator=generator))
    return q, s, r


def levels(front: Front) -> list[float]:
    """The vertices, between them, and beyond."""
    at = [L1 for _, L1 in front.vertices]
    between = [a + (b - a) / 3 for a, b in pairwise(at)]
    return [*at, *between, 2 * at[-1] + 1, *torch.logspace(-9, 9, 37, dtype=torch.float64).tolist()]


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("local", [False, True], ids=["all", "local"])
def test_the_front_is_its_definition(seed: int, local: bool):
    q, s, r = samples(seed)
    front = local_front(q, s, r) if local else polyhedral_front(q, s)
    jumps = last_level(r).tolist() if local else []
    extra = jumps + [math.nextafter(jump, math.inf) for jump in jumps]
    for L1 in levels(front) + extra:
        assert front.L0_at(L1) == pytest.approx(
            least(q, s, r if local else None, L1), abs=1e-12 * float(s.max())
        )
    for L0, L1 in front.vertices:
        assert least(q, s, r if local else None, L1) == L0
        assert front.contains(L0, L1)
        assert L0 == 0 or not front.contains(math.nextafter(L0, 0.0), L1)


def many(kind: str, n: int) -> tuple[Tensor, Tensor, Tensor]:
    """Samples of s^4/4 that nearly all lie on a front, and samples that are all alike."""
    x = torch.linspace(0.01, 10, n, dtype=torch.float64)
    zero, one = torch.zeros_like(x), torch.ones_like(x)
    return {
        "from 0": (zero, x**2, x),
        "from 0.01": (1e-6 * one, (x**3 - 1e-6) / (x - 0.01 + 1e-9), x),
        "axis": (x**3, 3 * x**2, 1 / x),
        "curvature": (x**3, 3 * x**2, 1e-300 * one),
        "equal": (one, one, one),
        "nearly equal": (x, x * (1 + 1e-15 * torch.sin(1e3 * x)), one),
    }[kind]


@pytest.mark.parametrize("kind", ["from 0", "from 0.01", "axis", "curvature", "equal", "nearly equal"])
@pytest.mark.parametrize("local", [False, True], ids=["all", "local"])
def test_the_front_of_many_samples_is_its_definition(kind: str, local: bool):
    q, s, r = many(kind, 600)
    front = local_front(q, s, r) if local else polyhedral_front(q, s)
    for L0, L1 in front.vertices:
        assert least(q, s, r if local else None, L1) == L0
    for L1 in levels(front):
        exact = least(q, s, r if local else None, L1)
        assert front.L0_at(L1) == pytest.approx(exact, abs=1e-12 * float(s.max()))


@pytest.mark.parametrize("kind", ["from 0", "axis"])
def test_the_work_grows_like_the_number_of_samples(kind: str, monkeypatch: pytest.MonkeyPatch):
    """Heights are counted; most samples are vertices, and four times as many need not 16 times the work."""
    heights, work = Lines.heights, [0]

    def counted(lines: Lines, L1: float) -> Tensor:
        work[0] += lines.q.numel()
        return heights(lines, L1)

    monkeypatch.setattr(Lines, "heights", counted)
    cost = []
    for n in (1000, 4000):
        work[0] = 0
        assert len(local_front(*many(kind, n)).vertices) > n / 2
        cost.append(work[0])
    assert cost[1] < 6 * cost[0]


def test_three_samples_by_hand():
    front = polyhedral_front(column(0.0, 1.0, 3.0), column(1.0, 4.0, 5.0))
    assert front.vertices == ((5.0, 0.0), (3.5, 0.5), (1.0, 3.0))
    assert front.q_mean == pytest.approx(4 / 3)
    assert front.L0_at(1.0) == pytest.approx(3.0)
    assert front.L0_at(99.0) == 1.0


def test_the_local_front_drops_just_after_the_radius():
    front = local_front(column(0.0, 1.0), column(2.0, 1.0), column(0.5, 0.125))
    after = math.nextafter(2.0, 3.0)
    assert front.vertices == ((2.0, 0.0), (2.0, 2.0), (0.0, after))
    assert front.L0_at(2.0) == 2.0
    assert front.pick("L0=0") == (0.0, after)
    front = local_front(column(0.0, 0.0), column(2.0, 1.0), column(0.5, 0.125))
    assert front.L0_at(2.0) == 2.0
    assert front.L0_at(after) == 1.0
    assert front.L0_at(8.0) == 1.0
    assert front.L0_at(8.1) == 0.0


@pytest.mark.parametrize("r", [0.1, 0.3, 1.0, 3.0, 7.7e-9, 1e12])
def test_the_last_level_is_the_last_one(r: float):
    level = float(last_level(column(r)))
    assert r <= 1 / level
    assert not r <= 1 / math.nextafter(level, math.inf)


@pytest.mark.parametrize("seed", range(5, 15))
def test_mean_is_the_best_of_all_allowed_pairs(seed: int):
    q, s, r = samples(seed)
    for front in (polyhedral_front(q, s), local_front(q, s, r)):
        L0, L1 = front.pick("mean")
        cost = L0 + L1 * front.q_mean
        for other in levels(front):
            assert cost <= (front.L0_at(other) + other * front.q_mean) * (1 + 1e-12)


def test_rules():
    front = polyhedral_front(column(1.0, 2.0), column(3.0, 4.0))
    assert front.pick("L1=0") == (4.0, 0.0)
    assert front.pick("L0=0") == (0.0, 3.0)
    assert front.pick("mean") == (2.0, 1.0)
    assert polyhedral_front(column(0.0), column(1.0)).pick("L0=0") == (0.0, math.inf)
    with pytest.raises(ValueError, match="rule must be one of mean, L1=0, L0=0, got 'best'"):
        front.pick("best")  # pyright: ignore[reportArgumentType]


def test_a_grid_front_is_exact_on_the_grid_and_above_between():
    s, r = column(1.0, 5.0, 2.0), column(3.0, 0.1, 1.0)

    def needed(L1: float) -> Tensor:
        return s * (-L1 * r).exp() - L1

    front = grid_front(needed, column(1.0, 1.0, 1.0), 1e-3, 5.0)
    for L0, L1 in front.vertices:
        assert max(float(needed(L1).max()), 0.0) == L0
    for L1 in torch.linspace(0, 5, 100, dtype=torch.float64).tolist():
        exact = max(float(needed(L1).max()), 0.0)
        assert exact - 1e-14 <= front.L0_at(L1) <= exact + 0.01
    assert front.vertices[-1][0] == 0


def test_violations_count_what_is_outside():
    q, s = column(0.0, 1.0, 2.0, 3.0), column(1.0, 2.0, 4.0, 4.0)
    assert violations(q, s, 1.0, 1.0) == 0.25
    assert violations(q, s, 1.0, 1.0, error=1.0) == 0.0
    assert violations(q, s, 0.0, 0.0) == 1.0
    assert violations(q, column(1.0, math.nan, 3.0, 4.0), 1.0, 1.0) == 0.25
    assert math.isnan(outside(column(), 1.0))


def test_no_samples_and_broken_samples():
    assert polyhedral_front(column(), column()).vertices == ((0.0, 0.0),)
    assert polyhedral_front(column(), column()).pick() == (0.0, 0.0)
    for broken in (math.nan, math.inf):
        front = local_front(column(1.0, 1.0), column(broken, 1.0), column(1.0, 1.0))
        assert math.isnan(front.pick("L0=0")[1])
        assert not front.contains(1e300, 1e300)


@pytest.mark.parametrize(
    "vertices", [(), ((1.0, 0.5),), ((1.0, 0.0), (0.5, 0.0)), ((1.0, 0.0), (0.5, math.nan))]
)
def test_wrong_vertices(vertices: tuple):
    with pytest.raises(ValueError, match="vertices must be pairs"):
        Front(vertices, 1.0)


def test_wrong_pairs():
    front = polyhedral_front(column(1.0), column(1.0))
    with pytest.raises(ValueError, match=r"L1 must be finite and >= 0, got -1\.0"):
        front.L0_at(-1.0)
    with pytest.raises(ValueError, match="L0 must be finite and >= 0, got inf"):
        front.contains(math.inf, 1.0)
