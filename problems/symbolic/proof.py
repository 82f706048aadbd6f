"""Proofs on a box by branch and bound in ball arithmetic."""

import math
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from flint import arb

from assumptions import PL, Assumption, Certificate, Convex
from assumptions.guards import require_dimension, require_positive
from assumptions.weakly_convex import WeaklyConvex
from problems.sets import Box
from problems.symbolic.ball_arithmetic import above
from problems.symbolic.bounds import GapExcess
from problems.symbolic.claims import best_of, claim_of, euclidean_scale
from problems.symbolic.derivatives import Cell, Derivatives
from problems.symbolic.minimum import Minimum, inside, strongly_convex_around
from problems.symbolic.search import Found, search
from problems.symbolic.sign import is_positive_semidefinite

Outcome = Literal["proved", "disproved", "undecided"]


class Formula(Protocol):
    """A function given by a formula on a box."""

    @property
    def box(self) -> Cell:
        """For each variable its interval."""
        ...

    @property
    def derivatives(self) -> Derivatives:
        """f and its derivatives, as ball arithmetic reads them."""
        ...

    @property
    def minimum(self) -> Minimum | None:
        """What is proved of the minimum, if anything."""
        ...


@dataclass(frozen=True)
class Proof:
    """What branch and bound found about an assumption on a box.

    proved: ``proved_assumption``, the one asked for with its constants enlarged by the slack, holds on all
    of ``box``. disproved: the assumption asked for fails at the point ``where``. undecided: neither;
    ``where`` is the part of the box where the bounds are worst. boxes: how many parts were examined; 0 if
    the form of the Hessian showed it.
    """

    assumption: Assumption
    outcome: Outcome
    proved_assumption: Assumption
    box: Cell
    boxes: int
    where: Cell | tuple[float, ...] = ()
    note: str = ""

    @property
    def proved(self) -> bool:
        """True if there is a certificate."""
        return self.outcome == "proved"

    @property
    def certificate(self) -> Certificate:
        """What was proved, on the box. ValueError if nothing was."""
        if not self.proved:
            raise ValueError(f"there is no certificate: {self}")
        by = f"interval branch and bound over {self.boxes} boxes" if self.boxes else self.note
        low, high = zip(*self.box, strict=True)
        return Certificate(self.proved_assumption, proof=by, region=Box(low, high))

    def __str__(self) -> str:
        """One line for people."""
        what = f"{self.assumption!r} on {self.box!r}: {self.outcome}"
        if self.proved:
            what += f" as {self.proved_assumption!r}"
        elif self.where:
            what += f" at {self.where!r}" if self.outcome == "disproved" else f", worst on {self.where!r}"
        return f"{what}, {self.boxes} boxes{'; ' + self.note if self.note else ''}"


def certify(problem: Formula, assumption: Assumption, slack: float = 1e-3, budget: int = 200_000) -> Proof:
    """Prove an assumption on the box of the problem, or find a point where it fails.

    slack: finite, > 0; what is proved has constants (1 + slack) times larger, or smaller where larger ones
    say more. Given enough boxes a true assumption is proved, and one that is false by more than the slack
    is disproved; in between either may come out, for then both are true. Convex has no slack, and is
    undecided where the smallest eigenvalue touches 0 unless the form of the Hessian shows that it is
    semidefinite. budget: boxes examined, >= 1. TypeError for an assumption that cannot be proved this way,
    and for PL without a proved minimiser.

    Smooth, Lipschitz and HessianLipschitz in Lp(1.0), Lp(2.0), Lp(inf); StronglyConvex, WeaklyConvex; Convex;
    HessianL0L1; PL in the Euclidean norm, around a strongly convex minimiser.
    """
    require_positive(slack=slack)
    require_dimension(budget=budget)
    f, box = problem.derivatives, problem.box
    if isinstance(assumption, PL):
        return _certify_pl(problem, assumption, slack, budget)
    claim = claim_of(assumption, slack, f.d)
    form_decides = isinstance(assumption, Convex) or assumption == WeaklyConvex(0.0)
    if form_decides and is_positive_semidefinite(f, box):
        note = "the entries of the Hessian and its determinant are >= 0 on the box by their form"
        return Proof(assumption, "proved", claim.allowed, box, 0, note=note)
    found = search(
        f,
        claim.quantity,
        box,
        lambda upper, lower: upper <= claim.limit or lower > claim.asked,
        budget,
        enough=claim.limit,
    )
    return _judged(found, assumption, claim.allowed, box, claim.limit, claim.asked)


def _judged(
    found: Found, assumption: Assumption, allowed: Assumption, box: Cell, limit: float, asked: float
) -> Proof:
    if found.upper <= limit:
        return Proof(assumption, "proved", allowed, box, found.boxes)
    if found.lower > asked:
        return Proof(assumption, "disproved", allowed, box, found.boxes, found.point)
    note = (
        f"the quantity is between {found.lower:.6g} and {found.upper:.6g}, and should be at most {limit:.6g}"
    )
    return Proof(assumption, "undecided", allowed, box, found.boxes, found.cell, note)


def _certify_pl(problem: Formula, assumption: PL, slack: float, budget: int) -> Proof:
    """Near the minimiser z by strong convexity, elsewhere by branch and bound.

    Where the Hessian is at least mu on a box around z, f(z) >= f(x) + <grad f(x), z - x> + mu/2 |z - x|^2,
    and the least value of the right side over all z is f(x) - |grad f(x)|^2 / (2 mu).
    """
    f, box, minimum = problem.derivatives, problem.box, problem.minimum
    scale = euclidean_scale(assumption.norm, f.d)
    if minimum is None:
        raise TypeError(f"{assumption!r} needs a proved minimiser: give the problem minimiser=(...)")
    mu = assumption.mu_pl / (1 + slack)
    allowed = PL(mu, assumption.norm)
    near = strongly_convex_around(f, box, minimum, mu * scale**2 * (1 + 1e-15)) if minimum.unique else None
    room = above(2 * arb(mu) * (arb(minimum.f_star) - arb(minimum.f_lower)))
    found = search(
        f,
        GapExcess(assumption.norm, mu, minimum.f_lower),
        box,
        lambda upper, lower: upper <= 0 or lower > room,
        budget,
        enough=0.0,
        settled=None if near is None else lambda cell: inside(cell, near.neighbourhood),
    )
    return _judged(found, assumption, allowed, box, 0.0, room)


def enclose(
    problem: Formula, kind: type[Assumption], rel: float = 1e-3, budget: int = 20_000, **options: Any
) -> tuple[float, float]:
    """(low, high): the best constant of ``kind`` on the box lies between, proved.

    kind: Smooth, Lipschitz, HessianLipschitz, WeaklyConvex: the smallest constant; StronglyConvex: the
    smallest eigenvalue of the Hessian, possibly <= 0; HessianL0L1 with ``L1_hessian``: the smallest
    L0_hessian. options: norm. rel: finite, > 0; the search ends where high - low is at most ``rel`` times
    the larger absolute value, or after ``budget`` boxes, with what is then proved. TypeError for other kinds.
    """
    require_positive(rel=rel)
    require_dimension(budget=budget)
    best = best_of(kind, problem.derivatives.d, **options)
    found = search(
        problem.derivatives,
        best.quantity,
        problem.box,
        lambda upper, lower: (
            upper <= best.least or upper - lower <= rel * max(abs(upper), abs(lower)) < math.inf
        ),
        budget,
        enough=best.least,
    )
    low, high = max(found.lower, best.least), max(found.upper, best.least)
    return (-high, -low) if best.negated else (low, high)
