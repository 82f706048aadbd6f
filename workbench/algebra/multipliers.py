"""Proofs from multipliers: a claim as a weighted sum of interpolation inequalities plus a sum of squares.

Worst-case programmes have such proofs as their dual solutions. For short chains the multipliers are known in
closed form; put in, everything is exact arithmetic in fractions, with no solver: the function values must
cancel, the weights must not be negative, and what is left must be a sum of squares, which is found.

The minimiser is the origin: x_star = 0, f_star = 0, and so is its gradient.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from workbench.algebra.forms import Combination, Form, combined, inner, squares, text, value


@dataclass(frozen=True)
class Sample:
    """A point, its (sub)gradient and its value; the minimiser has neither gradient nor value."""

    name: str
    x: Combination
    g: Combination
    f: Form


CONVEX = "[xi from xj] = f_i - f_j - <g_j, x_i - x_j>"
SMOOTH_CONVEX = f"{CONVEX} - |g_i - g_j|^2 / (2 L)"
STRONGLY_CONVEX = (
    f"{CONVEX} - (|g_i - g_j|^2 / L + mu |x_i - x_j|^2 - 2 mu/L <g_i - g_j, x_i - x_j>) / (2 (1 - mu/L))"
)
SMOOTH = "[xi from xj] = f_i - f_j - <g_i + g_j, x_i - x_j> / 2 - |g_i - g_j|^2 / (4 L) + L/4 |x_i - x_j|^2"

STAR = Sample("*", {}, {}, Form())


def convex(i: Sample, j: Sample, mu: Fraction = Fraction(0), L: Fraction | None = None) -> Form:
    """f_i - f_j - <g_j, x_i - x_j> - ... >= 0, mu-strongly convex, L-smooth; None: not smooth.

    Source: Taylor, Hendrickx, Glineur (2017), Theorem 4.
    """
    x, g = combined((1, i.x), (-1, j.x)), combined((1, i.g), (-1, j.g))
    plain = i.f - j.f - inner(j.g, x)
    if L is None:
        return plain - mu / 2 * inner(x, x)
    curved = 1 / L * inner(g, g) + mu * inner(x, x) - 2 * mu / L * inner(g, x)
    return plain - 1 / (2 * (1 - mu / L)) * curved


def smooth(i: Sample, j: Sample, L: Fraction) -> Form:
    """f_i - f_j - <g_i + g_j, x_i - x_j> / 2 - |g_i - g_j|^2 / (4 L) + L/4 |x_i - x_j|^2 >= 0.

    L-smooth, not convex. Source: Taylor, Hendrickx, Glineur (2017), Theorem 3.10 of the thesis of A. Taylor.
    """
    x, g = combined((1, i.x), (-1, j.x)), combined((1, i.g), (-1, j.g))
    mean = combined((1, i.g), (1, j.g))
    return i.f - j.f - Fraction(1, 2) * inner(mean, x) - 1 / (4 * L) * inner(g, g) + L / 4 * inner(x, x)


@dataclass(frozen=True)
class Used:
    """An inequality ``form >= 0`` with its weight; ``says`` in words."""

    weight: Fraction
    form: Form
    says: str


@dataclass(frozen=True)
class MultiplierProof:
    """bound - measured = sum of weight * form + sum of squares, at the numbers ``at``.

    ``says`` is bound - measured in words, ``law`` the inequality that is used between points i and j.
    ValueError from ``squares`` if it is no proof, naming what fails.
    """

    theorem: str
    says: str
    at: Mapping[str, Fraction]
    law: str
    slack: Form
    used: tuple[Used, ...]

    @property
    def squares(self) -> list[tuple[Fraction, dict[str, Fraction]]]:
        """What is left, as weights and vectors. ValueError where this is no proof."""
        negative = [u.says for u in self.used if u.weight < 0]
        if negative:
            raise ValueError(f"{self.theorem}: negative weight of {', '.join(negative)}")
        left = self.slack
        for u in self.used:
            left = left - u.weight * u.form
        if left.values:
            raise ValueError(f"{self.theorem}: function values do not cancel: {text(_parts(left.values))}")
        found = squares(left)
        if found is None:
            raise ValueError(f"{self.theorem}: what is left is no sum of squares")
        return found

    @property
    def holds(self) -> bool:
        """True if it is a proof."""
        try:
            return self.squares is not None
        except ValueError:
            return False

    def lines(self) -> list[str]:
        """The proof for people."""
        at = ", ".join(f"{name} = {number}" for name, number in self.at.items())
        weighted = [f"{u.weight} * [{u.says}]" for u in self.used if u.weight]
        left = [f"{w} * |{text(_parts(v))}|^2" for w, v in self.squares]
        head = f"{self.says} is the sum of, at {at}:"
        return [head, *(f"  {line}" for line in (*weighted, *left)), f"  where {self.law} >= 0"]


def _parts(table: Mapping[str, Fraction]) -> list[tuple[Fraction, str]]:
    return [(c, name) for name, c in table.items()]


# -- chains ----------------------------------------------------------------------------------------


def _start() -> Sample:
    return Sample("0", {"x0": Fraction(1)}, {"g0": Fraction(1)}, value("f0"))


def gradient_steps(n: int, stepsize: Fraction) -> list[Sample]:
    """x_0, ..., x_n of gradient descent."""
    points = [_start()]
    for k in range(1, n + 1):
        x = combined((1, points[-1].x), (-stepsize, points[-1].g))
        points.append(Sample(str(k), x, {f"g{k}": Fraction(1)}, value(f"f{k}")))
    return points


def strongly_convex_step(
    mu: Fraction = Fraction(1, 10), L: Fraction = Fraction(1), stepsize: Fraction = Fraction(1)
) -> MultiplierProof:
    """gd/strongly-convex: one weight for both inequalities between x and the minimiser."""
    start, after = gradient_steps(1, stepsize)
    factor = max(abs(1 - stepsize * mu), abs(1 - stepsize * L))
    short = stepsize * (L + mu) <= 2
    weight = 2 * stepsize * (1 - stepsize * mu if short else stepsize * L - 1)
    used = tuple(
        Used(weight, convex(i, j, mu, L), f"x{i.name} from x{j.name}")
        for i, j in ((start, STAR), (STAR, start))
    )
    slack = factor**2 * inner(start.x, start.x) - inner(after.x, after.x)
    at = {"mu": mu, "L": L, "stepsize": stepsize}
    return MultiplierProof(
        "gd/strongly-convex", f"{factor**2} dist^2 - dist_next^2", at, STRONGLY_CONVEX, slack, used
    )


def nonconvex_step(L: Fraction = Fraction(1), stepsize: Fraction = Fraction(1)) -> MultiplierProof:
    """gd/nonconvex after one step: f_1 >= f_star, and smoothness between x_0 and x_1."""
    start, after = gradient_steps(1, stepsize)
    gain = stepsize * (2 - L * stepsize) / 2
    used = (
        Used(Fraction(1), smooth(start, after, L), "x0 from x1"),
        Used(Fraction(1), after.f, "f(x1) >= f_star"),
    )
    slack = start.f - gain * inner(start.g, start.g)
    return MultiplierProof(
        "gd/nonconvex", f"gap0 - {gain} gradnorm0^2", {"L": L, "stepsize": stepsize}, SMOOTH, slack, used
    )


def proximal_step(stepsize: Fraction = Fraction(1)) -> MultiplierProof:
    """ppm/convex after one step: the subgradient at x_1, which the step itself gives."""
    x = combined((1, {"x0": Fraction(1)}), (-stepsize, {"g1": Fraction(1)}))
    after = Sample("1", x, {"g1": Fraction(1)}, value("f1"))
    used = (Used(Fraction(1), convex(STAR, after), "x* from x1"),)
    slack = 1 / (4 * stepsize) * inner({"x0": Fraction(1)}, {"x0": Fraction(1)}) - after.f
    says = f"{1 / (4 * stepsize)} dist0^2 - gap1"
    return MultiplierProof("ppm/convex", says, {"stepsize": stepsize}, CONVEX, slack, used)


def convex_steps(n: int, L: Fraction = Fraction(1)) -> MultiplierProof:
    """gd/convex with stepsize 1/L after n steps. Weights: Drori and Teboulle (2014), proof of Theorem 1.

    k / (2 n + 1 - k) between x_(k-1) and x_k; their increments between the minimiser and each point.
    """
    points = gradient_steps(n, 1 / L)
    along = [Fraction(k, 2 * n + 1 - k) for k in range(1, n + 1)]
    ends = [Fraction(0), *along, Fraction(1)]
    used = [
        Used(w, convex(points[k], points[k + 1], Fraction(0), L), f"x{k} from x{k + 1}")
        for k, w in enumerate(along)
    ]
    used += [
        Used(after - before, convex(STAR, point, Fraction(0), L), f"x* from x{k}")
        for k, (point, before, after) in enumerate(zip(points, ends, ends[1:], strict=False))
    ]
    bound = L / (4 * n + 2)
    slack = bound * inner(points[0].x, points[0].x) - points[-1].f
    at = {"L": L, "stepsize": 1 / L, "n": Fraction(n)}
    return MultiplierProof("gd/convex", f"{bound} dist0^2 - gap{n}", at, SMOOTH_CONVEX, slack, tuple(used))


def multiplier_proofs() -> tuple[MultiplierProof, ...]:
    """The proofs that are known, at plain numbers."""
    return (
        strongly_convex_step(),
        strongly_convex_step(stepsize=Fraction(9, 5)),
        nonconvex_step(),
        proximal_step(),
        *(convex_steps(n) for n in (1, 2, 3)),
    )
