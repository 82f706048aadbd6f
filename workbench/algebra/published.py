"""What is published beside our bounds, and where ours says more, with the reason, checked where it can be.

Only comparisons that follow from statements of the library; a theorem of status SOURCED is published as it
stands.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

import sympy as sp

from workbench.algebra.identities import Derivation, Given, Wrong

radius, dist, dist_next = sp.symbols("radius dist dist_next", positive=True)

LINE_IS_BETTER = Derivation(
    name="1 - radius/dist against 1 / (1 + radius/dist_next)",
    says="the published factor less ours is radius / (dist (dist_next + radius)) times dist_next + radius - "
    "dist, which is nonnegative: a step of length radius shortens the distance by no more",
    theorems=("bpm/line", "bpm-norm/line"),
    claim=1 / (1 + radius / dist_next) - (1 - radius / dist),
    given=(Given(radius / (dist * (dist_next + radius)), dist_next + radius - dist, "triangle inequality"),),
    wrong=(
        Wrong("twice the radius in ours", {"claim": 1 / (1 + radius / dist_next) - (1 - 2 * radius / dist)}),
    ),
)


@dataclass(frozen=True)
class Published:
    """A published form beside ours.

    form   as published; where: who says so
    better why ours says more, empty where it does not
    proof  the derivation that shows it, or None: then the proof of the theorem does
    check  True if an independent computation agrees; None where there is none
    """

    form: str
    where: str
    better: str = ""
    proof: Derivation | None = None
    check: Callable[[], bool] | None = None


def point_saga_factors(
    L: Fraction = Fraction(1), mu: Fraction = Fraction(1, 100), n: int = 10
) -> tuple[float, float]:
    """(ours, published): contraction of Point-SAGA per step, each with its own stepsize, one term drawn.

    Ours: point-saga/smooth at 1 / sqrt(L mu n); published: 1 / (1 + stepsize mu) at the stepsize of
    arXiv:1602.02442.
    """
    largest, strong = float(L), float(mu)
    theirs = ((n - 1) ** 2 + 4 * n * largest / strong) ** 0.5 / (2 * largest * n) - (1 - 1 / n) / (
        2 * largest
    )
    ours = (largest * strong * n) ** -0.5
    table = 1 - 2 / (n * (ours * (largest + strong) + 2))
    point = 1 / (1 + 2 * ours * largest * strong / (largest + strong))
    return max(table, point), 1 / (1 + strong * theirs)


def _point_saga_is_better() -> bool:
    ours, published = point_saga_factors()
    return ours < published


_NEXT = "gap_next <= gap / (1 + radius/dist_next)"
_LINE = Published(
    _NEXT,
    "the paper's form; bpm/next-distance is it as a theorem",
    "one step contracts by exactly 1 - radius/dist, never more than the published factor; and no bound in "
    "radius/dist is smaller, as |x| on the line attains it",
    LINE_IS_BETTER,
    lambda: LINE_IS_BETTER.holds,
)
PUBLISHED: Mapping[str, Published] = {
    "bpm/line": _LINE,
    "bpm-norm/line": _LINE,
    "sgd/interpolation-step": Published(
        "stepsize <= 1 / (2 L_b), factor 1 - stepsize mu",
        "arXiv:1901.09401, Theorem 3.1, without noise at the minimiser",
        "stepsizes twice as long are allowed: the proof uses E |d_S|^2 <= 2 L_b gap once",
    ),
    "sgd/interpolation": Published(
        "stepsize <= 1 / (2 L_b), factor 1 - stepsize mu",
        "arXiv:1901.09401, Theorem 3.1, without noise at the minimiser",
        "stepsizes twice as long are allowed, by sgd/interpolation-step",
    ),
    "gluon/weighted-average": Published(
        "the same bound for the smallest", "arXiv:2505.13416, Theorem 1", "it bounds the mean over the steps"
    ),
    "gluon/average": Published(
        "the same bound for the smallest",
        "arXiv:2505.13416, Theorem 3, part 1",
        "it bounds the mean over the steps",
    ),
    "gluon/stochastic-coupled": Published(
        "layers that do not act on one another", "arXiv:2505.13416", "coupled layers are included"
    ),
    "point-saga/smooth": Published(
        "1 / (1 + stepsize mu), point-saga/defazio",
        "arXiv:1602.02442",
        "with its own Lyapunov function and stepsize 1 / sqrt(L mu n) it contracts faster: the factors for "
        "L = 1, mu = 1/100, n = 10 are {:.6f} against {:.6f}".format(*point_saga_factors()),
        None,
        _point_saga_is_better,
    ),
}
"""Id -> what is published beside it."""
