"""The ball-proximal point method on convex functions, exactly: a proximal step whose multiplier is free.

x_next = argmin of f over B(x, t), without a minimiser in the ball, is the proximal point of some stepsize
c > 0, with |x - x_next| = t. One step: c f is convex too and has the same x_next, with stepsize 1, and the
ratio of its gaps is that of f. So the worst case is that of proximal steps with stepsize 1 and |x - x_next|^2
= t^2, a semidefinite programme. Several steps have as many multipliers, one of which can be scaled away: the
programme is solved for each choice of the others, and the largest value found is a bound from below.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from scipy.optimize import minimize

from assumptions.outward import root_up
from workbench.worst_case.certificate import Certificate, verify
from workbench.worst_case.classes import ConvexFunctions
from workbench.worst_case.conic import Solution, solve
from workbench.worst_case.gram import NOTHING, ORIGIN, Basis, exact, inner, square
from workbench.worst_case.model import Unknown
from workbench.worst_case.programme import Programme, ProgrammeError
from workbench.worst_case.result import WorstCase, rounded_down, rounded_up
from workbench.worst_case.setting import as_fraction

LINE = "bpm/line"
"""The claim that one step contracts the gap by 1 - radius / dist."""
REACH = 3.0
"""Multipliers are searched between e^-REACH and e^REACH times that of the step before, at first."""


@dataclass(frozen=True)
class SeveralSteps:
    """Gap after some steps of equal radius over gap at the start, the largest over convex functions.

    ratio        radius over the distance at the start; steps
    lower_seen   reached by the function at hand: the largest value found, not proved to be the largest
    upper        proved: the product of 1 - t / D_k with D_k^2 <= D_0^2 - k t^2, rounded up
    stepsizes    of the proximal steps found, the first 1
    programme, gram, function_values, function  that worst case
    """

    ratio: Fraction
    steps: int
    lower_seen: float
    upper: float
    stepsizes: tuple[Fraction, ...]
    programme: Programme
    gram: np.ndarray
    function_values: np.ndarray
    function: Unknown


def programme_of(ratio: Fraction, stepsizes: Sequence[Fraction]) -> tuple[Programme, Unknown]:
    """Maximise the gap after proximal steps of length ratio |x0 - x_star| each, where the gap starts at 1.

    The value at x0 is tied by the subgradients elsewhere alone: f is closed, and any value above its affine
    minorants is taken by some f.
    """
    basis = Basis()
    f = Unknown(basis, "f", ConvexFunctions())
    f.know(ORIGIN, ORIGIN, NOTHING, "*")
    x0, gap0 = basis.vector("x0"), basis.value("f0")
    x, last, equalities = x0, gap0, {"gap0": gap0 - 1}
    for k, stepsize in enumerate(stepsizes, start=1):
        x, g, last = f.prox(x, exact(stepsize))
        equalities[f"radius{k}"] = square(g) * exact(stepsize**2) - square(x0) * exact(ratio**2)
    conditions = dict(f.conditions())
    for s in f.samples:
        conditions[f"f0<-{s.name}"] = s.f - gap0 + inner(s.g, x0 - s.x)
    return Programme(basis, (last,), conditions, equalities), f


def one_step(ratio: Fraction | float, theorem: str = LINE) -> WorstCase:
    """The largest gap_next / gap over convex f for radius / dist = ratio in (0, 1]: exactly 1 - ratio.

    Proof, t = ratio |x0|, x_star = 0, g = x0 - x1: (1 - ratio) times f1 <= f0 - |g|^2, ratio times f1 <=
    <g, x1>, and -1/2 times |g|^2 = ratio^2 |x0|^2 add up to f1 <= (1 - ratio) f0 - |g - ratio x0|^2 / 2.
    Reached by |x| on the line. The multipliers are verified in exact arithmetic. ValueError for other ratios.
    """
    started = time.perf_counter()
    share = _share(ratio)
    programme, f = programme_of(share, (Fraction(1),))
    found = {"f0<-f1": 1 - share, "f*<-f1": share, "gap0": 1 - share, "radius1": Fraction(-1, 2)}
    proof = Certificate(1 - share, (Fraction(1),), {name: c for name, c in found.items() if c != 0})
    verify(programme, proof)
    return WorstCase(
        theorem=theorem,
        steps=1,
        values={"radius": float(share), "dist0": 1.0},
        upper=rounded_up(proof.value),
        lower=rounded_down(_reached(programme, share)),
        bound=rounded_down(1 - share),
        squared=False,
        verdict="certified",
        reason="proved for the whole class, at this ratio, with exact multipliers, and reached by an "
        "absolute value",
        multipliers=proof.multipliers,
        weights=proof.weights,
        gram=np.array(_absolute_value(share)[0], dtype=float),
        function_values=np.array(_absolute_value(share)[1], dtype=float),
        seconds=time.perf_counter() - started,
        solver_seconds=0.0,
        exact_upper=proof.value,
        exact_bound=1 - share,
        programme=programme,
        functions=(f,),
    )


def several_steps(ratio: Fraction | float, steps: int, starts: int = 3) -> SeveralSteps:
    """The largest gap after ``steps`` steps over gap at the start that a search over the multipliers finds.

    ratio: radius / dist at the start, steps ratio^2 <= 1. starts >= 1: of the search, which is deterministic:
    Nelder and Mead from equal multipliers and from falling and growing ones. ValueError otherwise,
    ProgrammeError if it finds no multipliers.
    """
    share = _share(ratio)
    for name, value in (("steps", steps), ("starts", starts)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"{name} must be an integer >= 1, got {value!r}")
    if steps * share**2 > 1:
        raise ValueError(f"steps must be at most (dist / radius)^2 = {float(1 / share**2):g}, got {steps!r}")

    best = _searched(share, steps, starts)
    found = _solved(share, best)
    if found is None:
        raise ProgrammeError(f"no multipliers with steps of ratio {share} were found")
    (programme, f), solution = found
    upper = product_bound(share, steps)
    return SeveralSteps(
        share, steps, solution.value, upper, best, programme, solution.gram, solution.values, f
    )


def _searched(share: Fraction, steps: int, starts: int) -> tuple[Fraction, ...]:
    """The best stepsizes found, by Nelder and Mead in the logarithms of their ratios."""

    def stepsizes(logs: np.ndarray) -> tuple[Fraction, ...]:
        return tuple(Fraction(math.exp(v)).limit_denominator(10**6) for v in np.cumsum([0.0, *logs]))

    def loss(logs: np.ndarray) -> float:
        if np.abs(logs).max(initial=0.0) > REACH:
            return 0.0
        found = _solved(share, stepsizes(logs))
        return -found[1].value if found else 0.0

    if steps == 1:
        return (Fraction(1),)
    slopes = [0.0, *(v for n in range(1, starts) for v in (n / starts, -n / starts))][:starts]
    options = {"xatol": 1e-6, "fatol": 1e-9}
    tried = [minimize(loss, np.full(steps - 1, s), method="Nelder-Mead", options=options).x for s in slopes]
    return stepsizes(min(tried, key=loss))


def product_bound(ratio: Fraction, steps: int) -> float:
    """prod_{k < steps} (1 - ratio / sqrt(1 - k ratio^2)), rounded up; 0 once a factor is not positive."""
    bound = Fraction(1)
    for k in range(steps):
        square_left = 1 - k * ratio**2
        if square_left <= ratio**2:
            return 0.0
        bound *= 1 - ratio / root_up(square_left)
    return rounded_up(bound)


def _share(ratio: Fraction | float) -> Fraction:
    share = as_fraction("ratio", ratio)
    if not 0 < share <= 1:
        raise ValueError(f"ratio must be in (0, 1], radius over distance, got {ratio!r}")
    return share


def _solved(
    share: Fraction, stepsizes: tuple[Fraction, ...]
) -> tuple[tuple[Programme, Unknown], Solution] | None:
    asked = programme_of(share, stepsizes)
    try:
        return asked, solve(asked[0])
    except ProgrammeError:
        return None


def _absolute_value(share: Fraction) -> tuple[list[list[Fraction]], list[Fraction]]:
    """Gram matrix of (x0, g) and values (f0, f1) of f(x) = g |x| on the line, g = share x0, g x0 = 1."""
    return [[1 / share, Fraction(1)], [Fraction(1), share]], [Fraction(1), 1 - share]


def _reached(programme: Programme, share: Fraction) -> Fraction:
    """The objective at that point, every condition checked exactly."""
    gram, values = _absolute_value(share)
    numbers = [[exact(entry) for entry in row] for row in gram], [exact(entry) for entry in values]
    broken = [name for name, form in programme.constraints.items() if form.value(*numbers) > 0]
    broken += [name for name, form in programme.equalities.items() if form.value(*numbers) != 0]
    if broken:
        raise ProgrammeError(f"the absolute value breaks {', '.join(broken)}")
    reached = programme.objective[0].value(*numbers)
    return Fraction(int(reached.p), int(reached.q))
