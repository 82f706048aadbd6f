"""Judge a claim about a rate: slopes over horizons, of what is measured and of the bound."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from workbench.engine import BLOCK
from workbench.match import Case
from workbench.verify.budget import Budget
from workbench.verify.certificates import bad_facts
from workbench.verify.outcome import Outcome
from workbench.verify.replicates import replicated
from workbench.verify.setting import set_up
from workbench.verify.verdicts import Verdict

HORIZONS = 9
"""Horizons, geometrically spaced over the last two decades of the budget."""
FEWEST = 5
"""Horizons at which something must be measured beyond rounding."""
RESAMPLES, CONFIDENCE = 400, 0.99
"""Bootstrap over replicates, and the share of slopes between the limits that are told."""
OWN = 0.5
"""A bound whose slope is above the claimed one by more than this does not say what is claimed."""
MARGIN = 0.1
"""A slope within this of the claimed one is no evidence against it."""


class Points(NamedTuple):
    """What replicates measured, (replicates, horizons), its rounding and the bound, (horizons,)."""

    horizons: Tensor
    measured: Tensor
    tolerance: Tensor
    bound: Tensor


class Slopes(NamedTuple):
    """Of the mean, with limits; of the bound; of both halves; share: measured / bound at the last horizon."""

    whole: float
    low: float
    high: float
    bound: float
    first: float
    second: float
    second_low: float
    bound_first: float
    bound_second: float
    share: float


def judge_slope(case: Case, budget: Budget, seed: int) -> Outcome:
    """``consistent``, ``inconsistent`` or ``inconclusive``: no finite slope refutes an O()."""
    horizons = sorted(
        {max(1, round(budget.steps * 100 ** (i / (HORIZONS - 1) - 1))) for i in range(HORIZONS)}
    )
    rows = max(BLOCK, min(budget.replicates, 8 * BLOCK))
    points, bad = _points(case, horizons, rows, seed)
    common = {"replicates": rows, "steps": budget.steps, "bad_certificate": bad}
    y = points.measured.mean(0)
    seen = (y > 100 * points.tolerance) & (points.bound > 0) & y.isfinite()
    if int(seen.sum()) < FEWEST:
        told = (
            Verdict.INCONCLUSIVE,
            f"measured beyond rounding at {int(seen.sum())} horizons of {len(seen)} only",
        )
        return Outcome(found=told, checked=int(seen.sum()), **common)
    slopes = measure_slopes(Points(*(t[..., seen] for t in points)))
    return Outcome(
        checked=int(seen.sum()),
        found=_verdict(float(case.theorem.exponent or 0), slopes, points.horizons[seen]),
        statistics=slopes._asdict(),
        **common,
    )


def _verdict(exponent: float, s: Slopes, horizons: Tensor) -> tuple[Verdict, str]:
    """The mean must fall at least as fast as claimed, or as the bound does over these horizons.

    What happens late decides: a mean that stays where the bound falls, and is above it, is inconsistent with
    it there. Below the bound it may stay for a while.
    """
    limit = max(exponent, s.bound) + MARGIN
    first, half, last = (int(horizons[i]) for i in (0, len(horizons) // 2, -1))
    shown = f"slope {s.whole:.3f} ({s.low:.3f}, {s.high:.3f}), halves {s.first:.3f} and {s.second:.3f}; "
    shown += f"of the bound {s.bound:.3f}, claimed {exponent:g}"
    if s.bound_second > exponent + OWN:
        own = f"the bound itself falls like K^{s.bound_second:.2f}"
        if abs(s.bound_second - s.bound_first) > MARGIN:  # not straight yet
            return (
                Verdict.INCONCLUSIVE,
                f"undecided on [{first}, {last}]: {own} so far, longer runs decide; {shown}",
            )
        return Verdict.INCONSISTENT, f"inconsistent on [{half}, {last}]: {own}; {shown}"
    if s.second_low > limit and not s.share > 1:
        below = f"the mean is {s.share:.2g} of the bound at {last}, longer runs decide"
        return Verdict.INCONCLUSIVE, f"undecided on [{first}, {last}]: {below}; {shown}"
    if s.second_low > limit:
        return Verdict.INCONSISTENT, f"inconsistent on [{half}, {last}]: {shown}"
    if s.high <= limit or s.second <= limit:
        return Verdict.CONSISTENT, f"consistent on [{first}, {last}]: {shown}"
    return Verdict.INCONCLUSIVE, f"undecided on [{first}, {last}]: {shown}"


def measure_slopes(points: Points) -> Slopes:
    """Least squares in log-log coordinates; limits by a bootstrap over replicates."""
    x, rows = points.horizons.log(), points.measured.shape[0]
    half = (len(x) + 1) // 2
    picks = torch.randint(rows, (RESAMPLES, rows), generator=torch.Generator().manual_seed(0))
    again = points.measured[picks].mean(1)
    many, late = _slope(x, again.log()), _slope(x[-half:], again[:, -half:].log())
    y, tail = points.measured.mean(0).log(), (1 - CONFIDENCE) / 2
    limits = many.nan_to_num(nan=math.inf).quantile(torch.tensor([tail, 1 - tail], dtype=x.dtype))
    return Slopes(
        whole=float(_slope(x, y)),
        low=float(limits[0]),
        high=float(limits[1]),
        bound=float(_slope(x, points.bound.log())),
        first=float(_slope(x[:half], y[:half])),
        second=float(_slope(x[-half:], y[-half:])),
        second_low=float(late.nan_to_num(nan=-math.inf).quantile(tail)),
        bound_first=float(_slope(x[:half], points.bound[:half].log())),
        bound_second=float(_slope(x[-half:], points.bound[-half:].log())),
        share=float(y[-1].exp() / points.bound[-1]),
    )


def _slope(x: Tensor, y: Tensor) -> Tensor:
    """x: (n,); y: (*batch, n). Returns (*batch,)."""
    centred = x - x.mean()
    return (y * centred).sum(-1) / centred.square().sum()


def _points(case: Case, horizons: list[int], rows: int, seed: int) -> tuple[Points, str]:
    """One run per horizon if anything depends on it, else one run read at all of them."""
    runs = [(h, [h]) for h in horizons] if case.horizon_only else [(horizons[-1], horizons)]
    parts, bad = [], ""
    for steps, read_at in runs:
        setting = set_up(case, case.problem.x0[None], steps)
        blocks = [replicated(setting, first, BLOCK, seed) for first in range(0, rows, BLOCK)]
        comparisons = [block.comparison for block in blocks]
        bad = bad or bad_facts(case, blocks[0].numbers, comparisons[0].excess)
        measured = torch.cat([c.measured[:, read_at] for c in comparisons])
        tolerance = torch.cat([c.tolerance[:, read_at] for c in comparisons]).mean(0)
        parts.append((measured, tolerance, comparisons[0].bound[0, read_at]))
    joined = (torch.cat([p[i] for p in parts], -1) for i in range(3))
    return Points(torch.tensor(horizons, dtype=torch.float64), *joined), bad
