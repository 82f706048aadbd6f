"""Bounds of a moment of the noise of gradients: exact where the outcomes can be listed, else by draws."""

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from assumptions.base import Check, Function, Sides
from assumptions.guards import require_dimension, require_seed
from assumptions.inequality import Inequality
from assumptions.moments.e_value import LOG_REFUTED, STAKES, log_bets, log_e_value
from assumptions.moments.noise_law import draw_lengths, exact_moment, floats_of_draw, is_drawn, is_sum
from assumptions.moments.tail_index import Tail, hill
from assumptions.norms import Lp
from assumptions.region import EVERYWHERE, Region
from assumptions.rounding import ROUNDINGS
from assumptions.sampling import in_domain, sample_points

DRAWS = 2**15
"""Draws of a check, shared by its points."""
FEWEST = 64
"""Draws for each point, at least."""
MORE = 16
"""A search makes this many draws for each evaluation that its budget allows, ..."""
MOST = 2**26
"""... but in large dimension no more than make this many floats, and at least one for each evaluation."""
POINTS = 8
"""Points at which a search draws."""


@dataclass(frozen=True)
class SampledCheck(Check):
    """A check by random draws. ``ratio`` compares sample moments; ``log_e_value`` alone refutes.

    points: of x; draws: of the noise, at all points together.
    """

    draws: int
    log_e_value: float

    def __str__(self) -> str:
        """One line for people."""
        log_e = self.log_e_value / math.log(10)
        return (
            f"{self.assumption!r}: {self.verdict} on {self.draws} draws at {self.points} points, e-value "
            f"10^{log_e:.3g} (refuted from 10^6), sample ratio {self.ratio:.6g}"
        )


def lacks_noise(assumption: str, problem: Function) -> str:
    """Why an assumption on noise says nothing of a problem: it has none, nor terms; "" if it has."""
    if problem.offers("noise") or is_sum(problem):
        return ""
    return (
        f"{assumption} needs noise, or several terms with part_grads, which {problem!r} does not "
        "offer; a law added to its gradients, or f as a mean of terms, would be its noise"
    )


