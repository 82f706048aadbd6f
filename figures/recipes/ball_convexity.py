"""From which radius on functions are ball-convex: what is seen and what is certified."""

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from assumptions import BallConvex
from assumptions.balls.support import rivals
from figures.drawing import curve, thin
from figures.numbers import Numbers, table
from figures.recipe import Recipe
from figures.style import looks
from problems import Cosine, DoubleWell, IntegerJump, LatticeAbs, Problem, SphereDistance

FAMILIES = {
    r"$1 - \cos x$": Cosine(d=1),
    r"$(|x|^2 - 1)^2$": DoubleWell(d=1),
    r"$||x| - \frac{1}{2}|$": SphereDistance(d=1, a=0.5),
}
"""Continuous functions, for which the violation is drawn."""
HILLS = (2.0, 1.0, 0.5)
"""Their values on top of the hill."""
BRACKETED = (
    *(Cosine(d=d) for d in (1, 2, 3)),
    DoubleWell(d=1),
    SphereDistance(d=2, a=0.5),
    SphereDistance(d=1, a=2.0),
    LatticeAbs(),
    IntegerJump(),
)
"""All of which the threshold is searched."""


class BallConvexity(Recipe):
    """Ball-convexity thresholds: the violation seen against the radius, and brackets of the threshold."""

    name = "ball-convexity"
    paper = ""
    status = "own"
    see = (
        "Below the certified radius no slope gives a support and the violation seen is clear; from the "
        "certified radius on it is 0, and a search finds the same thresholds without being told."
    )
    panels = (1, 2)

    def compute(self, full: bool = False, seed: int = 0) -> Numbers:
        """Violations over radii in units of the certified threshold; brackets by ``BallConvex.estimate``."""
        share = np.linspace(0.05, 1.5, 59 if full else 30)
        tables = {"share": table(share)}
        for i, problem in enumerate(FAMILIES.values()):
            x = BallConvex.sample(problem, 256 if full else 48, seed)[0]
            seen = [violation_seen(problem, x, s * threshold(problem), seed) for s in share.tolist()]
            tables[f"violation_seen{i}"] = table(seen) / HILLS[i]
        brackets = []
        for problem in BRACKETED:
            x = BallConvex.sample(problem, 128 if full else 32, seed)
            seen = BallConvex.estimate(problem, *x, largest=10.0)
            brackets.append([threshold(problem), seen["t_ball_seen"], seen["t_ball_next_seen"]])
        tables["brackets"] = table(brackets)
        facts = {"families": [repr(p) for p in FAMILIES.values()], "bracketed": [repr(p) for p in BRACKETED]}
        return Numbers(self.name, tables, facts, full, seed)

    def draw(self, numbers: Numbers, figure: Figure) -> None:
        """Left: violations. Right: how far from the certified thresholds a search ended, on either side."""
        left, right = figure.subplots(1, 2)
        for i, (label, look) in enumerate(zip(FAMILIES, looks(len(FAMILIES)), strict=True)):
            curve(left, numbers["share"], numbers[f"violation_seen{i}"], look, label)
        left.axvline(1.0, ymax=0.6, color="0.25", linestyle=":", linewidth=thin(), zorder=1)
        left.set(xlabel="radius / certified threshold", ylabel="violation seen / hill")
        left.legend(loc="upper right")
        certified, seen, after = numbers["brackets"].T
        for radii, look, marker, label in zip(
            (seen, after), looks(2), "xo", ("refuted", "not refuted"), strict=True
        ):
            off = 1e3 * (radii / certified - 1)
            right.plot(certified, off, marker, fillstyle="none", color=look.color, label=label)
        right.axhline(0.0, color="0.25", linestyle=":", linewidth=thin(), zorder=1)
        right.set(xscale="log", xlabel="certified threshold", ylim=(-1, 1.4))
        right.set_xticks([0.5, 1, 2, 5], ["0.5", "1", "2", "5"])
        right.minorticks_off()
        right.set_ylabel("radius / certified $-$ 1, in 1/1000")
        right.legend(loc="upper right", ncols=2)


def threshold(problem: Problem) -> float:
    """The certified radius, Euclidean."""
    facts = [c.assumption for c in problem.certified if isinstance(c.assumption, BallConvex)]
    return next(fact.t_ball for fact in facts if fact == BallConvex(fact.t_ball))


def violation_seen(problem: Problem, x: Tensor, t: float, seed: int = 0) -> float:
    """max_x min_{c >= 0} max_y f(u) + c <x - u, y - u> - f(y), u = brox(x), over the y of ``rivals``.

    How far above f the most obliging support along the step lies, at the worst of the centers x: (n, d). 0
    for a ball-convex f. In units of f; sampled centers and y, so it bounds the violation from below.
    """
    u = problem.brox(x, t)  # pyright: ignore[reportAttributeAccessIssue]
    y = rivals(problem, x, u.unsqueeze(1), t, 400, seed).squeeze(1)
    drop = problem.value(u).unsqueeze(1) - problem.value(y)
    along = ((x - u).unsqueeze(1) * (y - u.unsqueeze(1))).sum(dim=-1)
    return float(least_maximum(drop, along).clamp(min=0).max())


def least_maximum(drop: Tensor, along: Tensor) -> Tensor:
    """min over c >= 0 of max_j drop_j + c along_j, by golden sections of a convex function of c. (n,)."""
    # at the minimum two lines meet, or c = 0: no slope beyond the largest drop over the least rise is needed
    rise = torch.where(along > 1e-9, along, torch.inf).amin(dim=1)
    low = torch.zeros_like(rise)
    high = (drop.amax(dim=1).clamp(min=0) - drop.amin(dim=1)) / rise

    def height(c: Tensor) -> Tensor:
        return (drop + c.unsqueeze(1) * along).amax(dim=1)

    best = height(low)
    for _ in range(120):
        a, b = low + 0.382 * (high - low), low + 0.618 * (high - low)
        left = height(a) <= height(b)
        low, high = torch.where(left, low, a), torch.where(left, b, high)
        best = torch.minimum(best, height((low + high) / 2))
    return best
