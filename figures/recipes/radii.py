"""Is the smoothness that a probe saw smoothness? The ratio over multiples of the same step tells."""

from dataclasses import replace

import numpy as np
import xarray
from matplotlib.figure import Figure

from figures.drawing import band, bound, curve
from figures.numbers import Numbers, NumbersError, table
from figures.probe_recipe import ProbeRecipe
from figures.recipes._probed import MANY, facts_of, few_of, listed, log_ticks, paths_of, short, spread
from figures.recipes._stochastic import key
from figures.style import looks
from workbench.probes.fits.fit import fit_smoothness
from workbench.probes.fits.judgement import C_OVER_T_SLOPE
from workbench.probes.fits.layer_path import LayerPath
from workbench.probes.fits.trends import scale_slope

INTERVAL = (0.1, 0.9)
"""Of the steps."""


class Radii(ProbeRecipe):
    """Is L1 real, or c / t? The ratio against the length of the step, of layers of a network."""

    name = "radii"
    paper = ""
    status = "own"
    see = (
        "The ratio hardly changes with the length of the step: it is curvature; of a kink, or of noise, it "
        "would fall like 1 / t, along the dashed lines, to the exponent -1."
    )
    panels = (1, 2)
    ratio = 0.95
    needs = (*ProbeRecipe.needs, "ratio_scaled")

    def numbers(self, result: xarray.Dataset, full: bool, seed: int) -> Numbers:
        """The ratio at multiples of each step of a few layers; its power of the length, of up to ``MANY``.

        NumbersError for a probe whose scales do not differ by a factor 2.
        """
        paths = paths_of(result)
        rows = spread([*paths], MANY)
        slopes = table([exponents(paths[i]) for i in rows])
        if not np.isfinite(slopes).any():
            raise NumbersError(
                f"{self.name} needs scales that differ by a factor 2; the probe has "
                f"{', '.join(f'{s:g}' for s in result['scale'].values)}"
            )
        tables = {"scale": table(result["scale"].values), "exponent": slopes}
        shown = few_of(result)
        for j, i in enumerate(shown):
            tables[f"ratio{j}"] = paths[i].ratio_scaled
            tables[f"length{j}"] = table([np.median(paths[i].step_length)])
        facts = {
            "layers": [paths[i].layer for i in rows],
            "verdicts": [fit.verdict for fit in fit_smoothness(result.isel(layer=rows))],
            "shown": [paths[i].layer for i in shown],
            **facts_of(result),
        }
        return Numbers(self.name, tables, facts, full, seed)

    def draw(self, numbers: Numbers, figure: Figure) -> None:
        """Left: medians and bands over the steps, and c / t through the steps taken. Right: the exponents."""
        left, right = figure.subplots(1, 2)
        facts, scale = numbers.facts, numbers["scale"]
        for j, (layer, look) in enumerate(zip(facts["shown"], looks(len(facts["shown"])), strict=True)):
            at, ratio = scale * numbers[f"length{j}"], numbers[f"ratio{j}"]
            band(left, at, ratio, look, short(layer))
            through = np.nanmedian(ratio, axis=0)[np.abs(np.log(scale)).argmin()]
            bound(left, at, through / scale, r"$\propto 1/t$" if layer == facts["shown"][-1] else None)
        left.set(xscale="log", yscale="log", xlabel="step $t$ (length)", ylabel=r"ratio (loss / length$^2$)")
        log_ticks(left.xaxis)
        log_ticks(left.yaxis)
        low, middle, high = numbers["exponent"].T
        listed(right, facts["layers"], facts["verdicts"], middle, np.stack([low, high], axis=1))
        ends = [-0.5, len(facts["layers"]) - 0.5]
        for value in (0.0, -1.0):
            bound(right, [value] * 2, ends)
        curve(right, [C_OVER_T_SLOPE] * 2, ends, looks(1)[0]._replace(color="0.6", linestyle=":", marker=""))
        right.set(xlabel="exponent of $t$ (smooth: 0, $c/t$: $-1$)", xticks=(-1, -0.5, 0, 0.5))
        right.set_xlim(min(-1.2, np.nanmin(low) - 0.1), max(0.4, np.nanmax(high) + 0.1))
        key(left, ncols=2)
        key(right, ncols=2)


def exponents(path: LayerPath) -> tuple[float, float, float]:
    """Slopes of log ratio over log length, as the verdict reads them: 10 %, median, 90 % of the steps."""
    each = [scale_slope(replace(path, ratio_scaled=row[None])) for row in path.ratio_scaled]
    known = np.array([slope for slope in each if np.isfinite(slope)])
    if not known.size:
        return np.nan, np.nan, np.nan
    low, high = np.quantile(known, INTERVAL)
    return float(low), scale_slope(path), float(high)
