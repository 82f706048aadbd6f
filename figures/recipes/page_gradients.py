"""PAGE: gradients of terms that it spends with the steps of its theorems, over time and over n."""

import math

import numpy as np
import torch
from matplotlib.figure import Figure

from figures.drawing import band, bound, curve, entry
from figures.numbers import Numbers, table
from figures.recipe import Recipe
from figures.recipes._stochastic import (
    Array,
    against,
    constants,
    first_below,
    gaussian_rows,
    key,
    over_cost,
    until,
)
from figures.style import looks
from problems import LinkSum, QuadraticSum
from workbench import run
from workbench.methods import SGD, GradientDescent
from workbench.theorem import Theorem
from workbench.theorems.li2021 import NONCONVEX, PL_RATE
from workbench.theorems.page_convex import CONVEX, CONVEX_PL

EPS = 1e-3
KAPPA = 30.0


def family(n: int, kappa: float) -> QuadraticSum:
    """n terms (x^2 + c_j y^2) / 2: L_max = L_avg = 1, mu = 1 / kappa, all of it in ceil(n / kappa) terms."""
    few = math.ceil(n / kappa)
    c = n / (kappa * few)
    terms = tuple(((1.0, 0.0), (0.0, c if j < few else 0.0)) for j in range(n))
    return QuadraticSum(terms, start=(kappa**-0.5, 1.0))


class PAGEGradients(Recipe):
    """PAGE with the steps of its theorems: n + sqrt(n) kappa gradients, and n + kappa for convex terms."""

    name = "page-gradients"
    paper = "arXiv:2509.00737"
    status = "re-derived"
    see = "PAGE beats GD if n is large; with the step for convex terms n hardly matters below kappa."
    panels = (1, 2)
    ratio = 0.95

    def compute(self, full: bool = False, seed: int = 0) -> Numbers:
        """Left: logistic regression. Right: sums of n quadratics, gradients until EPS of the first gap."""
        replicates, passes = 16 if full else 8, 16 if full else 8
        tables = _over_passes(500 if full else 200, passes, replicates, seed)
        sizes = [8, 16, 32, 64, 128, 256, 512] if full else [8, 16, 32, 64, 128]
        found = {"pl": [], "convex-pl": []}
        for n in sizes:
            for name, theorem in (("pl", PL_RATE), ("convex-pl", CONVEX_PL)):
                found[name].append(gradients(theorem, n, 16 if full else 8, seed))
        for name, rows in found.items():
            tables[f"{name} seen"] = table([seen for seen, _ in rows])
            tables[f"{name} bound"] = table([limit for _, limit in rows])
        tables["gd seen"] = table([[descent(n, seed)] for n in sizes])
        return Numbers(self.name, {**tables, "n": table(sizes)}, {"kappa": KAPPA, "eps": EPS}, full, seed)

    def draw(self, numbers: Numbers, figure: Figure) -> None:
        """Left: squared gradients over passes. Right: gradients over n."""
        left, right = figure.subplots(1, 2)
        names = {"gd": "GD", "sgd": "SGD", "any": "PAGE, any terms", "convex": "PAGE, convex terms"}
        styles = dict(zip(names, looks(4), strict=True))
        for name, text in names.items():
            band(left, numbers["passes"], numbers[name], styles[name], text)
            if f"{name} bound" in numbers.tables:
                bound(left, numbers["passes"], numbers[f"{name} bound"], look=styles[name])
        left.set(
            yscale="log", xlabel="passes over the data", ylabel=r"mean of $\|\nabla f(x_j)\|^2$, $j < k$"
        )
        n = numbers["n"]
        for name, shown in (("gd", "gd"), ("pl", "any"), ("convex-pl", "convex")):
            curve(right, n, numbers[f"{name} seen"].mean(-1), styles[shown], names[shown])
            if f"{name} bound" in numbers.tables:
                bound(right, n, numbers[f"{name} bound"], look=styles[shown])
        entry(left, "bounds of the means")
        entry(right, "from the bounds")
        right.set(xscale="log", yscale="log", xlabel="terms $n$", ylabel=rf"gradients of terms to ${EPS:g}$")
        key(left)
        key(right)


def separated(n: int, d: int = 5) -> LinkSum:
    """Logistic losses of n examples that a plane separates: f_star = 0, no minimiser; L_avg near L_max."""
    rows = torch.tensor(gaussian_rows(n, d, seed=4), dtype=torch.float64) + 1
    rows = rows / rows.norm(dim=1, keepdim=True)
    return LinkSum("logistic", tuple(map(tuple, rows.tolist())), start=(-1.0,) * d)


def _over_passes(n: int, passes: int, replicates: int, seed: int) -> dict[str, Array]:
    """Means of the squared gradients so far at each pass, (replicates, passes), and bounds."""
    problem, grid = separated(n), np.arange(3, passes + 1)
    rules = {"p": 1 / n, "minibatch": 1, "replacement": False}
    tables = {"passes": table(grid)}
    for name, theorem in (("any", NONCONVEX), ("convex", CONVEX)):
        steps = passes * n // 2
        claim = against(theorem, problem, steps, replicates, seed, **rules)
        tables[f"{name} share"] = (claim.measured.mean(0) / claim.bound)[1:-1]
        tables[name] = over_cost(claim.trace["grad_calls"].numpy(), claim.measured, grid * n)
        paid = n + (3 - 2 / n) * np.arange(steps + 1)
        tables[f"{name} bound"] = over_cost(table(paid[None]), claim.bound[None], grid * n)[0]
    c = constants(problem)
    for name, method, steps in (
        ("gd", GradientDescent(1 / c["L"]), passes),
        ("sgd", SGD(1 / c["L_max"]), passes * n),
    ):
        trace = run(method, problem, steps=steps, replicates=replicates, seed=seed, record=("gradnorm",))
        square = trace["gradnorm"].numpy() ** 2
        so_far = table(square.cumsum(1) / np.arange(1, steps + 2))
        tables[name] = over_cost(trace["grad_calls"].numpy(), so_far, grid * n)
    return tables


def gradients(theorem: Theorem, n: int, replicates: int, seed: int) -> tuple[Array, float]:
    """Gradients of terms of each replicate until EPS, and of as many steps as the bound takes."""
    rules = {"p": 1 / n, "minibatch": 1, "replacement": False}
    promise, spent = until(theorem, family(n, KAPPA), EPS, replicates, seed, **rules)
    return spent, n + (1 + 2 * (1 - 1 / n)) * promise


def descent(n: int, seed: int) -> float:
    """Gradients of terms that gradient descent spends, with the step 1 / L."""
    problem = family(n, KAPPA)
    trace = run(GradientDescent(1 / constants(problem)["L"]), problem, steps=int(5 * KAPPA), seed=seed)
    return n * float(first_below(trace["gap"].numpy(), EPS * float(trace["gap"][0, 0]))[0])
