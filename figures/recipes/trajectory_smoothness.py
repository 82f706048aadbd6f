"""Trajectory smoothness of layers: the ratio against the gradient norm, with the line that is fitted."""

import matplotlib as mpl
import numpy as np
import xarray
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from figures.drawing import bound
from figures.numbers import Numbers, table
from figures.probe_recipe import ProbeRecipe
from figures.recipes._probed import facts_of, few_of, short
from figures.style import looks
from workbench.probes.fits.fit import fit_smoothness
from workbench.probes.fits.layer_path import layer_paths

LAYERS = 2
"""From the first to the last; more, stacked in a column, would be longer than a page."""

THIRDS = ("first third of the steps", "second", "last")
EUCLIDEAN = ("ratio", "gradnorm", "gradnorm_next", "step_length")
"""Quantities that a result has in the Euclidean norm as well, under names with _2."""
HEADROOM = 1.3
"""Free above the highest point, for the error."""
MARGIN = 0.06
"""On both sides, so that the ticks at 0 do not meet."""


class TrajectorySmoothness(ProbeRecipe):
    """Smoothness along a training: ratio against gradient norm, layer by layer, with the fitted line."""

    name = "trajectory-smoothness"
    paper = "arXiv:2505.13416"
    status = "re-derived"
    see = (
        "A line L0 + L1 |G| is worth what its verdict says: at one gradient norm early and later steps have "
        "different ratios; above in the norms of the optimizer, below in the Euclidean one."
    )
    panels = (2, LAYERS)
    ratio = 0.8
    needs = (*ProbeRecipe.needs, *(f"{name}_2" for name in EUCLIDEAN))

    def numbers(self, result: xarray.Dataset, full: bool, seed: int) -> Numbers:
        """A few layers in both norms; the fit is the same, the verdict is that of the probe."""
        chosen = result.isel(layer=few_of(result, LAYERS))
        fits = fit_smoothness(chosen)
        tables = {}
        for which, seen in (("", chosen), ("_2", euclidean(chosen))):
            for j, (path, fit) in enumerate(zip(layer_paths(seen), fit_smoothness(seen), strict=True)):
                tables[f"step{which}{j}"] = table(path.step)
                tables[f"gradnorm{which}{j}"] = path.gradnorm_next
                tables[f"ratio{which}{j}"] = path.ratio
                tables[f"line{which}{j}"] = table([fit.L0_seen, fit.L1_seen])
                tables[f"error{which}{j}"] = table([fit.relative_error])
        facts = {
            "layers": [fit.layer for fit in fits],
            "verdicts": [fit.verdict for fit in fits],
            "reasons": [fit.reason for fit in fits],
            **facts_of(result),
        }
        return Numbers(self.name, tables, facts, full, seed)

    def draw(self, numbers: Numbers, figure: Figure) -> None:
        """Above the norms of the optimizer, below Euclidean ones; a mark for each third of the training."""
        axes = figure.subplots(2, LAYERS, squeeze=False)
        for row, (which, norm) in zip(axes, (("", r"\ast"), ("_2", "2")), strict=True):
            for j, ax in enumerate(row):
                if j >= len(numbers.facts["layers"]):
                    ax.set_axis_off()
                    continue
                _panel(ax, numbers, f"{which}{j}")
                title = short(numbers.facts["layers"][j])
                ax.set_title(f"{title}\n{numbers.facts['verdicts'][j]}" if which == "" else title)
                ax.set_xlabel(rf"$\|G'\|_{norm}$ (loss / length)")
                if j == 0:
                    ax.set_ylabel(r"ratio (loss / length$^2$)")
        handles, labels = axes[0, 0].get_legend_handles_labels()
        columns = 4 if figure.get_figwidth() > 45 * mpl.rcParams["font.size"] / 72 else 2
        figure.legend(handles, labels, loc="outside upper center", ncols=columns, columnspacing=1.0)


def euclidean(result: xarray.Dataset) -> xarray.Dataset:
    """The same result read in the Euclidean norm, without what is known in the other norms alone."""
    two = {name: result[f"{name}_2"] for name in EUCLIDEAN}
    return result.drop_vars([name for name in result if name not in ("cosine", "loss")]).assign(two)


def _panel(ax: Axes, numbers: Numbers, which: str) -> None:
    """Points by third of the steps, and the line from 0 to the largest gradient norm."""
    g, ratio = numbers[f"gradnorm{which}"], numbers[f"ratio{which}"]
    L0, L1 = numbers[f"line{which}"]
    parts = np.array_split(np.argsort(numbers[f"step{which}"], kind="stable"), len(THIRDS))
    for part, label, look in zip(parts, THIRDS, looks(len(THIRDS)), strict=True):
        ax.plot(g[part], ratio[part], linestyle="", marker=look.marker, color=look.color, label=label)
    ends = table([0.0, g.max()])
    bound(ax, ends, L0 + L1 * ends, "fit", zorder=3)
    for axis, top in ((ax.xaxis, g.max()), (ax.yaxis, HEADROOM * max(ratio.max(), L0 + L1 * g.max()))):
        top = top or 1.0
        axis.set_view_interval(-MARGIN * top, (1 + MARGIN) * top, ignore=True)
        axis.set_major_locator(MaxNLocator(4))
    text = f"rel. error {numbers[f'error{which}'][0]:.2g}"
    ax.text(0.97, 0.97, text, transform=ax.transAxes, ha="right", va="top", fontsize="small")
