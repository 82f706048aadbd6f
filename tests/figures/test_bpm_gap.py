"""BPM: its bounds stand, are reached step by step, and the end comes when it must."""

import numpy as np
import pytest

from figures import Numbers
from figures.recipes.bpm_gap import SHARES, BPMGap
from tests.figures.computed import computed

SEEDS = (0, 3)


def numbers(seed: int) -> Numbers:
    return computed(BPMGap, seed)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("i", range(len(SHARES)))
def test_what_is_measured_never_exceeds_its_bound(seed, i):
    for name in ("gap", "dist_sq"):
        measured, bound = numbers(seed)[f"{name}_{i}"], numbers(seed)[f"{name}_bound_{i}"]
        said = ~np.isnan(bound)
        assert said.sum() >= 2
        assert (measured[said] <= bound[said] + 1e-12).all()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("i", range(len(SHARES)))
def test_the_gap_is_zero_when_theory_promises_it(seed, i):
    gap, end = numbers(seed)[f"gap_{i}"], numbers(seed)["ends"][i]
    assert gap[0] == pytest.approx(1)
    assert gap[int(end) :].max() <= 1e-12
    assert gap[1] > 0


def test_the_promised_end_is_one_over_the_squared_share():
    assert numbers(0)["ends"].tolist() == [100, 25, 7]


@pytest.mark.parametrize("i", range(len(SHARES)))
def test_each_step_gains_the_squared_radius(i):
    dist_sq = np.r_[1.0, numbers(0)[f"dist_sq_{i}"]]
    dist_sq = dist_sq[~np.isnan(dist_sq)]
    assert len(dist_sq) >= 3
    assert (dist_sq[:-1] - dist_sq[1:] >= SHARES[i] ** 2 - 1e-12).all()


def test_the_seed_chooses_the_problem():
    assert numbers(0).facts["problem"] != numbers(3).facts["problem"]
    again = BPMGap().compute(seed=0)
    assert all(np.array_equal(again[n], numbers(0)[n], equal_nan=True) for n in again.tables)
