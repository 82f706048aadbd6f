"""How well a fit of L ~ L0 + L1 g predicts the ratios, those of its own steps and those of others."""

import math

import numpy as np

from workbench.probes.fits.asymmetric import Array, fit_asymmetric
from workbench.probes.fits.envelope import FOLDS
from workbench.probes.fits.findings import Finding

WORSE_THAN_NOTHING = 1.0
"""Mean squared relative error of a fit that says 0 everywhere, and of one at twice the ratio everywhere, the
factor up to which a suggested radius counts as known."""


def relative_error(line: Array, L: Array) -> float:
    """Mean of ((L - line) / L)^2; 0 where L is 0 and met, inf where it is missed or nan.

    line, L: (n,), n >= 1. A line of 0 has 1, and so has one at twice the ratio everywhere.
    """
    off = np.abs(L - line)
    missed = np.where(off == 0, 0.0, np.inf)
    with np.errstate(over="ignore"):  # of a ratio near 0
        return float((np.divide(off, L, out=missed, where=L > 0) ** 2).mean())


def held_out_error(g: Array, L: Array, penalty: float, lower: float, folds: int = FOLDS) -> float:
    """``relative_error`` at steps that the fit has not seen: each of ``folds`` blocks is held out once.

    g, L: (n,) in the order of the steps; nan for n < 2. Blocks of neighbours, as in ``exceeded``: the last
    asks about later steps.
    """
    if len(g) < 2:
        return float("nan")
    line = np.empty_like(L)
    for block in np.array_split(np.arange(len(g)), min(folds, len(g))):
        L0, L1 = fit_asymmetric(np.delete(g, block), np.delete(L, block), penalty, lower)
        line[block] = L0 + L1 * g[block]
    return relative_error(line, L)


def no_prediction(own: float, held_out: float) -> list[Finding]:
    """The finding that a fit is no estimate: it misses the ratios by more than one that says 0 everywhere.

    own, held_out: ``relative_error`` and ``held_out_error``; the larger one counts, nan shows no fault. An
    interval of a line can be narrow where the line is far from the ratios, as resamples miss them alike. A
    constant is no measure to beat: where L1 = 0 it is the fit.
    """
    worst = max((error for error in (own, held_out) if not math.isnan(error)), default=math.nan)
    if not worst > WORSE_THAN_NOTHING:
        return []
    text = (
        f"the fit misses the ratios by a mean squared relative error of {own:.3g}, {held_out:.3g} at "
        "held-out steps, and one that says 0 everywhere by 1"
    )
    return [Finding("prediction", worst, text)]
