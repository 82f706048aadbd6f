"""What the constants of a link prove of f(x) = (1/n) sum_j h(<a_j, x - c> - b_j)."""

import math
from fractions import Fraction

import torch

from assumptions import PL, Certificate, Convex, Lipschitz, Smooth, StronglyConvex
from assumptions.l0l1.hessian import HessianL0L1
from assumptions.outward import certify, length_up, root_down, root_up, round_down, round_up, square_sum
from assumptions.sums.average_smooth import AverageSmooth
from assumptions.sums.component_convex import ComponentConvex
from assumptions.sums.component_l0l1 import ComponentL0L1
from assumptions.sums.component_lipschitz import ComponentLipschitz
from assumptions.sums.component_smooth import ComponentSmooth
from assumptions.sums.component_weakly_convex import ComponentWeaklyConvex
from assumptions.sums.interpolation import Interpolation
from assumptions.sums.star_variance import StarVariance
from assumptions.weakly_convex import WeaklyConvex
from problems.gram import Rows, gram_bounds, power_of_two
from problems.links import Link
from problems.separator import inner_product

Facts = tuple[Certificate, ...]


def link_facts(link: Link, a: tuple[float, ...]) -> Facts:
    """Of one ridge h(<a, x> - b)."""
    why = f"the Hessian is h''(s) a a'; {link.why}"
    square = square_sum(a)
    lowest = round_down(square * Fraction(link.mu))
    pl = f"h'(s)^2 >= 2 mu (h(s) - min h) where h'' >= mu, times |a|^2; {link.why}"
    return (
        *((Certificate(Convex(), proof=why),) if link.convex else ()),
        *certify(WeaklyConvex, 0.0 if link.convex else times(square, link.tau), why),
        *certify(Lipschitz, times(Fraction(length_up(a)), link.G), f"|grad f| = |h'(s)| |a|; {link.why}"),
        *certify(Smooth, times(square, link.L), why),
        *(certify(PL, lowest, pl) if link.minimiser is not None else ()),
        *(certify(StronglyConvex, lowest, why) if len(a) == 1 else ()),
        *hessian_fact(times(square, link.l0), link.l1 * length_up(a), why),
    )


def sum_facts(link: Link, rows: Rows, rank: int, interpolates: bool, margin: float) -> Facts:
    """Of the mean of n terms. ``rank``: of the rows. ``interpolates``: every term is minimal at c.

    ``margin``: some unit u has <a_j, u> >= margin |a_j| for all j and h is monotone; 0 if that is not known.
    """
    why = f"the Hessian is the mean of h''(s_j) a_j a_j'; {link.why}"
    largest = max(square_sum(a) for a in rows)
    mean_length = sum((Fraction(length_up(a)) for a in rows), Fraction(0)) / len(rows)
    top = gram_bounds(torch.tensor(rows, dtype=torch.float64), len(rows)).high
    same = "every term is minimal at c: h is minimal at 0 and there are no targets"
    convex = Certificate(Convex(), proof=why), Certificate(ComponentConvex(), proof=f"h'' >= 0; {link.why}")
    weakly = (
        *certify(WeaklyConvex, times(top, link.tau), why),
        *certify(ComponentWeaklyConvex, times(largest, link.tau), f"h'' >= -tau; {link.why}"),
    )
    return (
        *(convex if link.convex else weakly),
        *certify(Lipschitz, times(mean_length, link.G), f"|grad f| <= mean |h'(s_j)| |a_j|; {link.why}"),
        *certify(Smooth, times(top, link.L), why),
        *certify(ComponentSmooth, times(largest, link.L), f"|h''| |a_j|^2; {link.why}"),
        *certify(AverageSmooth, times(_average(rows), link.L), _AVERAGE),
        *_of_each(link, rows),
        *((Certificate(Interpolation(), proof=same),) if interpolates else ()),
        *((Certificate(StarVariance(0.0), proof=same),) if interpolates else ()),
        *_growth(link, rows, rank, interpolates),
        *_hessian_l0l1(link, rows, rank, top, margin),
    )


_AVERAGE = "mean |grad_j(x) - grad_j(y)|^2 <= L^2 (x - y)' mean(|a_j|^2 a_j a_j') (x - y), L = sup |h''|"


