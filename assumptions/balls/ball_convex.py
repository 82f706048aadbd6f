"""Ball-convexity: supports along the steps of the ball-proximal point method."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from assumptions.balls.centres import centres
from assumptions.balls.search import argmins, beaten, has_oracle
from assumptions.balls.support import reach, rivals, slopes
from assumptions.base import Assumption, Check, Function
from assumptions.guards import require_dimension, require_nonnegative, require_positive
from assumptions.norms import EUCLIDEAN, Norm, require_norm
from assumptions.region import EVERYWHERE, Region, require_everywhere
from assumptions.sampling import in_domain

LARGER = (1.0, 1.1, 1.25, 1.5, 2.0, 3.0)
"""A check tries these multiples of t_ball, for the statement speaks of all larger radii."""
ANY = (0.03, 0.3, 3.0)
"""Radii tried for t_ball = 0, in units of the distance from x0 to the minimiser (or of 1)."""
MARGIN = 1e-6
"""Slopes that contradict each other by less are put down to rounding."""
RETRIED = 6
"""Centers of a refutation by search that are searched again, at most."""
MOST = 64
"""Dimensions in which minimisers over balls are searched without an oracle."""
CHUNK = 256
"""Centers that are checked at once."""


@dataclass(frozen=True)
class BallCheck(Check):
    """A check of ball-convexity: what was covered. witness: x, u, y1, y2 (see ``BallConvex.check``)."""

    dimension: int = 1
    radii: tuple[float, ...] = ()
    rivals: int = 0
    reach: float = 0.0

    def __str__(self) -> str:
        """One line for people."""
        radii = ", ".join(f"{t:.6g}" for t in self.radii)
        return (
            f"{self.assumption!r}: {self.verdict} in dimension {self.dimension} on {self.points} centers, "
            f"radii {radii}, about {self.rivals} points y each, up to {self.reach:g} away; "
            f"ratio {self.ratio:.6g}"
        )


@dataclass(frozen=True)
class BallConvex(Assumption):
    """f is B_t-convex for every t >= t_ball (t > 0): supports along the steps over balls exist.

    B_t-convex: for each x in the domain there is c >= 0 such that for all u in argmin {f(z) : |z - x| <= t}
    and all y, f(y) >= f(u) + c <x - u, y - u>. t_ball: finite, >= 0, units of x. norm: that of the balls;
    the inner product is the standard one. ValueError otherwise. A statement of existence: a check covers
    the centers and the y that it tries. Source: Gruntkowska, Li, Rane, Richtarik (2025), arXiv:2502.02002.

    One c for all u asks no more than one c for each. Let u1, u2 be argmins with slopes c1, c2 and
    v = u2 - u1, v not 0. As f(u1) = f(u2), c1 <x - u1, v> <= 0 <= c2 <x - u2, v>, while
    <x - u1, v> - <x - u2, v> = |v|^2 > 0. So c1 > 0 gives <x - u2, v> < 0 and c2 = 0: u2 minimises f and
    so does u1; likewise if c2 > 0. Where two argmins exist, 0 serves them all.
    """

    t_ball: float
    norm: Norm = EUCLIDEAN
    sense: ClassVar[Mapping[str, int]] = {"t_ball": -1}
    arity: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """The constant as a float."""
        require_nonnegative(t_ball=self.t_ball)
        require_norm(self.norm)
        object.__setattr__(self, "t_ball", float(self.t_ball))

    @classmethod
    def sample(
        cls, problem: Function, n: int, seed: int = 0, region: Region = EVERYWHERE
    ) -> tuple[Tensor, ...]:
        """About n centers: hills of f, integers, a grid or a sample (see ``centres``)."""
        require_dimension(n=n)
        require_everywhere(cls(0.0), region)
        return (centres(problem, n, 0.0, seed),)

    def check(self, problem: Function, *points: Tensor) -> BallCheck:
        """Over centers x, (*batch, d), at t_ball and larger radii; centers outside the domain are left out.

        Refuted if the slopes that some y allow contradict each other at each candidate for an argmin, by more
        than all errors (of f, of u as an argmin) explain: y1 needs a slope of at least ``low``, y2 allows at
        most ``high`` < ``low``. Witness: x, u, y1, y2; ratio: low / high, inf where no slope serves.
        ValueError if no center is left.
        """
        if len(points) != self.arity:
            raise ValueError(f"BallConvex speaks of 1 point, the center, got {len(points)}")
        return self._over(problem, points[0], self._radii(problem), 600, 0)

    @classmethod
    def estimate(cls, problem: Function, *points: Tensor, **options: Any) -> dict[str, float]:
        """The bracket of t_ball that centers x, (*batch, d), give.

        norm: Norm = EUCLIDEAN. grid: int = 16 radii from ``largest`` / 1000 to ``largest`` = the diameter of
        the points (or 1). t_ball_seen: the largest radius found refuted, 0 if none is; t_ball_next_seen: the
        next one, after ten halvings, not refuted on these centers; inf if ``largest`` is refuted.
        TypeError for other options.
        """
        unknown = sorted(set(options) - {"norm", "grid", "largest"})
        if unknown:
            raise TypeError(f"the options are norm, grid and largest, got {', '.join(unknown)}")
        (x,) = points
        flat = x.reshape(-1, x.shape[-1])
        size = float((flat.amax(dim=0) - flat.amin(dim=0)).norm()) or 1.0
        largest, grid = options.get("largest", size), options.get("grid", 16)
        require_positive(largest=largest)
        require_dimension(grid=grid)
        statement = cls(largest, options.get("norm", EUCLIDEAN))

        def refuted(t: float) -> bool:
            return statement._over(problem, x, (t,), 600, 0).verdict == "refuted"

        radii = [largest * 10 ** (-3 * i / max(grid - 1, 1)) for i in range(grid)]
        first = next((i for i, t in enumerate(radii) if refuted(t)), None)
        if first is None:
            return {"t_ball_seen": 0.0, "t_ball_next_seen": radii[-1]}
        if first == 0:
            return {"t_ball_seen": float(largest), "t_ball_next_seen": math.inf}
        low, high = radii[first], radii[first - 1]
        for _ in range(10):
            middle = (low + high) / 2
            low, high = (middle, high) if refuted(middle) else (low, middle)
        return {"t_ball_seen": low, "t_ball_next_seen": high}

    def refute(
        self, problem: Function, budget: int = 20_000, seed: int = 0, region: Region = EVERYWHERE
    ) -> BallCheck:
        """Checks centers of its own choice: hills of f, integers, a grid or a sample (see ``centres``).

        budget: about centers times points y, split among the radii; searches for argmins come on top. The
        same for the same seed. ValueError for a region: the steps would leave it; and without an oracle over
        balls in more than ``MOST`` dimensions, where the searches would take hours.
        """
        require_dimension(budget=budget)
        require_everywhere(self, region)
        if problem.d > MOST and not has_oracle(problem, self.norm):
            raise ValueError(
                f"d must be at most {MOST} for a search over balls of {self.norm!r} without an oracle, "
                f"got {problem.d} in {problem!r}"
            )
        radii = self._radii(problem)
        each = min(max(budget // 100, 1), 600)
        n = max(budget // (each * len(radii)), 1)
        return self._over(problem, centres(problem, n, max(radii), seed), radii, each, seed)

    def _radii(self, problem: Function) -> tuple[float, ...]:
        if self.t_ball > 0:
            return tuple(r * self.t_ball for r in LARGER)
        unit = 1.0
        if problem.offers("x_star"):
            unit = float((problem.x0 - getattr(problem, "x_star")).norm()) or 1.0  # noqa: B009
        return tuple(r * unit for r in ANY)

    def _over(
        self, problem: Function, x: Tensor, radii: tuple[float, ...], count: int, seed: int
    ) -> BallCheck:
        """The worst check over radii and chunks of centers."""
        x = x.detach().reshape(-1, problem.d)
        with torch.no_grad():
            x = x[in_domain(problem, x) & problem.value(x).isfinite()]
            if x.shape[0] == 0:
                raise ValueError("BallConvex.check needs at least one center at which f is finite, got none")
            done = [self._at(problem, c, t, count, seed) for t in radii for c in x.split(CHUNK)]
        worst = max(done, key=lambda check: (check.verdict == "refuted", check.ratio))
        return replace(worst, points=x.shape[0], radii=radii, reach=reach(max(radii)))

    def _at(self, problem: Function, x: Tensor, t: float, count: int, seed: int) -> BallCheck:
        """At one radius; x: (n, d), all in the domain."""
        ratios, points, k = self._ratios(problem, x, t, count, seed, 1)
        searched = problem.d > 1 and not has_oracle(problem, self.norm)
        # a search may have missed the argmin: it tries again, harder, where it found contradictions
        for retry in (1, 2) if searched else ():
            doubted = ratios > 1 + MARGIN
            some = doubted.nonzero().squeeze(-1)[:RETRIED]
            ratios = torch.where(doubted, 0.0, ratios)
            if some.numel():
                ratios[some], points[some], _ = self._ratios(problem, x[some], t, count, seed + retry, 10)
        worst = int(ratios.argmax())
        top = float(ratios[worst])
        verdict = "refuted" if top > 1 + MARGIN else "not refuted"
        return BallCheck(self, verdict, top, tuple(points[worst]), x.shape[0], problem.d, (t,), k)

    def _ratios(
        self, problem: Function, x: Tensor, t: float, count: int, seed: int, effort: int
    ) -> tuple[Tensor, Tensor, int]:
        """The ratio of each center, (n,), its witness, (n, 4, d), and the number of y for each u."""
        found = argmins(problem, x, t, self.norm, seed, effort)
        y = rivals(problem, x, found.u, t, count, seed)
        found = beaten(problem, x, t, self.norm, found, y)
        s = slopes(problem, x, found, y)
        ratio = torch.where(s.low > 0, s.low / s.high, 0.0)
        ratio = torch.where(s.low == torch.inf, torch.inf, ratio)
        # a center is judged by the most obliging of the points that may be its argmin
        known = found.slack.isfinite()
        obliging, index = torch.where(known, ratio, torch.inf).min(dim=1)
        obliging = torch.where(known.any(dim=1), obliging, 0.0)
        chosen = (torch.arange(x.shape[0], device=x.device), index)
        points = torch.stack([x, found.u[chosen], s.below[chosen], s.above[chosen]], dim=1)
        return obliging, points, y.shape[2]
