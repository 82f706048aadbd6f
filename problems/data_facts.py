"""What rows of data prove of the terms h_j(<a_j, x>) + reg/2 |x|^2 of a mean."""

from fractions import Fraction

from torch import Tensor

from assumptions import Certificate
from assumptions.base import EPS
from assumptions.outward import certify, root_up, round_up
from assumptions.sums.average_smooth import AverageSmooth
from assumptions.sums.component_convex import ComponentConvex
from assumptions.sums.component_smooth import ComponentSmooth
from assumptions.sums.component_strongly_convex import ComponentStronglyConvex
from assumptions.sums.star_variance import StarVariance
from problems.gram import gram_bounds


def data_facts(rows: Tensor, curvature: float, reg: float = 0.0) -> tuple[Certificate, ...]:
    """Smoothness and convexity of the terms, 0 <= h_j'' <= curvature. rows: (n, d). reg >= 0.

    The Hessian of a term is c a a' + reg I with 0 <= c <= curvature, its square (c^2 |a|^2 + 2 c reg) a a' +
    reg^2 I. Lengths cost (d + 2) EPS, the weights of the rows six roundings, the rest is rounded up.
    """
    n, d = rows.shape
    squares = rows.square().sum(dim=-1)
    longest = float(squares.max()) * (1 + (d + 2) * EPS)
    weights = (curvature**2 * squares + 2 * curvature * reg).sqrt().unsqueeze(-1)
    top = gram_bounds(weights * rows, n, entries=d + 8).high
    L_avg = round_up(root_up(top + Fraction(reg) ** 2))
    square = (
        "the square of c a a' + reg I is (c^2 |a|^2 + 2 c reg) a a' + reg^2 I, c at most the bound of h''"
    )
    return (
        Certificate(ComponentConvex(), proof="h'' >= 0"),
        *certify(ComponentStronglyConvex, reg, "h'' >= 0, plus reg/2 |x|^2"),
        *certify(ComponentSmooth, (curvature * longest + reg) * (1 + 4 * EPS), "|h''| |a_j|^2 + reg"),
        *certify(AverageSmooth, L_avg, square),
    )


def star_fact(
    rows: Tensor, slopes: Tensor, curvature: float, x_star: Tensor, error: float, reg: float = 0.0
) -> tuple[Certificate, ...]:
    """The mean square of the gradients h_j'(<a_j, y>) a_j + reg y at the one minimiser y.

    rows: (n, d). slopes: h_j' at x_star as computed, (n,): the inner product to (d + 3) roundings of its
    terms, h_j' of it, at most ``curvature`` steep, to 16. x_star: y to ``error``. Entries of a gradient cost
    four roundings of |slope| |a_ij| and reg |x_i|, lengths (d + 2) EPS, the mean n + 4 more.
    """
    n, d = rows.shape
    longer = 1 + (d + 4) * EPS
    size, x_size = rows.norm(dim=-1) * longer, float(x_star.norm()) * longer
    inner = size * error + (d + 3) * EPS * longer * (rows.abs() @ x_star.abs())
    slope_error = longer * (curvature * inner + 16 * EPS * slopes.abs())
    moved = slope_error * size + reg * error + 4 * EPS * (slopes.abs() * size + reg * x_size)
    lengths = (slopes.unsqueeze(-1) * rows + reg * x_star).norm(dim=-1) * longer + moved * longer
    sigma = float(lengths.square().mean().sqrt()) * (1 + (n + 8) * EPS)
    why = "the gradients at the computed minimiser, with its error and the rounding bounded term by term"
    return (Certificate(StarVariance(sigma), proof=why),)
