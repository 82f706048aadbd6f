"""The radius that a fit of the smoothness predicts, beside the radius that was used, layer by layer."""

import matplotlib as mpl
import xarray
from matplotlib.figure import Figure

from figures.drawing import bound, curve, positive
from figures.numbers import Numbers, table
from figures.probe_recipe import ProbeRecipe
from figures.recipes._probed import MANY, facts_of, few_of, listed, log_ticks, paths_of, short, spread
from figures.recipes._stochastic import key
from figures.style import looks
from workbench.probes.fits.fit import fit_smoothness, suggested_radius


class PredictedRadius(ProbeRecipe):
    """Predicted against used radius: g / (L0 + L1 g) of the fit of a layer, and the length of its steps."""

    name = "predicted-radius"
    paper = "arXiv:2505.13416"
    status = "re-derived"
    see = (
        "Left, a fit predicts a radius only as well as its interval and its verdict say; right, how many "
        "times that radius the steps were, which a constant radius lets grow as gradients vanish."
    )
    panels = (1, 2)
    ratio = 0.95

    def numbers(self, result: xarray.Dataset, full: bool, seed: int) -> Numbers:
        """Fits of at most ``MANY`` layers; of a few the radius of the fit at the gradient of each step."""
        paths = paths_of(result)
        rows = spread([*paths], MANY)
        fits = fit_smoothness(result.isel(layer=rows))
        tables = {
            "suggested": table([fit.radius_suggested for fit in fits]),
            "interval": table([fit.radius_interval for fit in fits]),
            "used": table([fit.radius_used for fit in fits]),
        }
        shown = few_of(result)
        for j, (i, fit) in enumerate(zip(shown, fit_smoothness(result.isel(layer=shown)), strict=True)):
            path = paths[i]
            tables[f"step{j}"] = table(path.step)
            tables[f"length{j}"] = path.step_length
            tables[f"radius{j}"] = table(
                [suggested_radius(g, fit.L0_seen + fit.L1_seen * g) for g in path.gradnorm.tolist()]
            )
        facts = {
            "layers": [fit.layer for fit in fits],
            "verdicts": [fit.verdict for fit in fits],
            "shown": [paths[i].layer for i in shown],
            **facts_of(result),
        }
        return Numbers(self.name, tables, facts, full, seed)

    def draw(self, numbers: Numbers, figure: Figure) -> None:
        """Left: a row for each layer. Right: used over predicted along the training."""
        left, right = figure.subplots(1, 2)
        facts = numbers.facts
        rows = range(len(facts["layers"]))
        listed(left, facts["layers"], facts["verdicts"], numbers["suggested"], numbers["interval"])
        bar = {"marker": "|", "markersize": 2.6 * mpl.rcParams["lines.markersize"], "color": "black"}
        bar |= {"markeredgewidth": mpl.rcParams["lines.linewidth"]}
        left.plot(numbers["used"], rows, linestyle="", label="used", **bar)
        left.set(xscale="log", xlabel="radius (length)")
        for j, (layer, look) in enumerate(zip(facts["shown"], looks(len(facts["shown"])), strict=False)):
            over = positive(numbers[f"length{j}"] / positive(numbers[f"radius{j}"]))
            curve(right, numbers[f"step{j}"], over, look, short(layer))
        bound(right, [0, max(float(numbers[f"step{j}"].max()) for j in range(len(facts["shown"])))], [1, 1])
        right.set(yscale="log", xlabel="step $k$", ylabel="used / predicted")
        for axis in (left.xaxis, right.yaxis):
            log_ticks(axis)
        key(left, ncols=2)
        key(right, ncols=2)
