"""Checks of the members of a composite problem, and of the vectors given with its minimiser."""

from problems.base import Problem
from problems.composite.optimality import is_convex, is_smooth
from problems.oracle_guards import require_vector


def require_members(smooth: object, prox_part: object, terms: object) -> None:
    """TypeError unless these are Problems or None, ValueError unless they are what their place needs."""
    if not isinstance(terms, tuple):
        raise TypeError(f"terms must be a tuple of Problems, got {terms!r}")
    named = {"smooth": smooth, "prox_part": prox_part}
    members = {name: member for name, member in named.items() if member is not None}
    members |= {f"terms[{j}]": term for j, term in enumerate(terms)}
    if not members:
        raise ValueError("smooth, prox_part or terms must hold a Problem, got none")
    dimensions = [_require_member(name, member).d for name, member in members.items()]
    if len(set(dimensions)) != 1:
        raise ValueError(f"{', '.join(members)} must have one dimension, got {dimensions}")


def _require_member(name: str, member: object) -> Problem:
    if not isinstance(member, Problem):
        raise TypeError(f"{name} must be a Problem, got {member!r}")
    if member.offers("noise"):
        raise ValueError(f"{name} must have no noise, which comes last, got {member!r}")
    if not is_convex(member):
        raise ValueError(f"{name} must be certified Convex on the whole space, got {member!r}")
    if name == "smooth" and not is_smooth(member):
        raise ValueError(f"smooth must be Linear or certified Smooth on the whole space, got {member!r}")
    if name != "smooth" and not member.offers("prox"):
        raise ValueError(f"{name} must offer prox, got {member!r}")
    return member


def checked_duals(duals: object, terms: tuple[Problem, ...], d: int) -> tuple[tuple[float, ...], ...]:
    """As floats, one vector for each term; none where all terms are smooth. ValueError otherwise."""
    if duals == () and terms:
        if not all(is_smooth(term) for term in terms):
            raise ValueError(f"duals must hold {len(terms)} vectors where a term has a kink, got none")
        return ()
    if not isinstance(duals, tuple) or len(duals) != len(terms):
        raise ValueError(f"duals must hold {len(terms)} vectors, one for each term, got {duals!r}")
    return tuple(require_vector(f"duals[{j}]", u, d) for j, u in enumerate(duals))
