"""Gradients that PAGE spends until the gap is a thousandth of what it was, with two steps.

f has n terms (x^2 + c_j y^2) / 2; c_j > 0 for as few terms as its condition number kappa lets there be. The
step for any terms, page/pl, falls with n: n + sqrt(n) kappa gradients. That for convex terms, page/convex-pl,
does not: n + kappa.
"""

import math

import torch

from problems.quadratic_sum import QuadraticSum
from workbench import run
from workbench.methods.page import PAGE

EPS = 1e-3
REPLICATES = 16


def family(n: int, kappa: float) -> QuadraticSum:
    """L_max = L_avg = 1, mu = 1 / kappa, all of it in ceil(n / kappa) terms; both coordinates start alike."""
    few = math.ceil(n / kappa)
    c = n / (kappa * few)
    terms = tuple(((1.0, 0.0), (0.0, c if j < few else 0.0)) for j in range(n))
    return QuadraticSum(terms, start=(kappa**-0.5, 1.0))


def constants(problem: QuadraticSum) -> dict[str, float]:
    """The certified ones by name."""
    return {n: getattr(c.assumption, n) for c in problem.certified for n in c.assumption.constants()}


def gradients(problem: QuadraticSum, stepsize: float, steps: int) -> float:
    """Mean over the replicates of the gradients of terms spent until gap <= EPS gap0."""
    method = PAGE(stepsize, 1 / problem.n_terms)
    trace = run(method, problem, steps=steps, replicates=REPLICATES, record=("gap", "grad_calls"))
    done = trace["gap"] <= EPS * trace["gap"][:, :1]
    if not done.any(1).all():
        raise RuntimeError(f"{steps} steps were too few for {method!r}")
    return float(trace["grad_calls"].gather(1, done.int().argmax(1, keepdim=True)).mean())


def measured(n: int, kappa: float) -> tuple[float, float]:
    """With the step of page/pl, and with that of page/convex-pl; p = 1 / n, one term."""
    problem = family(n, kappa)
    c = constants(problem)
    for_any = min(1 / (c["L_avg"] * (1 + math.sqrt(2 * (n - 1)))), 1 / (2 * n * c["mu_pl"]))
    for_convex = 2 / (9 * c["L_max"])
    one, two = (
        gradients(problem, s, int(-0.7 * math.log(EPS) / (s * c["mu_pl"])) + 10 * n)
        for s in (for_any, for_convex)
    )
    return one, two


def fitted(rows: list[tuple[int, float]], spent: list[float], power: float) -> tuple[float, float, float]:
    """a, b of spent = (a n + b n^power kappa) log(1 / EPS), relative least squares, and the worst error."""
    table = torch.tensor([[n, n**power * kappa] for n, kappa in rows], dtype=torch.float64)
    table = table * -math.log(EPS) / torch.tensor(spent, dtype=torch.float64)[:, None]
    a, b = torch.linalg.lstsq(table, torch.ones(len(spent), 1, dtype=torch.float64)).solution[:, 0]
    worst = (table @ torch.stack([a, b]) - 1).abs().max()
    return float(a), float(b), float(worst)


def main() -> None:
    """The table and the fits."""
    rows = [(n, kappa) for kappa in (30.0, 120.0) for n in (16, 64, 256, 1024)]
    rows += [(n, n / 2) for n in (16, 64, 256)]
    found = [measured(n, kappa) for n, kappa in rows]
    print(f"{'n':>5} {'kappa':>6}   passes: {'page/pl':>9} {'page/convex-pl':>15}")
    for (n, kappa), (one, two) in zip(rows, found, strict=True):
        print(f"{n:5d} {kappa:6.0f}           {one / n:9.1f} {two / n:15.1f}")
    for name, spent in zip(("page/pl", "page/convex-pl"), zip(*found, strict=True), strict=True):
        for power, form in ((0.5, "sqrt(n) kappa"), (0.0, "kappa")):
            a, b, worst = fitted(rows, list(spent), power)
            print(f"{name}: ({a:.2f} n + {b:.2f} {form}) log(1/eps), off by {worst:.0%} at worst")


main()
