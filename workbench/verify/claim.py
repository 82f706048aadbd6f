"""Compare both sides of a claim at every step, knowing what rounding can do."""

from dataclasses import dataclass

import torch
from torch import Tensor

from assumptions import EVERYWHERE
from assumptions.base import EPS
from workbench.claims import Claim, Recurrence, free_symbols, support
from workbench.expressions import Evaluator
from workbench.match import Case
from workbench.symbols import first
from workbench.theorem import Theorem
from workbench.verify.environment import Numbers

ROUNDINGS = 64
"""Roundings that evaluating a claim may contain; a tolerance of ROUNDINGS * eps * size."""

SUSPECT = 10
"""An excess within SUSPECT tolerances is inconclusive, not a refutation."""

HUGE = 1e140
"""Numbers beyond it, or below 1 / HUGE, are not judged: claims are made of squares and products."""

MEANINGFUL = 1000
"""Tightness is read only where the bound exceeds this many tolerances."""


@dataclass(frozen=True)
class Comparison:
    """Both sides on (batch, K + 1), where the claim is asked, and how far rounding reaches.

    spoken: where it would be asked if no run left the region of a certificate.
    """

    measured: Tensor
    bound: Tensor
    tolerance: Tensor
    asked: Tensor
    lost: Tensor
    two_sided: bool = False
    spoken: Tensor | None = None

    @property
    def excess(self) -> Tensor:
        """measured - bound (its absolute value if two-sided) in units of the tolerance.

        inf where measured is nan, -inf where the claim is not asked.
        """
        over = (self.measured - self.bound) / self.tolerance
        if self.two_sided:
            over = over.abs()
        else:  # inf <= inf holds
            over = torch.where(self.measured <= self.bound, over.nan_to_num(0.0).clamp(max=0), over)
        over = torch.where(self.broken, torch.inf, over.nan_to_num(nan=-torch.inf, posinf=torch.inf))
        return torch.where(self.compared, over, -torch.inf)

    @property
    def broken(self) -> Tensor:
        """What is measured is nan, not because the bound is undefined too, nor for numbers too large."""
        return self.measured.isnan() & (~self.bound.isnan() | self.lost) & (self.tolerance < torch.inf)

    @property
    def compared(self) -> Tensor:
        """Where the comparison says something.

        Not where the bound is nan (undefined, or lost with the run) or +inf, or where rounding can move
        the claim by any amount, or by more than both sides together; but a measured nan is a violation
        whatever the bound.
        """
        sensible = (self.bound < torch.inf) & (self.tolerance < torch.inf)
        # a tolerance above both sides would excuse anything; a bound of 0 asks for no more than that
        blurred = (self.tolerance >= self.measured.abs() + self.bound.abs()) & (self.bound != 0)
        return self.asked & ~self.undefined & (sensible & ~blurred | self.broken)

    @property
    def undefined(self) -> Tensor:
        """The bound is nan inside the domain although the run is finite."""
        return self.asked & self.bound.isnan() & ~self.lost & (self.tolerance < torch.inf)

    @property
    def tightness(self) -> Tensor:
        """measured / bound where it says something, else -inf; an equality has none."""
        if self.two_sided:
            return torch.full_like(self.bound, -torch.inf)
        sensible = self.asked & (self.bound > MEANINGFUL * self.tolerance) & self.measured.isfinite()
        return torch.where(sensible, self.measured / self.bound, -torch.inf)


def compare(case: Case, numbers: Numbers, rows: Tensor) -> Comparison:
    """The two sides at every (replicate, k). rows: (batch,) replicates to which ``requires`` applies."""
    theorem = case.theorem
    shape = (numbers.x.shape[0], numbers.steps + 1)
    values = Evaluator(numbers.values, numbers.steps)
    sizes = Evaluator(numbers.values, numbers.steps, numbers.sizes)
    measured, bound = values(theorem.measured).expand(shape), values(theorem.bound).expand(shape)
    size = (sizes(theorem.measured) + sizes(theorem.bound)).expand(shape)
    tolerance = ROUNDINGS * EPS * size.nan_to_num(nan=0.0, posinf=0.0) + _sensitivity(
        theorem, numbers, measured - bound
    )
    lost = _lost(theorem, numbers)
    tolerance = torch.where(_extreme(theorem, numbers) & ~lost, torch.inf, tolerance)
    spoken = spoken_where(case, numbers, lost) & rows[:, None]
    asked = spoken & _inside_where(case, numbers)
    if bool((asked & bound.isnan()).any()):  # where f has no gradient the bound may say nothing
        asked = asked & ~(bound.isnan() & _outside(case, numbers.x))
    if _speaks_of_first(theorem):
        # an event that did not happen comes at K + 1 at the earliest, or never: both must say the same
        soon = Evaluator(numbers.values, numbers.steps, unseen=numbers.steps + 1)
        never, measured, bound = measured > bound, *(soon(s) for s in (theorem.measured, theorem.bound))
        measured, bound = measured.expand(shape), bound.expand(shape)
        asked = asked & (never == (measured > bound))
    tolerance = tolerance.clamp(min=torch.finfo(torch.float64).tiny)
    return Comparison(measured, bound, tolerance, asked, lost, theorem.kind == "exact", spoken)


