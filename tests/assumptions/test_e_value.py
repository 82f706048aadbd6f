import math

import pytest
import torch
from torch import Tensor

from assumptions.moments.e_value import STAKES, log_bets, log_e_value
from assumptions.moments.tail_index import hill


def uniform(n: int, seed: int) -> Tensor:
    return torch.rand(n, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("tail", [0.8, 1.5, 3.0])
def test_the_tail_index_of_a_power(tail: float):
    seen = hill((1 - uniform(100_000, seed=1)) ** (-1 / tail))
    assert seen.largest == 316
    assert seen.hill == pytest.approx(tail, rel=3 / math.sqrt(316))
    assert seen.limit == pytest.approx(seen.hill * (1 + 3 / math.sqrt(316)))


def test_no_tail_is_seen_where_there_is_none():
    assert hill(torch.ones(10_000, dtype=torch.float64)).hill == math.inf
    assert hill(torch.zeros(10_000, dtype=torch.float64)).limit == math.inf
    few = torch.zeros(10_000, dtype=torch.float64)
    few[:10] = 1 / uniform(10, seed=0)
    assert hill(few) == (math.inf, math.inf, 9)


def test_bets_are_fair():
    """Two outcomes X / B = 0, 2 with probability 1/2: the mean of the e-value over all sequences is 1."""
    sequences = torch.cartesian_prod(*[torch.tensor([-math.inf, math.log(2.0)], dtype=torch.float64)] * 8)
    e = log_e_value(log_bets(sequences)).exp()
    assert float(e.mean()) == pytest.approx(1, abs=1e-12)
    # slow twin, for one sequence
    x = sequences[37].exp()
    naive = sum(math.prod(1 + s * (float(v) - 1) for v in x) for s in STAKES) / len(STAKES)
    assert float(e[37]) == pytest.approx(naive, rel=1e-12)
    halves = log_bets(sequences[:, :3]) + log_bets(sequences[:, 3:])
    assert torch.allclose(halves.exp(), log_bets(sequences).exp(), rtol=1e-12)


def test_a_true_claim_is_refuted_less_often_than_promised():
    """Markov's inequality, at a level that can be seen: P(e >= 20) <= 1/20, for X / B exponential."""
    sums = -(1 - uniform(400_000, seed=2)).log().reshape(2000, 200)
    share = float((log_e_value(log_bets(sums.log())) >= math.log(20)).double().mean())
    assert 0 < share <= 0.05
    false = float((log_e_value(log_bets((1.5 * sums).log())) >= math.log(20)).double().mean())
    assert false > 0.9
