"""(L0, L1)-smoothness: fronts that samples show, and pairs that are certified."""

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from assumptions import ExponentialL0L1, HessianL0L1, LiteralL0L1, LocalL0L1
from assumptions.l0l1.form import L0L1Form
from figures.drawing import curve
from figures.numbers import Numbers, table
from figures.recipe import Recipe
from figures.style import looks
from problems import CoshRidge, ExpRidge, LogLoss, Power, Problem, QuarticRidge

FAMILIES: dict[str, Problem] = {
    r"$|x|^3 / 3$": Power(p=3.0, d=2),
    r"$x^4 / 4$": QuarticRidge((1.0,)),
    r"$\cosh x - 1$": CoshRidge((1.0,)),
    r"$e^x$": ExpRidge((1.0,)),
    r"$\log(1 + e^{-x})$": LogLoss((1.0,)),
}
POWER_PAIRS = (0.25, 0.5, 1.0, 2.0, 4.0)
"""L1 of certified pairs of |x|^3 / 3, which has one for each."""
FORMS: dict[str, type[L0L1Form]] = {
    "Hessian": HessianL0L1,
    "exponential": ExponentialL0L1,
    "local": LocalL0L1,
    "literal": LiteralL0L1,
}
SPAN = 8.0
"""Samples have coordinates from -SPAN to SPAN."""
LEVELS = np.unique(np.concatenate([[0.0], np.geomspace(0.05, 6.0, 120), POWER_PAIRS]))
"""L1 at which fronts are read, those of the certified pairs among them."""


class L0L1Fronts(Recipe):
    """(L0, L1) fronts: the least L0 for each L1 that samples allow, with certified pairs."""

    name = "l0l1-fronts"
    paper = ""
    status = "own"
    see = (
        "Every certified pair lies on or above the front of its function; (0, 1) suffices for e^x and the "
        "logistic loss, |x|^3 / 3 trades L0 against L1; the literal form, at any distance, asks for more."
    )
    panels = (1, 2)

    def compute(self, full: bool = False, seed: int = 0) -> Numbers:
        """Fronts of the Hessian form of several functions, and of several forms of x^4 / 4."""
        n = 100_000 if full else 10_000
        tables = {"L1": table(LEVELS)}
        for i, problem in enumerate(FAMILIES.values()):
            tables[f"front_seen{i}"] = front_seen(HessianL0L1, problem, n, seed)
            tables[f"certified{i}"] = table(certified(problem))
        for name, form in FORMS.items():
            tables[f"quartic {name}"] = front_seen(form, FAMILIES[r"$x^4 / 4$"], n, seed)
        facts = {"problems": [repr(p) for p in FAMILIES.values()], "span": SPAN, "samples": n}
        return Numbers(self.name, tables, facts, full, seed)

    def draw(self, numbers: Numbers, figure: Figure) -> None:
        """Left: functions, certified pairs as rings. Right: forms on x^4 / 4."""
        left, right = figure.subplots(1, 2, sharey=True)
        L1 = numbers["L1"]
        for i, (label, look) in enumerate(zip(FAMILIES, looks(len(FAMILIES)), strict=True)):
            curve(left, L1, numbers[f"front_seen{i}"], look._replace(marker=""), label)
            pairs = numbers[f"certified{i}"]
            ring = {"linestyle": "", "marker": look.marker, "fillstyle": "none", "color": look.color}
            left.plot(pairs[:, 1], pairs[:, 0], clip_on=False, zorder=4, **ring)
        left.set_title("Hessian form, rings certified")
        right.set_title("$x^4 / 4$")
        for name, look in zip(FORMS, looks(len(FORMS)), strict=True):
            curve(right, L1, numbers[f"quartic {name}"], look, name)
        for ax in (left, right):
            ax.set(xlabel="$L_1$", xlim=(0, 5), ylim=(0, 1e4))
            ax.set_yscale("symlog", linthresh=1.0)
            ax.legend(loc="upper right", ncols=1 if ax is left else 2)
            ax.set_ylabel("$L_0$ seen")
            ax.label_outer()


def front_seen(form: type[L0L1Form], problem: Problem, n: int, seed: int) -> np.ndarray:
    """The least L0 that samples allow at each of ``LEVELS``, (n_levels,)."""
    generator = torch.Generator().manual_seed(seed)
    x, y = (SPAN * (2 * _uniform(n, problem.d, generator) - 1) for _ in range(2))
    # short pairs and long ones: the local form speaks of the former alone
    y = x + (y - x) * 10 ** (-3 * _uniform(n, 1, generator))
    front = form.front(problem, x, y)
    return table([front.L0_at(L1) for L1 in LEVELS.tolist()])


def _uniform(n: int, d: int, generator: torch.Generator) -> Tensor:
    return torch.rand(n, d, dtype=torch.float64, generator=generator)


def certified(problem: Problem) -> list[tuple[float, float]]:
    """Certified pairs (L0, L1) of the Hessian form."""
    same = [problem]
    if isinstance(problem, Power):
        same = [Power(p=problem.p, d=problem.d, l1=l1) for l1 in POWER_PAIRS]
    facts = [c.assumption for p in same for c in p.certified]
    return [fact.pair for fact in facts if isinstance(fact, HessianL0L1)]