def _extreme(theorem: Theorem, numbers: Numbers) -> Tensor:
    """Where a number of the claim is so large or small that its square is no float; (batch, K + 1)."""
    names = {s.name for side in (theorem.measured, theorem.bound) for s in free_symbols(side)}
    found = torch.zeros(1, 1, dtype=torch.bool)
    for value in (numbers.values[name] for name in sorted(names)):
        size = value.abs()
        beyond = (size > HUGE) & size.isfinite() | (size < 1 / HUGE) & (size > 0)
        found = found | beyond.reshape(*beyond.shape[:2], -1).any(-1)
    return found


def _speaks_of_first(theorem: Theorem) -> bool:
    sides = [s for s in (theorem.measured, theorem.bound) if not isinstance(s, Recurrence)]
    return any(side.has(first) for side in sides)


def _sensitivity(theorem: Theorem, numbers: Numbers, claim: Tensor) -> Tensor:
    """How far measured - bound falls when each quantity moves by its resolution, summed.

    What rounding can have added to the excess; for an equality, how far it changes either way.
    """
    total = torch.zeros_like(claim)
    for name, resolution in numbers.resolutions.items():
        quantity = theorem.all_quantities[theorem.meaning(name).base]
        changes = []
        for sign in (1, -1):
            moved = numbers.values[name] + sign * resolution
            if quantity.nonnegative:
                moved = moved.clamp(min=0)
            shifted = Evaluator({**numbers.values, name: moved}, numbers.steps)
            change = claim - (shifted(theorem.measured) - shifted(theorem.bound))
            changes.append(change.abs() if theorem.kind == "exact" else change.clamp(min=0))
        change = torch.stack([c.nan_to_num(nan=-1.0, posinf=torch.inf) for c in changes]).amax(0)
        # a claim that is not finite is judged as it is; both moves nan says that rounding decides
        change = torch.where(change < 0, torch.inf, change)
        total = total + torch.where(claim.isfinite(), change, 0.0)
    return total


def _lost(theorem: Theorem, numbers: Numbers) -> Tensor:
    """Entries that speak of a state which is not finite."""
    return at_next(numbers.lost) if theorem.next_names else numbers.lost


def at_next(table: Tensor) -> Tensor:
    """Entry k + 1 at k; the last stays."""
    return torch.cat([table[:, 1:], table[:, -1:]], 1)


def asked_where(case: Case, numbers: Numbers, lost: Tensor) -> Tensor:
    """Entries at which the claim speaks: all parts defined, in the domain, in the region."""
    return spoken_where(case, numbers, lost) & _inside_where(case, numbers)


def _inside_where(case: Case, numbers: Numbers) -> Tensor:
    """Entries in the region of every certificate, of the next state too where the claim speaks of it.

    And not after a run that was lost because it left the domain, where f has no gradient to step along.
    """
    inside = _inside(case, numbers.x) & ~_stranded(case, numbers)
    return at_next(inside) if case.theorem.next_names else inside


def _stranded(case: Case, numbers: Numbers) -> Tensor:
    """Lost states of a run whose last point was outside the domain; (batch, K + 1).

    That point itself is judged: f is inf there.
    """
    if not bool(numbers.lost.any()):
        return numbers.lost
    left = _outside(case, numbers.x) & at_next(numbers.lost)
    return numbers.lost & left.to(torch.int8).cummax(1).values.bool()


def _outside(case: Case, x: Tensor) -> Tensor:
    """Points where f is infinite; (batch, K + 1)."""
    return x.isfinite().all(-1) & ~case.problem.contains(x)


def spoken_where(case: Case, numbers: Numbers, lost: Tensor) -> Tensor:
    """Entries at which all parts of the claim are defined, in the domain."""
    theorem, steps = case.theorem, numbers.steps
    k = torch.arange(steps + 1)[None]
    low, high = 0, steps
    for side in (theorem.measured, theorem.bound, theorem.when):
        lo, hi = support(side, theorem.next_names)
        low, high = max(low, steps if lo < 0 else lo), min(high, steps + hi)
    if case.horizon_only:
        low = high
    when = Evaluator(numbers.values, steps)(theorem.when).expand(lost.shape)
    # nan never hides a violation: a run that stops being finite inside the domain stays there, and a
    # finite state at which the domain itself is nan is asked about
    ever = when.to(torch.int8).cummax(1).values.bool()
    when = torch.where(numbers.lost, ever, when | _nan_in(theorem.when, numbers).expand(lost.shape))
    return when & (k >= low) & (k <= high)


def _nan_in(side: Claim, numbers: Numbers) -> Tensor:
    found = [numbers.values[s.name].isnan() for s in free_symbols(side)]
    tables = [table.flatten(2).any(-1) if table.dim() > 2 else table for table in found]
    return (
        torch.stack(torch.broadcast_tensors(*tables)).any(0)
        if tables
        else torch.zeros(1, 1, dtype=torch.bool)
    )


def _inside(case: Case, x: Tensor) -> Tensor:
    """True until the run first leaves the region of a certificate.

    Claims about the gap or the distance speak of the minimiser too: it must lie in the region, which
    is convex, and so holds the segment between them.
    """
    inside = torch.ones(x.shape[:2], dtype=torch.bool)
    for certificate in case.certificates:
        if certificate.region == EVERYWHERE:
            continue
        inside &= certificate.region.contains(x) | ~x.isfinite().all(-1)
        if case.problem.offers_dist(case.norm):
            nearest = case.problem.nearest_star(x, case.norm)  # pyright: ignore[reportAttributeAccessIssue]
            inside &= certificate.region.contains(nearest) | ~x.isfinite().all(-1)
    return inside.to(torch.int8).cummin(1).values.bool()
