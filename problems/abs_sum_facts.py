"""What the rows prove of a mean of absolute values |<a_j, y> + r_j|."""

import math
from fractions import Fraction
from itertools import combinations

import torch

from assumptions.outward import length_up, root_down, root_up, round_up
from problems.gram import Rows, gram_bounds, row_rank

SUBSETS = 1000
"""Sets of rows, or of their signs, of which all are tried; more are not."""


def largest_slope(rows: Rows) -> float:
    """At least max |mean t_j a_j| over |t_j| <= 1, attained at signs: all are tried if they are few.

    It is the norm of a gradient: where sum t_j a_j = v is longest, t_j has the sign of <a_j, v>, else a
    change of t_j would make it longer; those are the signs of f far away along v. For many: mean |a_j|.
    """
    n, d = len(rows), range(len(rows[0]))
    if 2 ** (n - 1) > SUBSETS:
        return round_up(sum((Fraction(length_up(a)) for a in rows), Fraction(0)) / n)
    exact = [[Fraction(e) for e in a] for a in rows]
    best = Fraction(0)
    for bits in range(2 ** (n - 1)):
        signed = [(1 if bits >> j & 1 else -1, a) for j, a in enumerate(exact)]
        total = [sum((t * a[i] for t, a in signed), Fraction(0)) for i in d]
        best = max(best, sum((e * e for e in total), Fraction(0)))
    return round_up(root_up(best) / n)


def kink_modulus(rows: Rows) -> float:
    """At least 1 / smin of every set of linearly independent rows; inf where there are many sets."""
    n, d = len(rows), len(rows[0])
    sizes = range(1, min(n, d) + 1)
    if sum(math.comb(n, k) for k in sizes) > SUBSETS:
        return math.inf
    sets = [chosen for k in sizes for chosen in combinations(rows, k) if row_rank(chosen) == k]
    least = min(
        gram_bounds(torch.tensor(chosen, dtype=torch.float64), 1, rank=len(chosen)).low for chosen in sets
    )
    return round_up(1 / root_down(least)) if least > 0 else math.inf
