"""How the ratio of a layer depends on the length of the step: flat for a smooth loss, 1/t for c over t."""

import math

import numpy as np

from workbench.probes.fits.asymmetric import Array
from workbench.probes.fits.layer_path import LayerPath

FACTOR = 2.0
"""Steps or scales must vary by this much to tell 1/t, a factor 2 too, from what noise does to a ratio."""


def scale_slope(path: LayerPath) -> float:
    """Slope of log ratio against log s along s dX, median over the steps; nan without such ratios.

    Over the scales up to 1, the steps that were taken and shorter ones, where these span a factor 2: longer
    ones leave the region that the run saw, and there even a smooth bounded gradient makes the ratio fall.
    Else over all scales.
    """
    short = path.scales <= 1
    scales = short if _spans(path.scales[short]) else np.full(path.scales.shape, True)
    slopes = []
    for row in path.ratio_scaled:
        use = scales & np.isfinite(row) & (row > 0)
        if _spans(path.scales[use]):
            slopes.append(slope(np.log(path.scales[use]), np.log(row[use])))
    return float(np.median(slopes)) if slopes else math.nan


def step_slope(path: LayerPath) -> tuple[float, float]:
    """Slope of log ratio against log step_length at equal gradnorm_next, and by which factor steps then vary.

    Partial regression: log step_length less its trend in log gradnorm_next. At adaptive radii the length
    is a function of the gradient norm, the factor is 1, and nothing can be told: with t = g/L, the change
    L t = g is a constant c times g at every step, whatever L is. (nan, 1) for fewer than three steps with
    positive numbers.
    """
    use = (path.ratio > 0) & (path.step_length > 0) & (path.gradnorm_next > 0)
    if use.sum() < 3:
        return math.nan, 1.0
    ratio, length, g = (np.log(v[use]) for v in (path.ratio, path.step_length, path.gradnorm_next))
    tilt = slope(g, length)
    own = length - length.mean() - (0.0 if math.isnan(tilt) else tilt) * (g - g.mean())
    return slope(own, ratio), float(np.exp(np.ptp(own)))


def shortest_step(path: LayerPath) -> float:
    """The shortest length at which ratios were taken: of the steps, and, as a median, of their scales."""
    used = np.isfinite(path.ratio_scaled).any(0) if path.n else np.zeros(path.scales.shape, bool)
    least = float(path.scales[used].min(initial=1.0))
    return min(float(path.step_length.min()), least * float(np.median(path.step_length)))


def known_median(values: Array) -> float:
    """Median of what is not nan; nan if nothing is. values: (n,)."""
    known = values[~np.isnan(values)]
    return float(np.median(known)) if known.size else math.nan


def slope(x: Array, y: Array) -> float:
    """Of the least squares line y ~ a + b x; nan where x does not vary beyond rounding. x, y: (n,)."""
    centred = x - x.mean()
    if not np.ptp(x) > 1e-12:  # logarithms: a relative change
        return math.nan
    return float((centred * y).sum() / (centred**2).sum())


def _spans(scales: Array) -> bool:
    return len(scales) > 1 and bool(scales.max() >= FACTOR * scales.min() * (1 - 1e-12))
