"""Points at which inequalities are tried."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from assumptions.base import Function
from assumptions.guards import require_dimension, require_positive, require_seed
from assumptions.region import EVERYWHERE, Region, require_region

DECADES = 6.0
"""Offsets and separations spread over this many powers of ten."""
LARGEST = 1e2
"""Largest offset and separation, in units of the size of the centre (at least 1)."""


HUGE = 1e150
"""Where f is larger, squares and differences of what it returns overflow, and nothing can be said."""
MOST = 10**6
"""Tuples of a grid."""
HALVINGS = 60
"""Steps towards x0 that a point outside the region takes; then it is x0."""


def sample_points(
    problem: Function, n: int, arity: int = 2, seed: int = 0, region: Region = EVERYWHERE
) -> tuple[Tensor, ...]:
    """``arity`` tensors (n, d): row i of all of them is one tuple of points.

    Centres are ``x0`` and, if offered, ``x_star``. The first point of a tuple is a centre plus an
    offset, the others the first plus a separation; both lengths are log-uniform over six decades
    up to 100 times the size of the centre. Half of the tuples move along axes, half in uniformly
    random directions. A point outside ``region`` is moved halfway to a point of it (``anchor_in``), as often
    as it takes; one outside the domain as ``into_domain`` says, where the problem offers it. The same for the
    same seed. ValueError unless n, arity >= 1, or if no point of the region is known.
    """
    require_dimension(n=n, arity=arity)
    require_region(region)
    require_seed(seed)
    anchor = anchor_in(problem, region)
    generator = torch.Generator().manual_seed(seed)
    centres = [c for c in _special(problem) if bool(region.contains(c))] or [anchor]
    stacked = torch.stack(centres)
    centre = stacked[(torch.arange(n) % len(centres)).to(stacked.device)]
    size = LARGEST * centre.norm(dim=-1, keepdim=True).clamp(min=1.0)
    first = centre + size * _moves(n, problem.d, generator).to(centre)
    others = [first + size * _moves(n, problem.d, generator).to(centre) for _ in range(arity - 1)]
    points = tuple(into_region(p, region, anchor) for p in (first, *others))
    if problem.offers("into_domain"):
        points = tuple(getattr(problem, "into_domain")(p) for p in points)  # noqa: B009  (optional attribute)
    # what overflows is moved in as well
    return tuple(halfway(p, anchor, lambda x: in_domain(problem, x, region)) for p in points)


def anchor_in(problem: Function, region: Region) -> Tensor:
    """A point of the region: x0, x_star, the center of a ball or the middle of a box, (d,).

    The first of these at which something can be said of f (``in_domain``), else the first.
    ValueError if none of these lies in the region, or if its points have another dimension.
    """
    candidates = _special(problem)
    center = getattr(region, "center", None)
    low, high = getattr(region, "low", None), getattr(region, "high", None)
    if center is None and low is not None and high is not None:
        center = tuple((a + b) / 2 for a, b in zip(low, high, strict=True))
    if isinstance(center, tuple) and len(center) == problem.d:
        candidates.append(candidates[0].new_tensor(center))
    try:
        inside = [c for c in candidates if bool(region.contains(c))]
    except ValueError as error:
        message = f"region {region!r} does not fit dimension {problem.d}: {error}"
        raise ValueError(message) from None
    if not inside:
        raise ValueError(
            f"region must hold x0 = {candidates[0].tolist()}, the minimiser or a center that it names, "
            f"got {region!r}"
        )
    return next((c for c in inside if bool(in_domain(problem, c, region))), inside[0])


def _special(problem: Function) -> list[Tensor]:
    """x0 and, if offered, x_star, each (d,)."""
    x0 = problem.x0.detach().to(torch.float64)
    star = [getattr(problem, "x_star").detach().to(x0)] if problem.offers("x_star") else []  # noqa: B009
    return [x0, *star]


def grid_points(
    problem: Function, each: int, arity: int = 2, region: Region = EVERYWHERE, half: float | None = None
) -> tuple[Tensor, ...]:
    """All tuples of ``arity`` points of an even grid, ``each`` numbers per axis: ``arity`` tensors (n, d).

    The grid fills the cube around x0 (``anchor_in`` the region) of half side ``half``, by default 3 times the
    distance from x0 to x_star (1 if that is not known or 0); only points of the region and of the domain are
    kept. ValueError for more than 10^6 tuples: use ``sample_points`` there; or if no point is left.
    """
    require_dimension(each=each, arity=arity)
    require_region(region)
    if arity > 1 and each < 2:
        raise ValueError(f"each must be >= 2 for tuples of {arity} points, got {each!r}")
    axes = problem.d * arity
    if axes * math.log(each) > math.log(MOST):
        most = int(MOST ** (1 / axes) + 1e-9)
        fitting = f"at most {most} fit" if most > 1 else "no grid fits"
        raise ValueError(
            f"a grid of {each} points per axis has {each}^{axes} tuples in dimension {problem.d}, more than "
            f"10^6; {fitting}; sample points instead"
        )
    x0 = anchor_in(problem, region)
    if half is None:
        half = 3 * float((x0 - _special(problem)[-1]).norm()) or 1.0
    require_positive(half=half)
    line = torch.linspace(-half, half, each, dtype=x0.dtype).to(x0) if each > 1 else x0.new_zeros(1)
    points = x0 + torch.cartesian_prod(*[line] * problem.d).reshape(-1, problem.d)
    points = points[in_domain(problem, points, region)]
    if not points.shape[0]:
        raise ValueError(f"no point of the grid around x0 lies in the domain and in region {region!r}")
    index = torch.arange(points.shape[0])
    tuples = torch.cartesian_prod(*[index] * arity).reshape(-1, arity)
    return tuple(points[tuples[:, i]] for i in range(arity))


def into_region(x: Tensor, region: Region, anchor: Tensor) -> Tensor:
    """x where it is in the region, else halfway to the anchor until it is. x: (*batch, d), anchor: (d,)."""
    x = halfway(x, anchor, region.contains)
    return torch.where(region.contains(x).unsqueeze(-1), x, anchor.expand_as(x))


def halfway(x: Tensor, anchor: Tensor, inside: Callable[[Tensor], Tensor]) -> Tensor:
    """x where it is inside, else halfway to the anchor until it is, at most 60 times. Shapes (*batch, d)."""
    for _ in range(HALVINGS):
        outside = ~inside(x)
        if not bool(outside.any()):
            break
        x = torch.where(outside.unsqueeze(-1), (x + anchor) / 2, x)
    return x


def in_domain(problem: Function, x: Tensor, region: Region = EVERYWHERE) -> Tensor:
    """Whether x lies in the region, where f is defined and |f| <= ``HUGE``. x: (*batch, d). bool (*batch,).

    nan is no reason to leave a point out: it is a defect that should be seen.
    """
    inside = region.contains(x)
    if problem.offers("contains"):
        inside = inside & getattr(problem, "contains")(x)  # noqa: B009  (optional attribute)
    return inside & ~(problem.value(x).abs() > HUGE)


def _moves(n: int, d: int, generator: torch.Generator) -> Tensor:
    """(n, d), lengths log-uniform in [10^-DECADES, 1]; each row along an axis with probability 1/2."""
    free = torch.randn(n, d, dtype=torch.float64, generator=generator)
    free = free / free.norm(dim=-1, keepdim=True)
    index = torch.randint(d, (n,), generator=generator)
    sign = torch.randint(2, (n, 1), generator=generator) * 2.0 - 1.0
    axis = torch.nn.functional.one_hot(index, d).to(torch.float64) * sign
    along_axis = torch.rand(n, 1, dtype=torch.float64, generator=generator) < 0.5
    decades = DECADES * torch.rand(n, 1, dtype=torch.float64, generator=generator)
    return torch.where(along_axis, axis, free) * torch.exp(-math.log(10.0) * decades)
