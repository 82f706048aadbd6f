"""(L0, L1) of each layer of a network from the smoothness that a probe saw along a training."""

import math
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import xarray as xr

from assumptions.guards import require_dimension, require_nonnegative, require_seed
from workbench.probes.fits.asymmetric import Array, fit_asymmetric
from workbench.probes.fits.envelope import exceeded, fit_envelope
from workbench.probes.fits.findings import Finding
from workbench.probes.fits.influence import influence
from workbench.probes.fits.judgement import LIMITS, MIN_POINTS, Evidence, judge
from workbench.probes.fits.layer_path import LayerPath, layer_paths
from workbench.probes.fits.prediction import held_out_error, relative_error
from workbench.probes.fits.trends import known_median

TAIL = 0.025
"""Each end of an interval: 95 % of the resamples lie between."""
LEAST_RESAMPLES = 40
"""With fewer, no resample lies in a tail."""

COLUMNS = ("layer", "n", "L0_seen", "L1_seen", "error", "exceeded", "suggested", "used", "ratio", "verdict")
"""Heads of the rows of ``fit_table``."""

Interval = tuple[float, float]


@dataclass(frozen=True)
class LayerFit:
    """The smoothness of one layer at n probed steps: L_k = ratio against g_k.

    L0_seen, L1_seen         asymmetric least squares, g_k = gradnorm_next, the later point, as published;
                             units of ratio, and of ratio per gradient norm
    L0_interval, L1_interval 95 % by a bootstrap of moving blocks; nan for fewer than 8 steps
    relative_error           mean ((L - fit) / L)^2, as published
    above                    share of the n points above the fit: it is no bound
    L0_envelope, L1_envelope the lowest line above all points, g_k = min(gradnorm, gradnorm_next)
    exceeded                 share of held-out steps above the envelope of the others, in contiguous blocks
    adversarial              largest ratio_adversarial over L0_seen + L1_seen g, g = gradnorm at its step:
                             above 1 the fit is no certificate; nan without that level
    verdict, reason          see ``workbench.probes.fits.judgement``
    findings                 what the reason says, part by part
    radius_suggested         g / (L0 + L1 g) at g, the median of gradnorm: the adaptive radius of Gluon
    radius_interval          95 %, at the same g: what the fit leaves open, not how g varies
    radius_used              median of step_length
    used_over_suggested      their quotient

    Estimates along one path, each bounded by what that path met: no constants of a theorem.
    """

    layer: str
    n: int
    L0_seen: float
    L1_seen: float
    L0_interval: Interval
    L1_interval: Interval
    relative_error: float
    above: float
    L0_envelope: float
    L1_envelope: float
    exceeded: float
    adversarial: float
    verdict: str
    reason: str
    findings: tuple[Finding, ...]
    radius_suggested: float
    radius_interval: Interval
    radius_used: float
    used_over_suggested: float

    def to_json(self) -> dict[str, Any]:
        """Plain dict, field by field; tuples are lists, and nan, inf, -inf, which JSON lacks, are text."""
        return {name: _plain(value) for name, value in asdict(self).items()}


def fit_smoothness(
    result: xr.Dataset, *, penalty: float = 5.0, resamples: int = 200, seed: int = 0, lower: float = 0.0
) -> tuple[LayerFit, ...]:
    """One ``LayerFit`` per layer of a probe's result, from the steps at which the layer moved.

    penalty >= 0: how much more a point above the line weighs, 5 as published; lower >= 0: the least L0 and
    L1, published 1e-6 (see ``fit_asymmetric``). resamples >= 40 of the bootstrap, drawn from seed: blocks of
    ceil(n^(1/3)) neighbouring steps, since these are alike; the same draws for all layers, so that none
    depends on another. ValueError for other arguments, and for a result without the quantities needed.

    Source of fit and error: the public experiment code of Riabinin, Shulgin, Gruntkowska, Richtarik (2025),
    arXiv:2505.13416. Blocks: Kuensch (1989), Annals of Statistics 17(3).
    """
    require_nonnegative(penalty=penalty, lower=lower)
    require_dimension(resamples=resamples)
    require_seed(seed)
    if resamples < LEAST_RESAMPLES:
        raise ValueError(f"resamples must be an integer >= {LEAST_RESAMPLES}, got {resamples}")
    return tuple(_fit(path, penalty, lower, resamples, seed) for path in layer_paths(result))


def fit_table(fits: tuple[LayerFit, ...]) -> list[tuple[str, ...]]:
    """Rows of text, one per layer, under ``COLUMNS``; intervals in brackets."""
    return [
        (
            fit.layer,
            str(fit.n),
            with_interval(fit.L0_seen, fit.L0_interval),
            with_interval(fit.L1_seen, fit.L1_interval),
            f"{fit.relative_error:.2g}",
            f"{fit.exceeded:.0%}" if math.isfinite(fit.exceeded) else "nan",
            with_interval(fit.radius_suggested, fit.radius_interval),
            f"{fit.radius_used:.3g}",
            f"{fit.used_over_suggested:.3g}",
            fit.verdict,
        )
        for fit in fits
    ]


