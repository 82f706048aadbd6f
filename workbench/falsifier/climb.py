"""Worse starts for a claim about runs: gradient ascent on log(measured / bound) through the run."""

import torch
from torch import Tensor

from workbench.draws import DrawStream
from workbench.expressions import Evaluator
from workbench.match import Case
from workbench.measure import read_walk
from workbench.verify.claim import asked_where
from workbench.verify.environment import named
from workbench.verify.reading import read_all
from workbench.verify.setting import set_up
from workbench.verify.states import shaped
from workbench.walk import walk

FIRST, GROWTH, SHRINK = 0.1, 1.6, 0.3
"""The first move, relative to the start's distance, and how it changes where a move helped or did not."""


def climbed_starts(case: Case, x0: Tensor, horizon: int, seed: int, steps: int) -> Tensor:
    """Starts, (batch, d), at which the claim is at least as tight; each keeps the best that it has seen.

    Where autograd cannot follow a run, its start stays as it is.
    """
    centre = case.problem.x_star if case.problem.offers("x_star") else torch.zeros_like(x0[0])  # pyright: ignore[reportAttributeAccessIssue]
    best, slope = _uphill(case, x0, horizon, seed)
    move = torch.full_like(x0[:, :1], FIRST)
    for _ in range(steps):
        length = slope.norm(dim=-1, keepdim=True)
        if not bool((length > 0).any()):
            break
        size = (x0 - centre).norm(dim=-1, keepdim=True).clamp(min=1e-12)
        trial = x0 + torch.where(length > 0, move * size / length.clamp(min=1e-300), 0.0) * slope
        found, uphill = _uphill(case, trial, horizon, seed)
        better = (found > best)[:, None]
        x0, slope = torch.where(better, trial, x0), torch.where(better, uphill, slope)
        best = torch.maximum(best, found)
        move = torch.where(better, move * GROWTH, move * SHRINK)
    return x0


def _uphill(case: Case, x0: Tensor, horizon: int, seed: int) -> tuple[Tensor, Tensor]:
    """The largest log(measured / bound) over k of each run, -inf where nothing is asked, and its gradient."""
    x = x0.detach().clone().requires_grad_()
    with torch.enable_grad():
        setting = set_up(case, x, horizon)
        method, tables = setting.methods()[0]
        changing = shaped(tables)
        stream = DrawStream(seed, range(len(x)), method.draws(case.problem), "cpu")
        walked = walk(method, case.problem, setting.x0, horizon, stream, changing)
        reading = read_walk(case.problem, method, walked, changing, case.norm)
        lost = (walked.diverged_at[:, None] >= 0) & (torch.arange(horizon + 1) >= walked.diverged_at[:, None])
        read = read_all(case, reading, lost)
        found = named(case, {**setting.known, **setting.solved}, read, reading.x, lost, method)
        values = Evaluator(found.values, horizon)
        measured, bound = (
            values(side).expand(lost.shape) for side in (case.theorem.measured, case.theorem.bound)
        )
        with torch.no_grad():
            asked = asked_where(case, found, lost) & setting.rows[:, None] & (measured > 0) & (bound > 0)
            asked = asked & (measured / bound).isfinite()
            ratio = torch.where(asked, measured / bound, -torch.inf)
            k = ratio.argmax(1, keepdim=True)
        height = (measured.gather(1, k).log() - bound.gather(1, k).log())[:, 0]
        some = asked.any(1)
        slope = None
        if bool(some.any()) and height.requires_grad:
            (slope,) = torch.autograd.grad(height[some].sum(), [x], allow_unused=True)
    height = torch.where(some, height.detach(), -torch.inf)
    return height, torch.zeros_like(x0) if slope is None else slope.nan_to_num(0.0, 0.0, 0.0)
