"""The certificates of a case, checked where it went: a wrong constant must not look like a wrong theorem."""

import torch
from torch import Tensor

from assumptions import Inequality
from assumptions.exact import taken_exactly
from workbench.match import Case
from workbench.verify.claim import SUSPECT
from workbench.verify.environment import Numbers

PAIRS, FEWEST = 256, 8
"""Visited pairs of each kind at which the certificates of a case are checked, most and least."""
TAME = 1e70
"""What lies beyond it, overflows in squares and products: nan says nothing there."""
FLOATS = 2**19
"""Numbers in the gradients of all terms at so many points, about."""


def bad_facts(case: Case, found: Numbers, excess: Tensor, x: Tensor | None = None) -> str:
    """What is wrong with f_star or with a certificate at visited points; "" if nothing is seen.

    x: where the certificates are checked, the points of ``found`` by default.
    """
    return bad_minimum(case, found) or bad_certificate(case, found.x if x is None else x, excess)


def bad_certificate(case: Case, x: Tensor, excess: Tensor) -> str:
    """Check each certificate that the case uses at visited points; "" or the finding.

    Pairs at which a side overflows are left out, they are the claim's to judge. One at which it is nan for no
    such reason shows that f does not give the numbers which the certificate speaks of; that is said unless
    the claim meets nan itself.
    """
    one, two, astray = _visited_pairs(case, x, excess)
    untold = f"nearest_star is nan at {_shown(astray[0])}" if len(astray) else ""
    for certificate in case.certificates:
        assumption = certificate.assumption
        inside = certificate.region.contains(one) & certificate.region.contains(two)
        if not isinstance(assumption, Inequality) or not bool(inside.any()):
            continue
        pairs = _failing(case, assumption, (one[inside], two[inside])[: assumption.arity])
        if pairs is None:
            continue
        try:
            lhs, rhs, resolution = assumption.sides(case.problem, *pairs)
        except TypeError:  # not known in numbers here: moments of a noise without a list of outcomes
            continue
        word = "declared" if certificate.status == "declared" else "certified"
        row = _first_nan(case, pairs, lhs.isnan() | rhs.isnan())
        if row is not None:
            shown = "; ".join(_shown(p[row]) for p in pairs)
            untold = untold or f"{assumption!r} is {word} but cannot be told, for nan at {shown}"
        beyond = (lhs > rhs + SUSPECT * resolution) & lhs.isfinite() & rhs.isfinite()
        if not bool(beyond.any()):
            continue
        check = assumption.check(case.problem, *(p[beyond] for p in pairs))
        if check.verdict != "not refuted":
            shown = "; ".join(_shown(p) for p in check.witness)
            return f"{assumption!r} is {word} but {check.verdict}, ratio {check.ratio:.6g} at {shown}"
    return "" if bool(excess.isposinf().any()) else untold


def _failing(case: Case, assumption: Inequality, pairs: tuple[Tensor, ...]) -> tuple[Tensor, ...] | None:
    """The pairs, each (n, d), at which the inequality fails as computed, nan included; None where none does.

    What rounding does to it, which is dear, is asked at these alone.
    """
    try:
        lhs, rhs, _ = assumption.sides(taken_exactly(case.problem), *pairs)
    except TypeError:  # may be for the wrapping: the problem itself is asked
        return pairs
    failing = ~(lhs <= rhs)
    return tuple(p[failing] for p in pairs) if bool(failing.any()) else None


def _first_nan(case: Case, pairs: tuple[Tensor, ...], unknown: Tensor) -> int | None:
    """The first row of ``unknown``, (n,), in the domain and not for an overflow. pairs: each (n, d)."""
    if not bool(unknown.any()):
        return None
    for p in pairs:
        value, grad = case.problem.value(p), case.problem.grad(p)
        for numbers in (p, value[:, None], grad):
            unknown = unknown & ~(numbers.abs() > TAME).any(-1)
        unknown = unknown & case.problem.contains(p)
    rows = unknown.nonzero()
    return int(rows[0]) if len(rows) else None


def bad_minimum(case: Case, found: Numbers) -> str:
    """An f_star that a visited point falls below, beyond rounding; "" or the finding."""
    if "gap" not in found.values or not case.problem.offers("f_star"):
        return ""
    below = found.values["gap"] + SUSPECT * found.resolutions["gap"]
    lowest = below.nan_to_num(nan=0.0).flatten().argmin()
    if not float(below.flatten()[lowest]) < 0:
        return ""
    gap = float(found.values["gap"].flatten()[lowest])
    return f"f_star = {case.problem.f_star!r} is not the infimum: f is lower by {-gap:.6g} at a visited point"  # pyright: ignore[reportAttributeAccessIssue]


def _shown(point: Tensor) -> str:
    entries = ", ".join(f"{v:.6g}" for v in point.tolist()[:6])
    return f"({entries}{', ...' if len(point) > 6 else ''})"


def _visited_pairs(case: Case, x: Tensor, excess: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Consecutive iterates all over the block, random pairs, and the worst places of the claim.

    Besides, those of the worst places whose nearest minimiser is nan.

    At the worst places: the iterate with the next one and with the nearest minimiser, both ways; a
    wrong constant must not look like a wrong theorem.
    """
    n_steps = x.shape[1] - 1
    pairs = max(FEWEST, min(PAIRS, FLOATS // (case.problem.n_terms * case.problem.d)))
    points = x[:, :-1].flatten(0, 1)
    after = x[:, 1:].flatten(0, 1)
    spread = torch.linspace(0, len(points) - 1, pairs).long()
    some = torch.randint(len(points), (2, pairs), generator=torch.Generator().manual_seed(0))
    worst = excess[:, :-1].flatten().topk(min(pairs, len(points))).indices if n_steps else spread[:0]
    astray = points[:0]
    ones = [points[spread], points[some[0]], points[worst], after[worst]]
    twos = [after[spread], points[some[1]], after[worst], points[worst]]
    if case.problem.offers_dist(case.norm):
        nearest = case.problem.nearest_star(points[worst], case.norm)  # pyright: ignore[reportAttributeAccessIssue]
        astray = points[worst][nearest.isnan().any(-1) & (points[worst].abs() < TAME).all(-1)]
        ones += [points[worst], nearest]
        twos += [nearest, points[worst]]
    one, two = torch.cat(ones), torch.cat(twos)
    finite = one.isfinite().all(-1) & two.isfinite().all(-1)
    return one[finite], two[finite], astray