class MomentBound(Inequality):
    """(E |n(x)|_2^p)^(1/p) <= s for all x, n(x) the noise of the stochastic gradient at x.

    n(x) is a draw of ``noise`` where the problem has one. For a mean of several terms it is grad f_j(x) -
    grad f(x), j uniform, and the moment is exact. So is that of a noise whose ``outcomes`` can be listed.
    Otherwise the noise is drawn, and refuted only by an e-value of 10^6: sample moments wander. That
    E n(x) = 0 is not part of the claim.
    """

    arity: ClassVar[int] = 1

    @property
    @abstractmethod
    def exponent(self) -> float:
        """The exponent p."""

    @property
    @abstractmethod
    def bound(self) -> float:
        """The bound s."""

    @classmethod
    def lacking(cls, problem: Function) -> str:
        """Neither noise nor terms."""
        return lacks_noise(cls.__name__, problem)

    def sides(self, problem: Function, *points: Tensor) -> Sides:
        """The root of the exact moment at x, (*batch, d), and its bound. TypeError where it must be drawn."""
        (x,) = points
        lhs, rounding = exact_moment(problem, x, self.exponent)
        rhs = torch.full_like(lhs, self.bound)
        return Sides(lhs, rhs, rounding + ROUNDINGS * rhs)

    def check(self, problem: Function, *points: Tensor) -> Check:
        """At points x, (*batch, d). A law without listed outcomes: 2^15 draws, at least 64 for each point."""
        self.require(problem)
        if not is_drawn(problem) or len(points) != 1 or points[0].numel() == 0:
            return super().check(problem, *points)
        return self._judge(problem, points[0].reshape(-1, problem.d), DRAWS, seed=0)

    @classmethod
    def sample(
        cls, problem: Function, n: int, seed: int = 0, region: Region = EVERYWHERE
    ) -> tuple[Tensor, ...]:
        """As for every inequality; at most 8 points where noise is drawn, for they share the draws."""
        return super().sample(problem, min(n, POINTS) if is_drawn(problem) else n, seed, region)

    def refute(
        self, problem: Function, budget: int = 20_000, seed: int = 0, region: Region = EVERYWHERE
    ) -> Check:
        """Ascent on the exact moment; else up to 16 draws for each evaluation in ``budget``, at 8 points.

        ValueError if none of these lies in ``region`` and in the domain.
        """
        self.require(problem)
        if not is_drawn(problem):
            return super().refute(problem, budget, seed, region)
        require_dimension(budget=budget)
        (x,) = sample_points(problem, POINTS, 1, seed=seed, region=region)
        x = x[in_domain(problem, x, region)]
        if x.shape[0] == 0:
            raise ValueError(
                f"no point of {POINTS} sampled ones lies in {region!r} and in the domain of {problem!r}"
            )
        draws = min(MORE * budget, max(budget, MOST // floats_of_draw(problem)))
        return self._judge(problem, x, draws, seed)

    def _judge(self, problem: Function, x: Tensor, draws: int, seed: int) -> SampledCheck:
        """The e-value of draws at x, (points, d): the mean of that of all draws and those of each point."""
        p, log_bound = self.exponent, math.log(self.bound) if self.bound > 0 else -math.inf
        each = max(FEWEST, draws // x.shape[0])
        bets, sums = x.new_zeros(x.shape[0], len(STAKES)), x.new_full(x.shape[:1], -math.inf)
        for rows, lengths in draw_lengths(problem, x, each, seed):
            logs = lengths.log()
            # a bound of 0 is kept by noise that is 0: no bet is won or lost
            log_ratio = torch.where(logs == log_bound, 0.0, p * (logs - log_bound))
            bets[rows] += log_bets(log_ratio)
            sums[rows] = torch.logaddexp(sums[rows], torch.logsumexp(p * logs, dim=-1))
        each_log_e = log_e_value(bets)
        pooled = torch.stack(
            [log_e_value(bets.sum(dim=0)), torch.logsumexp(each_log_e, 0) - math.log(len(x))]
        )
        log_e = float(torch.logsumexp(pooled, 0) - math.log(2))
        verdict = "undefined" if math.isnan(log_e) else "refuted" if log_e >= LOG_REFUTED else "not refuted"
        worst = int(each_log_e.nan_to_num(nan=math.inf).argmax())
        root = float(((sums[worst] - math.log(each)) / p).exp())
        ratio = root / self.bound if self.bound > 0 else math.inf if root > 0 else 0.0
        return SampledCheck(self, verdict, ratio, (x[worst].clone(),), len(x), each * len(x), log_e)


def estimate_moment(problem: Function, x: Tensor, p: float, draws: int, seed: int) -> tuple[float, Tail]:
    """The largest root moment (E |n|^p)^(1/p) over points x, (*batch, d), and the tail at that point.

    Exact where the outcomes can be listed; then no tail is seen. Else of max(64, draws // points) draws
    at each point; ValueError where p is beyond the limit of the tail (see ``hill``).
    """
    if not is_drawn(problem):
        return float(exact_moment(problem, x, p)[0].max()), Tail(math.inf, math.inf, 0)
    x = x.reshape(-1, problem.d)
    each = max(FEWEST, draws // x.shape[0])
    seen, tail = -math.inf, Tail(math.inf, math.inf, 0)
    for row in x:
        parts = [lengths.squeeze(0) for _, lengths in draw_lengths(problem, row.unsqueeze(0), each, seed)]
        lengths = torch.cat(parts)
        root = float(Lp(p).norm(lengths)) / each ** (1 / p)
        if not root <= seen:
            seen, tail = root, hill(lengths)
    if not p < tail.limit:
        raise ValueError(
            f"p must be below the tail index of the noise, else sample moments do not settle: got {p:g}, "
            f"tail_seen={tail.hill:.3g} (at most {tail.limit:.3g}), {tail.largest} largest of {each} draws"
        )
    return seen, tail


def draw_options(options: dict[str, Any], *others: str) -> tuple[int, int]:
    """The options ``draws`` and ``seed``; TypeError for one that is neither these nor among ``others``."""
    unknown = sorted(set(options) - {"draws", "seed", *others})
    if unknown:
        known = ", ".join((*others, "draws", "seed"))
        raise TypeError(f"the options are {known}, got {', '.join(unknown)}")
    draws, seed = options.get("draws", DRAWS), options.get("seed", 0)
    require_dimension(draws=draws)
    require_seed(seed)
    return draws, seed
