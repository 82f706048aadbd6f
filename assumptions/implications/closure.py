"""All that follows from certificates by the implications."""

import itertools
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

from assumptions.base import Certificate
from assumptions.implications.implies import Implies
from assumptions.implications.rows import IMPLICATIONS
from assumptions.region import EVERYWHERE, Ball, Everywhere, Region


def closure(
    certificates: Iterable[Certificate], implications: tuple[Implies, ...] = IMPLICATIONS
) -> tuple[Certificate, ...]:
    """All that follows from the certificates, less what another one says at least as well.

    A conclusion holds where all its premises hold; premises on two different regions, and premises on
    a region with a row that is not ``local``, give none. It is declared if a premise is. A certificate
    is dropped if another one implies it, on a region at least as large, with a status at least as
    good. Ends when no row gives anything new; ValueError if that takes more than 100 rounds.
    """
    given = tuple(certificates)
    try:
        return _closed(given, implications)
    except TypeError:  # a field that cannot be a key
        return _closed.__wrapped__(given, implications)


@lru_cache(maxsize=512)
def _closed(
    certificates: tuple[Certificate, ...], implications: tuple[Implies, ...]
) -> tuple[Certificate, ...]:
    known: list[Certificate] = []
    for certificate in certificates:
        known = _added(known, certificate)
    for _ in range(100):
        before = known
        for row in implications:
            for conclusion in _conclusions(row, tuple(known)):
                known = _added(known, conclusion)
        if known == before:
            return tuple(known)
    raise ValueError("implications keep producing new certificates; a row must not strengthen its premise")


def _conclusions(row: Implies, known: tuple[Certificate, ...]) -> Iterable[Certificate]:
    """What one row gives on all choices of premises."""
    choices = [[c for c in known if type(c.assumption) is premise] for premise in row.premises]
    for chosen in itertools.product(*choices):
        region = _common_region(chosen)
        if region is None or (region != EVERYWHERE and not row.local):
            continue
        conclusion = row.rule(*(c.assumption for c in chosen))
        if conclusion is None:
            continue
        declared = any(c.status == "declared" for c in chosen)
        first, *others = chosen
        steps = tuple(dict.fromkeys(s for c in chosen for s in c.steps))
        steps += tuple(f"with {c.assumption!r}: {c.proof}" for c in others)
        combined = replace(first, steps=steps, region=region, status="declared" if declared else "certified")
        yield combined.then(conclusion, row.proof)


def _common_region(chosen: tuple[Certificate, ...]) -> Region | None:
    """Where all hold: everywhere, or the one region named; None if two are named."""
    named = {c.region for c in chosen if c.region != EVERYWHERE}
    if len(named) > 1:
        return None
    return named.pop() if named else EVERYWHERE


def _added(known: list[Certificate], new: Certificate) -> list[Certificate]:
    """``known`` with ``new``, unless it adds nothing, and without what ``new`` makes superfluous."""
    if any(_covers(old, new) for old in known):
        return known
    return [*(old for old in known if not _covers(new, old)), new]


def _covers(strong: Certificate, weak: Certificate) -> bool:
    """True if ``strong`` says at least as much, on as large a region, on as good a word."""
    return (
        weak.assumption.implied_by(strong.assumption)
        and _region_covers(strong.region, weak.region)
        and (strong.status == "certified" or weak.status == "declared")
    )


def _region_covers(large: Region, small: Region) -> bool:
    """True if ``small`` lies in ``large``: by definition, not up to rounding."""
    if isinstance(large, Everywhere) or large == small:
        return True
    if not (isinstance(large, Ball) and isinstance(small, Ball)):
        return False
    return large.center == small.center and small.radius <= large.radius
