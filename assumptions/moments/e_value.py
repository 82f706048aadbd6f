"""Evidence from samples: an e-value against a claimed mean."""

import math

import torch
from torch import Tensor

LOG_REFUTED = math.log(1e6)
"""An e-value of 10^6 or more refutes: a true claim gets there with probability at most 10^-6."""
STAKES = tuple(2.0**-k for k in range(16))
"""The grid of lambda."""


def log_bets(log_ratio: Tensor) -> Tensor:
    """log prod_i (1 + lambda (X_i / B - 1)) for every lambda of ``STAKES``: (*batch, n) -> (*batch, 16).

    log_ratio: log(X_i / B), -inf where X_i = 0: in logs nothing overflows. The bets of further samples are
    added. If the X_i >= 0 are independent with mean <= B, each factor is >= 0 and has mean <= 1, and so has
    the product.
    """
    stakes = log_ratio.new_tensor(STAKES)
    lost, won = (1 - stakes).log(), stakes.log()
    return torch.logaddexp(lost, log_ratio.unsqueeze(-1) + won).sum(dim=-2)


def log_e_value(bets: Tensor) -> Tensor:
    """log of the mean over lambda of the products: (*batch, 16) -> (*batch,).

    A mean of e-values is one: under the claim, P(e >= c) <= 1/c (Markov's inequality).
    """
    return torch.logsumexp(bets, dim=-1) - math.log(bets.shape[-1])
