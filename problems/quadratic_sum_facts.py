"""What the matrices A_j prove of the terms x'A_j x / 2 - <b_j, x> of a sum."""

from collections.abc import Sequence
from fractions import Fraction

import torch
from torch import Tensor

from assumptions import Certificate
from assumptions.outward import certify, root_up, round_up
from assumptions.sums.average_smooth import AverageSmooth
from assumptions.sums.component_convex import ComponentConvex
from assumptions.sums.component_smooth import ComponentSmooth
from assumptions.sums.component_strongly_convex import ComponentStronglyConvex
from assumptions.sums.component_weakly_convex import ComponentWeaklyConvex
from assumptions.sums.expected_similarity import ExpectedSimilarity
from assumptions.sums.interpolation import Interpolation
from assumptions.sums.star_similarity import StarSimilarity
from assumptions.sums.star_variance import StarVariance
from assumptions.sums.uniform_similarity import UniformSimilarity
from problems.exact_rank import positive_rank
from problems.gram import gram_bounds
from problems.solved_quadratic import TINY, symmetric_margin

Matrices = tuple[tuple[tuple[float, ...], ...], ...]
Rationals = Sequence[Sequence[Fraction]]


def term_facts(
    hessians: Matrices,
    linear: tuple[tuple[float, ...], ...],
    mean: Rationals,
    x_star: list[float] | None,
    unique: bool,
) -> tuple[Certificate, ...]:
    """mean: A, exact. x_star: a minimiser without error, if one is known. unique: whether it is alone."""
    stacked = torch.tensor(hessians, dtype=torch.float64)
    differences = torch.tensor(
        [[[float(Fraction(h) - m) for h, m in zip(*rows, strict=True)] for rows in zip(a, mean, strict=True)]
         for a in hessians],
        dtype=torch.float64,
    )  # fmt: skip
    psd = psd_terms(hessians)
    spread = root_mean_square(differences)
    average = "the root of the largest eigenvalue of mean (A_j - A)^2, rounded up"
    at_star = x_star is not None and (unique or psd) and _vanish(hessians, linear, x_star)
    same = "A_j x_star = b_j for all j, in exact arithmetic, and the kernel of A is in that of every A_j"
    return (
        *certify(ComponentSmooth, largest(stacked), "the largest |eigenvalue| of the A_j, rounded up"),
        *certify(AverageSmooth, root_mean_square(stacked), "(x - y)' mean(A_j^2) (x - y), rounded up"),
        *certify(
            UniformSimilarity, largest(differences), "the largest |eigenvalue| of the A_j - A, rounded up"
        ),
        *certify(ExpectedSimilarity, spread, average),
        *certify(StarSimilarity, spread, average),
        *_convexity(stacked, psd),
        *((Certificate(Interpolation(), proof=same),) if at_star else ()),
    )


def star_fact(
    hessians: Matrices, linear: tuple[tuple[float, ...], ...], x_star: list[float], error: float, unique: bool
) -> tuple[Certificate, ...]:
    """What the gradients at the minimisers are. x_star: one, off by at most ``error``. unique: as above.

    mean |A_j y - b_j|^2 for the exact minimiser y = x_star + e: by Minkowski its root is at most that at
    x_star, in exact arithmetic, plus L_avg |e|. Where A_j >= 0, A_j y is the same for all minimisers y.
    """
    if len(hessians) == 1:
        return (Certificate(StarVariance(0.0), proof="one term: its gradient is that of f"),)
    if not (unique or all(_semidefinite(a) for a in hessians)):
        return ()
    square = sum(_residuals(hessians, linear, x_star), Fraction(0)) / len(hessians)
    moved = Fraction(error) * Fraction(root_mean_square(torch.tensor(hessians, dtype=torch.float64)))
    why = "the root of mean |A_j x_star - b_j|^2, rounded up, plus L_avg times the error of x_star"
    return (Certificate(StarVariance(round_up(root_up(square) + moved)), proof=why),)


def largest(matrices: Tensor) -> float:
    """At least the largest |eigenvalue|; entries off by one rounding. matrices: (n, d, d), symmetric."""
    sizes = torch.linalg.eigvalsh(matrices).abs().amax(dim=-1).tolist()
    return max(size + symmetric_margin(a) for size, a in zip(sizes, matrices, strict=True))


def root_mean_square(matrices: Tensor) -> float:
    """At least the root of the largest eigenvalue of mean A_j^2 = B'B / n, B all rows. (n, d, d) in."""
    n, d, _ = matrices.shape
    if not bool(matrices.any()):
        return 0.0
    high = gram_bounds(matrices.reshape(n * d, d), n, entries=1).high
    # entries below the normal floats are off by TINY, not by EPS of themselves
    return round_up(root_up(high) + Fraction(d * TINY))


def _convexity(stacked: Tensor, psd: bool) -> tuple[Certificate, ...]:
    lows = torch.linalg.eigvalsh(stacked)[:, 0].tolist()
    bounds = [(low, symmetric_margin(a)) for low, a in zip(lows, stacked, strict=True)]
    smallest = "the smallest eigenvalue of the A_j, rounded down"
    if not psd:
        return certify(ComponentWeaklyConvex, max(margin - low for low, margin in bounds), smallest)
    strong = max(min(low - margin for low, margin in bounds), 0.0)
    return (
        Certificate(ComponentConvex(), proof="every A_j is positive semidefinite, in exact arithmetic"),
        *certify(ComponentStronglyConvex, strong, smallest),
    )


def psd_terms(hessians: Matrices) -> bool:
    """Whether every A_j is positive semidefinite, in exact arithmetic."""
    return all(_semidefinite(a) for a in hessians)


def _semidefinite(a: tuple[tuple[float, ...], ...]) -> bool:
    matrix = torch.tensor(a, dtype=torch.float64)
    low, margin = float(torch.linalg.eigvalsh(matrix)[0]), symmetric_margin(matrix)
    return low > margin or (low >= -margin and positive_rank(a) is not None)


def _vanish(hessians: Matrices, linear: tuple[tuple[float, ...], ...], x: list[float]) -> bool:
    """A_j x = b_j for all j, exactly."""
    return not any(_residuals(hessians, linear, x))


def _residuals(hessians: Matrices, linear: tuple[tuple[float, ...], ...], x: list[float]) -> list[Fraction]:
    """|A_j x - b_j|^2 for all j, exactly."""
    zero = (0.0,) * len(x)
    return [
        sum(((_inner(row, x) - Fraction(b)) ** 2 for row, b in zip(a, right, strict=True)), Fraction(0))
        for a, right in zip(hessians, linear or (zero,) * len(hessians), strict=True)
    ]


def _inner(row: tuple[float, ...], x: list[float]) -> Fraction:
    return sum((Fraction(h) * Fraction(e) for h, e in zip(row, x, strict=True)), Fraction(0))
