"""How often the statistics of a mean claim err: many studies of claims that are exactly tight."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from math import inf, log

import sympy as sp
import torch
from torch import Tensor

from assumptions import StronglyConvex
from assumptions.guards import require_dimension
from assumptions.moments.e_value import LOG_REFUTED, STAKES, log_e_value
from problems import Noisy, ParetoNoise, Problem, Quadratic, QuadraticSum
from workbench.engine import BLOCK
from workbench.match import match
from workbench.methods.sgd import SGD
from workbench.methods.stochastic_proximal_point import SPPM
from workbench.parts import Source
from workbench.symbols import symbols
from workbench.theorem import Theorem
from workbench.verify.mean import process_of
from workbench.verify.pool import one_thread, share
from workbench.verify.process import needed

AT_ONCE = 64
"""Studies whose bets are held in memory together."""

STEPS = 5
"""Length of the runs."""

SHRUNK = (0.05, 0.2, 0.5)
"""By how much the bound is made too small."""

stepsize, mu, k, dist, dist0 = symbols("stepsize mu k dist dist0")


@dataclass(frozen=True)
class Study:
    """A claim E[measured] = bound, exactly, on a problem; ``why``: what it is about.

    finite_variance: whether the measured quantity has one; else no number of replicates is predicted.
    """

    name: str
    theorem: Theorem
    problem: Problem
    why: str
    finite_variance: bool = True


def _equality(name: str, method: type, rate: sp.Expr, noise: sp.Expr) -> Theorem:
    """E dist^2 = rate^k dist0^2 + (1 - rate^k) / (1 - rate) noise, as a bound."""
    return Theorem(
        id=f"calibration/{name}",
        title="The mean squared distance, exactly",
        source=Source("exact", "DERIVED"),
        method=method,
        parameters={"stepsize": 1 / (2 * mu), "minibatch": 1},
        assumes=(StronglyConvex,),
        measured=dist**2,
        bound=rate**k * dist0**2 + (1 - rate**k) / (1 - rate) * noise,
        kind="mean",
    )


SCALE = 0.3
CENTRES = ((1.0, 0.0), (0.0, 2.0), (-1.0, -2.0))
SPREAD = 10.0 / 3.0
"""Mean squared distance of the centres from their mean, 0."""


def _pareto(name: str, tail: float, moments: str, finite_variance: bool) -> Study:
    """SGD on x^2 / 2 with noise of E n^2 = SCALE^2 tail / (tail - 2)."""
    noise = stepsize**2 * SCALE**2 * tail / (tail - 2)
    return Study(
        name,
        _equality(name.replace(" ", "-"), SGD, (1 - stepsize * mu) ** 2, noise),
        Noisy(Quadratic((1.0,), center=(0.0,), seed=None, start=(1.0,)), ParetoNoise(tail, SCALE)),
        f"SGD on x^2 / 2 with two-sided Pareto noise of tail {tail:g}: {moments}",
        finite_variance,
    )


STUDIES = (
    Study(
        "light tails",
        _equality(
            "light", SPPM, (1 + stepsize * mu) ** -2, (stepsize * mu / (1 + stepsize * mu)) ** 2 * SPREAD
        ),
        QuadraticSum.isotropic(1.0, CENTRES),
        "the stochastic proximal point method on |x - c_j|^2 / 2, bounded",
    ),
    _pareto("heavy tails", 4.5, "x^2 has a variance and no third moment", True),
    _pareto("very heavy tails", 2.2, "x^2 has a mean and no variance", False),
)
"""Claims that hold with equality at every k."""


@dataclass(frozen=True)
class Calibration:
    """What so many studies of one claim showed.

    cv         coefficient of variation of a replicate, over all studies; inf where the variance is
    ratio      mean / bound over all replicates of all studies
    false      studies that refuted the claim, which is true, at any time
    largest    the largest log10 of an e-value that any study had at any time
    detected   share of a shrunk bound -> share of studies that had refuted it by each of ``at`` replicates
    predicted  share of a shrunk bound -> replicates that the formula asks for
    """

    name: str
    claim: str
    studies: int
    replicates: int
    cv: float
    ratio: float
    false: int
    largest: float
    at: tuple[int, ...]
    detected: Mapping[float, tuple[float, ...]]
    predicted: Mapping[float, float]


def calibrate(
    studies: int = 1000,
    replicates: int = 4096,
    seed: int = 0,
    jobs: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> list[Calibration]:
    """Run every claim of ``STUDIES`` so often, with so many replicates (a multiple of 64, rounded up).

    Each study has draws of its own. ValueError unless both are integers >= 1.
    """
    require_dimension(studies=studies, replicates=replicates)
    replicates = -(-replicates // BLOCK) * BLOCK
    tasks = [(index, study) for index in range(len(STUDIES)) for study in range(studies)]
    found: dict[int, Tensor] = {}
    with one_thread():
        for done, (task, ratios) in enumerate(
            share(partial(_ratios, replicates=replicates, seed=seed), tasks, jobs)
        ):
            found[task] = ratios
            if progress:
                progress(done + 1, len(tasks))
    tables = [torch.stack([found[i * studies + s] for s in range(studies)]) for i in range(len(STUDIES))]
    return [summarised(study, table) for study, table in zip(STUDIES, tables, strict=True)]


def _ratios(task: tuple[int, int], replicates: int, seed: int) -> Tensor:
    """What the replicates of one study say, (replicates,)."""
    index, study = task
    chosen = STUDIES[index]
    cases = match(chosen.theorem, chosen.problem)
    assert not isinstance(cases, str), cases
    return process_of(cases[0], replicates, STEPS, seed, first=study * replicates).ratios


def summarised(study: Study, ratios: Tensor) -> Calibration:
    """Of ratios (studies, replicates)."""
    n = ratios.shape[1]
    at = tuple(sorted({*(2**i for i in range(6, 20) if 2**i < n), n}))
    cv = float(ratios.std() / ratios.mean()) if study.finite_variance else inf
    heights = {shrunk: highest_log_e(ratios / (1 - shrunk)) for shrunk in (0.0, *SHRUNK)}
    detected = {
        s: tuple(float((heights[s][:, m - 1] >= LOG_REFUTED).to(ratios).mean()) for m in at) for s in SHRUNK
    }
    return Calibration(
        name=study.name,
        claim=study.why,
        studies=len(ratios),
        replicates=n,
        cv=cv,
        ratio=float(ratios.mean()),
        false=int((heights[0.0][:, -1] >= LOG_REFUTED).sum()),
        largest=float(heights[0.0][:, -1].max()) / log(10),
        at=at,
        detected=detected,
        predicted={s: needed(1 / (1 - s), cv) for s in SHRUNK},
    )


def highest_log_e(ratios: Tensor) -> Tensor:
    """The largest log e-value up to each replicate, (studies, replicates): a study may stop at any time."""
    stakes = ratios.new_tensor(STAKES)
    highest = []
    for part in ratios.split(AT_ONCE):
        bets = torch.log1p(stakes * (part.unsqueeze(-1) - 1)).cumsum(-2)
        highest.append(log_e_value(bets).cummax(-1).values)
    return torch.cat(highest)
