"""Evidence against a claimed mean: a process of bets that any number of replicates may continue."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from assumptions.moments.e_value import LOG_REFUTED, log_bets, log_e_value

LOWER_LEVEL = 0.05
"""The lower limit of mean / bound is wrong with probability at most this, whenever one looks."""

BISECTIONS = 40


@dataclass(frozen=True)
class Process:
    """Ratios X_i / B of nonnegative X_i, (n,): under the claim independent with mean at most 1.

    Valid for any distribution, heavy tails too, and any number of ratios, chosen while looking. cv: the
    coefficient of variation that a ratio has if the claim is just true, where it is known without looking.
    """

    ratios: Tensor
    cv: float | None = None

    @property
    def log_e(self) -> float:
        """log of the e-value: the mean over lambda of prod_i (1 + lambda (X_i / B - 1)); 0 without ratios."""
        if bool((self.ratios == torch.inf).any()):
            return math.inf
        return float(log_e_value(log_bets(self.ratios.log()))) if len(self.ratios) else 0.0

    @property
    def refutes(self) -> bool:
        """True if the e-value has reached 10^6."""
        return self.log_e >= LOG_REFUTED

    @property
    def mean(self) -> float:
        """Average ratio: an estimate of mean / bound."""
        return float(self.ratios.mean())

    @property
    def spread(self) -> float:
        """Standard deviation of a ratio; nan for fewer than two."""
        return float(self.ratios.std()) if len(self.ratios) > 1 else math.nan

    @property
    def standard_error(self) -> float:
        """Of ``mean``."""
        return self.spread / math.sqrt(len(self.ratios))

    @property
    def detectable(self) -> float:
        """The factor c by which the mean could exceed the bound and be refuted with this many ratios."""
        own = self.spread / self.mean if self.mean > 0 else math.inf
        return detectable(len(self.ratios), own if self.cv is None else self.cv)

    @property
    def lower(self) -> float:
        """Anytime-valid lower limit of mean / bound: the largest m at which "mean <= m" is rejected."""
        if not len(self.ratios) or not self.mean > 0:
            return 0.0
        limit = math.log(1 / LOWER_LEVEL)
        if self.mean == math.inf:
            return math.inf
        low, high = math.log(self.mean) - 50, math.log(self.mean)
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            rejected = float(log_e_value(log_bets(self.ratios.log() - middle))) >= limit
            low, high = (middle, high) if rejected else (low, middle)
        return math.exp(low)


def detectable(n: int, cv: float) -> float:
    """About the smallest true ratio c that n replicates refute, for a coefficient of variation ``cv``.

    Solves n = 2 log(10^6) (1 + (cv c / (c - 1))^2) for c; inf where no c > 1 does.
    """
    left = n / (2 * LOG_REFUTED) - 1
    if not left > 0 or math.isnan(cv):
        return math.inf
    share = math.sqrt(left)
    return share / (share - cv) if share > cv else math.inf


def needed(c: float, cv: float) -> float:
    """About how many replicates refute a true ratio c > 1: 2 log(10^6) (1 + (cv c / (c - 1))^2)."""
    return 2 * LOG_REFUTED * (1 + (cv * c / (c - 1)) ** 2)


def ratios_of(measured: Tensor, bound: Tensor, tolerance: Tensor) -> Tensor:
    """(measured - tolerance)_+ / bound: what rounding can have added counts for the claim. Shapes (*batch,).

    inf where a bound of 0 or less is exceeded, or what is measured is nan: it is not finite with a
    probability > 0. 0 where the numbers are too large or small to tell.
    """
    left = (measured - tolerance.nan_to_num(nan=0.0)).clamp(min=0).nan_to_num(nan=0.0)
    beyond = (bound <= 0) & ((left > 0) | (bound < -tolerance))
    ratio = torch.where((left > 0) & (measured > 0) & (bound > 0), left / bound, 0.0).nan_to_num(nan=0.0)
    ratio = torch.where(measured.isnan() | beyond, torch.inf, ratio)
    return torch.where(tolerance == torch.inf, 0.0, ratio)
