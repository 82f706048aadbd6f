"""Small means of absolute values, and points and terms drawn for them."""

from typing import Any

import pytest
import torch
from torch import Tensor

from problems.abs_sum import AbsSum

CURVED = AbsSum(
    ((1.0, 0.5), (0.5, -1.0), (-1.0, 0.25), (0.0, 1.0)),
    (0.5, -0.25, 1.0, 0.0),
    mu=0.5,
    residuals=(0.0, 0.0, 2.0, 0.0),
    center=(1.0, -1.0),
)
FLAT = AbsSum(
    ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (1.0, 1.0, 1.0), (1.0, -1.0, 0.0)),
    (-0.5, -0.5, -0.5, 0.5, 0.0),
    mu=0.0,
)
PARALLEL = AbsSum(((1.0, 0.0), (1.0, 0.0), (0.0, 1.0), (0.0, 2.0)), (0.5, -0.5, 1.0, -0.5), mu=0.0)
OPEN = AbsSum(((1.0,), (1.0,)), (1.0, -1.0), mu=0.0, residuals=(1.0, -1.0))
MEMBERS = (CURVED, FLAT, PARALLEL, OPEN, AbsSum.sample(0), AbsSum.sample(1))
members = pytest.mark.parametrize("problem", MEMBERS, ids=repr)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def indices(n: int, *shape: int, seed: int = 0) -> Tensor:
    return torch.randint(n, shape, generator=torch.Generator().manual_seed(seed))


def tensor(values: Any) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)
