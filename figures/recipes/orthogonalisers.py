"""Orthogonalisers: where singular values go, and the range that is certified."""

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

from figures.drawing import curve
from figures.numbers import Numbers, table
from figures.recipe import Recipe
from figures.recipes._stochastic import key
from figures.style import looks
from workbench.orthogonal import NewtonSchulz, Orthogonaliser, PolarExpress

LOW = 0.01
"""Singular values below this share of the Frobenius norm are left out of the certified range."""
STEPS = tuple(range(1, 13))


class Orthogonalisers(Recipe):
    """Newton-Schulz and Polar Express: the map of singular values, and its certified range over the steps."""

    name = "orthogonalisers"
    paper = ""
    status = "own"
    see = (
        "Five steps of the quintic send every singular value above 0.01 into [0.68, 1.14], and more steps do "
        "not narrow that; Polar Express is at 1 after eight, the cubic still climbs after twelve."
    )
    panels = (1, 2)
    ratio = 0.85

    def compute(self, full: bool = False, seed: int = 0) -> Numbers:
        """Outputs of diagonal matrices of Frobenius norm 1, and ``range_on`` for each number of steps."""
        s = np.geomspace(1e-3, 1.0, 1201 if full else 241)
        tables = {"s": table(s), "steps": table(STEPS)}
        for i, family in enumerate(FAMILIES.values()):
            tables[f"map{i}"] = mapped(family(5), s)
            tables[f"range{i}"] = table([family(steps).range_on(LOW) for steps in STEPS])
            tables[f"factors{i}"] = table(family(5).factors(2))
        return Numbers(self.name, tables, {"families": list(FAMILIES), "low": LOW}, full, seed)

    def draw(self, numbers: Numbers, figure: Figure) -> None:
        """Left: maps of five steps, certified ranges of two shaded. Right: ends of the ranges."""
        left, right = figure.subplots(1, 2)
        s, low = numbers["s"], numbers.facts["low"]
        families = numbers.facts["families"]
        five = int(np.flatnonzero(numbers["steps"] == 5)[0])
        for i, (name, look) in enumerate(zip(families, looks(len(families)), strict=True)):
            curve(left, s, numbers[f"map{i}"], look, name)
            bottom, top = numbers[f"range{i}"].T
            if i in SHADED:
                shade = {"color": look.color, "alpha": 0.15, "linewidth": 0}
                left.fill_between([low, 1.0], bottom[five], top[five], **shade)
            for end in (bottom, top):
                curve(right, numbers["steps"], end, look)
        left.set(
            xscale="log", xlabel="singular value / Frobenius norm", ylabel="after 5 steps", ylim=(0, 1.35)
        )
        left.set_yticks([0, 0.5, 1])
        right.set_yticks([0, 1, 2])
        right.set(xlabel="steps", ylabel=f"image of $[{low:g}, 1]$", ylim=(0, 2.1), xticks=STEPS[1::2])
        for ax in (left, right):
            ax.axhline(1.0, color="0.25", linestyle=":", linewidth=0.9, zorder=1)
        key(left, ncols=2)


def quintic(steps: int) -> Orthogonaliser:
    """That of Muon."""
    return NewtonSchulz(steps, eps=0.0)


def polar_express(steps: int) -> Orthogonaliser:
    """With its safety factor."""
    return PolarExpress(steps, eps=0.0)


def cubic(steps: int) -> Orthogonaliser:
    """The textbook iteration."""
    return NewtonSchulz(steps, "cubic", eps=0.0)


def order5(steps: int) -> Orthogonaliser:
    """The textbook iteration of order 5."""
    return NewtonSchulz(steps, "order5", eps=0.0)


FAMILIES = {"quintic": quintic, "Polar Express": polar_express, "cubic": cubic, "order 5": order5}
SHADED = (0, 1)


def mapped(orthogonaliser: Orthogonaliser, s: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the singular values s, in [0, 1], of matrices of Frobenius norm 1 become; (n,) like s."""
    own = torch.from_numpy(s)
    other = (1 - own.square()).clamp(min=0).sqrt()
    return table(orthogonaliser(torch.diag_embed(torch.stack([own, other], dim=-1)))[:, 0, 0])
