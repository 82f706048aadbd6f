"""What is promised, what the worst function of the class does, and what runs do."""

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from figures.drawing import bound, curve, thin
from figures.evaluate import sides
from figures.numbers import Numbers, table
from figures.recipe import Recipe
from figures.style import looks
from problems import Problem, Quadratic
from workbench import Method, Theorem, run
from workbench.methods import GradientDescent, Nesterov
from workbench.theorems.drori2014 import CONVEX
from workbench.theorems.nesterov_accelerated import CONVEX as ACCELERATED
from workbench.worst_case import worst_case
from workbench.worst_case.worst_function import worst_function

THEOREMS: tuple[tuple[str, Theorem], ...] = (("gradient descent", CONVEX), ("accelerated", ACCELERATED))
MOMENTUM = {"beta": lambda k: k / (k + 3)}
"""Of the accelerated method, as its theorem has it."""
WIDE = 4.0
"""The bound shows under a curve that lies on it."""
USUAL = Quadratic((1.0, 0.3, 0.1, 0.03), seed=None)


class WorstCaseFigure(Recipe):
    """Bound, exact worst case and runs: how much of a bound the class, and a problem, uses up."""

    name = "worst-case"
    paper = ""
    status = "own"
    see = (
        "For gradient descent the bound is the worst case; for the accelerated method the class stays below "
        "it. The run on the worst function meets the worst case at its last step, and nowhere before."
    )
    panels = (1, 2)

    def compute(self, full: bool = False, seed: int = 0) -> Numbers:
        """Gaps over L dist0^2 at steps 1..n, of convex L-smooth functions, stepsize 1/L.

        Tables bound_i, worst_i (proved, at each k), run_i (on the function that is worst at k = n), and
        usual_i (on a quadratic).
        """
        n = 20 if full else 8
        tables = {}
        for i, (_, theorem) in enumerate(THEOREMS):
            cases = [worst_case(theorem, steps=k) for k in range(1, n + 1)]
            problem = worst_function(cases[-1], cases[-1].functions[0])
            tables |= {
                f"bound_{i}": table([case.bound for case in cases]),
                f"worst_{i}": table([case.upper for case in cases]),
                f"run_{i}": _gaps(theorem, problem, n),
                f"usual_{i}": _gaps(theorem, USUAL, n),
            }
        return Numbers(self.name, tables, {"methods": [name for name, _ in THEOREMS]}, full, seed)

    def draw(self, numbers: Numbers, figure: Figure) -> None:
        """One panel a method."""
        worst, attained, usual = looks(3)
        for i, ax in enumerate(figure.subplots(1, 2, sharey=True)):
            k = np.arange(1, len(numbers[f"bound_{i}"]) + 1)
            bound(ax, k, numbers[f"bound_{i}"], "bound", linestyle="-", color="0.75", linewidth=WIDE * thin())
            curve(ax, k, numbers[f"worst_{i}"], worst, "worst case", markevery=1)
            curve(ax, k, numbers[f"run_{i}"], attained, "run on its function", markevery=1)
            curve(ax, k, numbers[f"usual_{i}"], usual, "run on a quadratic", markevery=1)
            ax.set(title=numbers.facts["methods"][i], xlabel="step $k$", yscale="log")
            if i == 0:
                ax.set_ylabel(r"gap$(x_k)$ / $L\,\mathrm{dist}^2(x_0)$")
        figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)


def _gaps(theorem: Theorem, problem: Problem, n: int) -> NDArray[np.float64]:
    """Gap over L dist0^2 at the steps 1..n, with the hyperparameters of the theorem, L = 1."""
    accelerated = theorem is ACCELERATED
    method: Method = Nesterov(stepsize=1.0, beta=0.0) if accelerated else GradientDescent(stepsize=1.0)
    schedule = MOMENTUM if accelerated else None
    trace = run(method, problem, steps=n, schedule=schedule)
    found = sides(trace, theorem, schedule=schedule)
    return table(found.measured[0, 1:] / float(trace["dist"][0, 0]) ** 2)