def _of_each(link: Link, rows: Rows) -> Facts:
    """(L0, L1) of every term, where it says more than smoothness, and the largest slope."""
    longest, square = max(length_up(a) for a in rows), max(square_sum(a) for a in rows)
    L0, L1 = times(square, link.l0), times(Fraction(longest), link.l1) if longest < math.inf else math.inf
    why = f"the Hessian of a term is h''(s_j) a_j a_j', its gradient h'(s_j) a_j; {link.why}"
    form = (Certificate(ComponentL0L1(L0, L1), proof=why),) if 0 < L1 < math.inf > L0 else ()
    G = times(Fraction(longest), link.G) if longest < math.inf else math.inf
    return (*form, *certify(ComponentLipschitz, G, f"|h'(s_j)| |a_j|; {link.why}"))


def times(exact: Fraction, factor: float) -> float:
    """A float >= the product; inf for an infinite factor."""
    return math.inf if factor == math.inf else round_up(exact * Fraction(factor))


def hessian_fact(L0: float, L1: float, proof: str) -> Facts:
    """The Hessian form of (L0, L1), where it says more than smoothness and both are numbers."""
    return (Certificate(HessianL0L1(L0, L1), proof=proof),) if 0 < L1 < math.inf and math.inf > L0 else ()


def monotone_margin(rows: Rows, u: tuple[float, ...]) -> float:
    """The largest float m, or one near it, with <a_j, u> >= m |a_j| |u| for all j. u: as in ``separator``."""
    size = Fraction(length_up(u))
    return min(round_down(inner_product(a, u) / (Fraction(length_up(a)) * size)) for a in rows)


def _average(rows: Rows) -> Fraction:
    """At least the square root of the largest eigenvalue of mean |a_j|^2 a_j a_j'."""
    matrix = torch.tensor(rows, dtype=torch.float64)
    size = power_of_two(matrix.abs().amax())
    scaled = matrix / size
    lengths = torch.tensor([[math.hypot(*a)] for a in scaled.tolist()], dtype=torch.float64)
    return root_up(gram_bounds(lengths * scaled, len(rows), entries=3).high) * Fraction(float(size)) ** 2


def _growth(link: Link, rows: Rows, rank: int, interpolates: bool) -> Facts:
    """Strong convexity and PL where h'' >= mu > 0."""
    if not link.mu > 0:
        return ()
    matrix = torch.tensor(rows, dtype=torch.float64)
    low = round_down(gram_bounds(matrix, len(rows), rank=rank).low * Fraction(link.mu))
    strong = f"h'' >= mu and A'A / n >= (smallest eigenvalue), rounded down; {link.why}"
    pl = (
        "with y = x_star - x in the row space, f_star >= f(x) + <grad f, y> + mu |A y|^2 / (2 n) and "
        "|A y|^2 / n >= (smallest nonzero eigenvalue of A'A / n) |y|^2: minimise over y"
    )
    return (
        *(certify(StronglyConvex, low, strong) if rank == matrix.shape[1] else ()),
        *(certify(PL, low, pl) if interpolates else ()),
    )


def _hessian_l0l1(link: Link, rows: Rows, rank: int, top: Fraction, margin: float) -> Facts:
    """|H| <= l0 |A'A / n| + l1 max |a_j| |mean of p_j e_j e_j'|, e_j = a_j / |a_j|, p_j = |h'(s_j)| |a_j|.

    Monotone h with a margin: |grad f| >= |<grad f, u>| >= margin mean p_j, and |mean p_j e_j e_j'| <= mean
    p_j. Linearly independent rows, E with rows e_j: |grad f| >= smin(E) |p| / n, |mean p_j e_j e_j'| <=
    smax(E)^2 max p_j / n. Terms could cancel in the gradient and not in the Hessian otherwise.
    """
    if not link.l1 > 0:
        return ()
    longest = max(length_up(a) for a in rows)
    found = []
    if margin > 0:
        reach = "mean p_j <= |grad f| / margin, for h is monotone and <a_j, u> >= margin |a_j|"
        found.append((1 / Fraction(margin), reach))
    if rank == len(rows):
        low, high = gram_bounds(_units(rows).mT, 1, entries=3)
        if low > 0:
            ratio = high / root_down(low)
            found.append((ratio, "max p_j / n <= |grad f| / smin(E), for the rows are linearly independent"))
    if not found:
        return ()
    factor, why = min(found)
    L1 = times(Fraction(longest) * factor, link.l1)
    return hessian_fact(times(top, link.l0), L1, f"|h''| <= l0 + l1 |h'| and {why}; {link.why}")


def _units(rows: Rows) -> torch.Tensor:
    """a_j / |a_j|, (n, d), to three roundings."""
    matrix = torch.tensor(rows, dtype=torch.float64)
    scaled = (matrix / power_of_two(matrix.abs().amax(dim=1, keepdim=True))).tolist()
    return torch.tensor([[entry / math.hypot(*a) for entry in a] for a in scaled], dtype=torch.float64)