@dataclass(frozen=True)
class _Lines:
    """Lines L0 + L1 g, many at once, read at one g: L0, L1 (*batch,)."""

    L0: Array
    L1: Array
    g: float

    @property
    def smoothness(self) -> Array:
        return self.L0 + self.L1 * self.g

    @property
    def share(self) -> Array:
        """L1 g of the whole; 0 of 0 is 0."""
        part, whole = self.L1 * self.g, self.smoothness
        return np.divide(part, whole, out=np.zeros_like(whole), where=whole > 0)


def _fit(path: LayerPath, penalty: float, lower: float, resamples: int, seed: int) -> LayerFit:
    if path.n == 0:
        return _nothing(path)
    g, L, low_g = path.gradnorm_next, path.ratio, np.minimum(path.gradnorm, path.gradnorm_next)
    at, used = known_median(path.gradnorm), known_median(path.step_length)
    fit = _Lines(*fit_asymmetric(g, L, penalty, lower), at)
    resampled = _Lines(*_resampled(g, L, penalty, lower, resamples, seed), at)
    line, smoothness, interval = fit.L0 + fit.L1 * g, float(fit.smoothness), _interval(resampled.smoothness)
    enough = path.n >= MIN_POINTS
    error = relative_error(line, L)
    above = exceeded(low_g, L) if enough else math.nan
    adversarial = _largest(path.ratio_adversarial, fit.L0 + fit.L1 * path.gradnorm)
    judgement = judge(
        path,
        Evidence(
            gradnorm=at,
            smoothness=smoothness,
            smoothness_interval=interval,
            share_interval=_interval(resampled.share),
            exceeded=above,
            L1=float(fit.L1),
            influence=influence(g, L, at, penalty, lower, LIMITS) if enough else None,
            adversarial=adversarial,
            relative_error=error,
            held_out_error=held_out_error(g, L, penalty, lower) if enough else math.nan,
        ),
    )
    suggested = suggested_radius(at, smoothness)
    L0_envelope, L1_envelope = fit_envelope(low_g, L)
    return LayerFit(
        layer=path.layer,
        n=path.n,
        L0_seen=float(fit.L0),
        L1_seen=float(fit.L1),
        L0_interval=_interval(resampled.L0),
        L1_interval=_interval(resampled.L1),
        relative_error=error,
        above=float((line < L).mean()),
        L0_envelope=L0_envelope,
        L1_envelope=L1_envelope,
        exceeded=above,
        adversarial=adversarial,
        verdict=judgement.verdict,
        reason=judgement.reason,
        findings=judgement.findings,
        radius_suggested=suggested,
        radius_interval=(suggested_radius(at, interval[1]), suggested_radius(at, interval[0])),
        radius_used=used,
        used_over_suggested=used / suggested if suggested > 0 else math.nan,
    )


def _nothing(path: LayerPath) -> LayerFit:
    """Of a layer that never moved: nan, and why."""
    nan, nowhere = math.nan, (math.nan, math.nan)
    judgement = judge(path, Evidence(nan, nan, nowhere, nowhere, nan, nan))
    unknown: dict[str, Any] = {
        field.name: nowhere if field.name.endswith("_interval") else nan for field in fields(LayerFit)
    }
    said = {name: getattr(judgement, name) for name in ("verdict", "reason", "findings")}
    return LayerFit(**{**unknown, "layer": path.layer, "n": 0, **said})


def _largest(ratios: Array, line: Array) -> float:
    """Of the quotients, where a ratio is known; inf over a line of 0, nan if none is known."""
    known = ratios > 0
    if not known.any():
        return math.nan
    return float(np.divide(ratios, line, out=np.full_like(ratios, np.inf), where=line > 0)[known].max())


def suggested_radius(gradnorm: float, smoothness: float) -> float:
    """g / (L0 + L1 g); 0 at g = 0, inf where the gradient never changed, nan for nan."""
    if gradnorm == 0 and not math.isnan(smoothness):
        return 0.0
    return gradnorm / smoothness if smoothness != 0 else math.inf


def _resampled(
    g: Array, L: Array, penalty: float, lower: float, resamples: int, seed: int
) -> tuple[Array, Array]:
    """Fits of n points in blocks of ceil(n^(1/3)), each from anywhere on the path; nan for n too small."""
    n = len(g)
    if n < MIN_POINTS:
        return np.full(resamples, np.nan), np.full(resamples, np.nan)
    size = math.ceil(n ** (1 / 3))
    rng = np.random.default_rng(seed % 2**64)
    first = rng.integers(0, n - size + 1, (resamples, math.ceil(n / size), 1))
    picks = (first + np.arange(size)).reshape(resamples, -1)[:, :n]
    return fit_asymmetric(g[picks], L[picks], penalty, lower)


def _interval(values: Array) -> Interval:
    """Two of the values: no interpolation, so that inf stays inf."""
    low, high = np.quantile(values, (TAIL, 1 - TAIL), method="inverted_cdf")
    return float(low), float(high)


def with_interval(value: float, interval: Interval) -> str:
    """The value with three digits, and its interval in brackets if that is known."""
    low, high = interval
    return f"{value:.3g}" if math.isnan(low) else f"{value:.3g} ({low:.3g}, {high:.3g})"


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    if isinstance(value, dict):
        return {name: _plain(v) for name, v in value.items()}
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
