"""Calibration of the statistics: how often a true claim is refuted, and how soon a false one."""

import matplotlib as mpl
import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from assumptions.moments.e_value import LOG_REFUTED
from figures.drawing import bound, curve, entry
from figures.numbers import Numbers, table
from figures.recipe import Recipe
from figures.recipes._stochastic import key
from figures.style import looks
from workbench.match import match
from workbench.verify.calibration import SHRUNK, STEPS, STUDIES, Study, highest_log_e, summarised
from workbench.verify.mean import process_of
from workbench.verify.process import needed

FACTORS = (1.15, 1.25, 1.5, 2.0, 3.0, 5.0)
"""By how much the mean exceeds the bound in the right panel."""


class Calibration(Recipe):
    """Studies of claims that hold with equality: none is refuted; bounds that are too small are."""

    name = "calibration"
    paper = ""
    status = "own"
    see = "No true claim is refuted; a bound that is too small is, within the replicates of the formula."
    panels = (1, 2)
    ratio = 0.95

    def compute(self, full: bool = False, seed: int = 0) -> Numbers:
        """Every claim of the calibration so often, each study with draws of its own."""
        studies, replicates = (100, 2048) if full else (16, 512)
        tables, facts = {}, {"studies": studies, "names": [s.name for s in STUDIES], "shrunk": list(SHRUNK)}
        for i, study in enumerate(STUDIES):
            ratios = torch.stack([_ratios(study, replicates, seed, s * replicates) for s in range(studies)])
            found = summarised(study, ratios)
            facts |= {f"false{i}": found.false, f"cv{i}": found.cv if study.finite_variance else None}
            tables[f"largest{i}"] = table([found.largest])
            tables[f"at{i}"] = table(found.at)
            tables[f"detected{i}"] = table([found.detected[s] for s in SHRUNK])
            tables[f"soon{i}"] = table([np.median(_refuted_at(ratios * c)) for c in FACTORS])
            if study.finite_variance:
                tables[f"formula{i}"] = table([needed(c, found.cv) for c in FACTORS])
        return Numbers(self.name, {**tables, "factor": table(FACTORS)}, facts, full, seed)

    def draw(self, numbers: Numbers, figure: Figure) -> None:
        """Left: share of studies that have refuted, light tails. Right: replicates over mean / bound."""
        left, right = figure.subplots(1, 2)
        facts = numbers.facts
        x = numbers["at0"]
        for row, s, look in zip(numbers["detected0"], facts["shrunk"], looks(3), strict=True):
            curve(left, x, row, look, f"bound {s:.0%} too small".replace("%", r" %"))
        never = np.full(len(x), facts["false0"] / facts["studies"])
        curve(
            left,
            x,
            never,
            looks(4)[3],
            "true bound",
            linestyle="",
            markerfacecolor="none",
            markersize=1.8 * mpl.rcParams["lines.markersize"],
        )
        left.set(
            xscale="log", xlabel="replicates", ylabel="share of studies, light tails", ylim=(-0.05, 1.05)
        )
        left.set_xticks(x, [f"{v:g}" for v in x], minor=False)
        left.minorticks_off()
        for i, (name, look) in enumerate(zip(facts["names"], looks(3), strict=True)):
            curve(right, numbers["factor"], numbers[f"soon{i}"], look, name)
            if f"formula{i}" in numbers.tables:
                bound(right, numbers["factor"], numbers[f"formula{i}"], look=look)
        entry(right, "formula")
        right.set(
            xscale="log", yscale="log", xlabel="mean / bound", ylabel="replicates until refuted, median"
        )
        right.set_xticks([1.2, 1.5, 2, 3, 5], ["1.2", "1.5", "2", "3", "5"])
        right.minorticks_off()
        key(left)
        key(right)


def _ratios(study: Study, replicates: int, seed: int, first: int) -> Tensor:
    """What the replicates of one study say, (replicates,)."""
    cases = match(study.theorem, study.problem)
    assert not isinstance(cases, str), cases
    return process_of(cases[0], replicates, STEPS, seed, first=first).ratios


def _refuted_at(ratios: Tensor) -> np.ndarray:
    """Replicates until the e-value of a study refutes, inf if it does not; (studies,)."""
    refuted = highest_log_e(ratios) >= LOG_REFUTED
    return np.where(refuted.any(1), refuted.int().argmax(1) + 1.0, np.inf)
