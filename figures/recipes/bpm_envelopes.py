"""Ball envelopes of functions of one variable."""

import torch
from matplotlib.figure import Figure

from figures.numbers import Numbers, table
from figures.recipe import Recipe
from figures.style import looks
from problems import BallEnvelope, DoubleWell, MaxAffine

RADII = (0.25, 0.5, 1.0)
KINKED = MaxAffine(d=1, pieces=6, seed=39)
"""Kinks at about -1, 0 and 1/2."""
SPAN = 2.5
"""x from -SPAN to SPAN."""
PANELS = ("double well", "max of affine functions")


class BPMEnvelopes(Recipe):
    """Ball envelopes: the least value of f within t of x, for several t."""

    name = "bpm-envelopes"
    paper = "arXiv:2502.02002"
    status = "re-derived"
    see = (
        "Envelopes keep the minimum and widen it into a plateau; a hill becomes a lower kink and is gone at "
        "t = 1, where the double well is ball-convex; the kinks of a convex function move and stay."
    )
    panels = (1, 2)

    def compute(self, full: bool = False, seed: int = 0) -> Numbers:
        """f and its envelopes on a grid."""
        x = torch.linspace(-SPAN, SPAN, 1001 if full else 301, dtype=torch.float64).unsqueeze(-1)
        problems = (DoubleWell(d=1), KINKED)
        tables = {"x": table(x[:, 0])}
        for i, problem in enumerate(problems):
            tables[f"f{i}"] = table(problem.value(x))
            for t in RADII:
                tables[f"f{i} within {t}"] = table(BallEnvelope(problem, t).value(x))
        facts = {"radii": list(RADII), "problems": [repr(p) for p in problems]}
        return Numbers(self.name, tables, facts | {"x_star": float(problems[1].x_star)}, full, seed)

    def draw(self, numbers: Numbers, figure: Figure) -> None:
        """f in black, envelopes in colour, one panel for each function."""
        axes = figure.subplots(1, 2)
        x = numbers["x"]
        for i, ax in enumerate(axes):
            ax.plot(x, numbers[f"f{i}"], color="black", linewidth=0.9, label="$f$")
            for t, look in zip(numbers.facts["radii"], looks(len(RADII)), strict=True):
                style = {**look._asdict(), "marker": ""}
                ax.plot(x, numbers[f"f{i} within {t}"], label=f"$t = {t:g}$", **style)
            top = (2.2, 1.05 * float(numbers["f1"].max()))[i]
            ax.set(xlabel="$x$", ylim=(-0.04 * top, top), title=PANELS[i], ylabel=r"$N_f^t(x)$")
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
