"""Every problem against every assumption: certified, not refuted, refuted, or what is missing."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from torch import Tensor

from assumptions import (
    EVERYWHERE,
    Assumption,
    Ball,
    BallConvex,
    BoundedMoment,
    Certificate,
    ExponentialPhi,
    PhiSmooth,
    Region,
    closure,
)
from problems import Problem, SymbolicProblem
from problems.symbolic.twins import TWINS

Status = Literal["certified", "proved", "declared", "not refuted", "refuted", "lacking", "contradicted"]

FIELDS: Mapping[type[Assumption], dict[str, Any]] = {
    BoundedMoment: {"p": 1.5},
    PhiSmooth: {"phi": ExponentialPhi(1.0, 1.0)},
}
"""Fields that are no constants, where a class has no default for them."""
ROOM = 2.0
"""Where nothing is certified, the constants tried are those that samples near x0 need, times this."""
LEAST = 1e-6
"""Stands for a constant that must be positive where the samples need none."""
SAMPLES = 2000
TERMS = 16
"""Where an assumption looks at every term, budget and samples are for so many; longer sums get less."""
FEWEST = 64
"""But never fewer."""


@dataclass(frozen=True)
class Cell:
    """What is known of an assumption for a problem.

    certified     proved beside the problem, or implied by that; a search found nothing against it
    proved        the same, and for a member of the family, written as an expression, by ball arithmetic too
    declared      on the user's word; a search found nothing against it
    not refuted   nothing is proved; the statement stood a search
    refuted       by the witness. For a class with constants: at ``ROOM`` times what samples near x0 need
    lacking       the problem does not offer what the assumption speaks of
    contradicted  certified and refuted: a defect
    """

    problem: str
    assumption: str
    status: Status
    statement: str = ""
    ratio: float = math.nan
    witness: tuple[tuple[float, ...], ...] = ()
    why: str = ""


def cell(problem: Problem, kind: type[Assumption], budget: int = 4000, seed: int = 0) -> Cell:
    """What is certified is searched for a violation; else a statement is made up from samples and tried.

    budget: points at which the ratio is evaluated, see ``refute``; less on long sums (``TERMS``).
    """
    name, of = repr(problem), kind.__name__
    certified = [c for c in closure(problem.certified) if type(c.assumption) is kind]
    lacking = kind.lacking(problem)
    if lacking:
        return Cell(name, of, "lacking", why=lacking)
    try:
        trials = (
            [(c.assumption, c.region) for c in certified]
            if certified
            else [(trial(problem, kind, seed), EVERYWHERE)]
        )
        budget = _affordable(budget, problem, kind)
        checks = [s.refute(problem, budget=budget, seed=seed, region=region) for s, region in trials]
    except (TypeError, ValueError) as error:
        status = _known(certified) if certified else "lacking"
        return Cell(name, of, status, ", ".join(repr(c.assumption) for c in certified), why=str(error))
    known = _known(certified) if certified else "not refuted"
    worst = next((c for c in checks if c.verdict != "not refuted"), checks[0])
    if worst.verdict == "not refuted":
        status = "proved" if known == "certified" and _is_proved(problem, kind) else known
        return Cell(name, of, status, ", ".join(repr(s) for s, _ in trials), worst.ratio)
    status = "contradicted" if known == "certified" else "refuted"
    witness = tuple(tuple(point.tolist()) for point in worst.witness)
    return Cell(name, of, status, repr(worst.assumption), worst.ratio, witness)


def _known(certificates: Sequence[Certificate]) -> Status:
    return "declared" if all(c.status == "declared" for c in certificates) else "certified"


def trial(problem: Problem, kind: type[Assumption], seed: int = 0) -> Assumption:
    """A statement of the class with ``ROOM`` times the constants that samples near x0 need.

    ValueError or TypeError where nothing can be sampled or estimated.
    """
    fields = FIELDS.get(kind, {})
    if not kind.constants():
        return kind(**fields)
    points = _near(problem, kind, seed)
    seen = kind.estimate(problem, *points, **fields)
    constants = {name: _roomy(_seen(seen, name), kind.sense[name]) for name in kind.constants()}
    try:
        return kind(**constants, **fields)
    except ValueError:
        raised = {name: _at_least(value, LEAST) for name, value in constants.items()}
        return kind(**raised, **fields)


@lru_cache(maxsize=256)
def _proof_of_family(family: type[Problem], kind: type[Assumption]) -> bool:
    """Whether what is certified of the class was proved for some member that is known as an expression."""
    for twin in TWINS:
        if type(twin.problem) is family and kind in (*twin.tight, *twin.loose):
            return all(twin.formula.certify(statement).proved for statement in twin.certified(kind))
    return False


def _is_proved(problem: Problem, kind: type[Assumption]) -> bool:
    if isinstance(problem, SymbolicProblem):
        return any(isinstance(statement, kind) for statement in problem.prove)
    return _proof_of_family(type(problem), kind)


def _affordable(count: int, problem: Problem, kind: type[Assumption]) -> int:
    """Of ``count`` points as many as cost what they would on a sum of ``TERMS`` terms.

    A search over balls goes through every direction: it costs what it would in so many dimensions.
    """
    of_terms = any(name.startswith("part") for name in kind.needs)
    size = problem.n_terms if of_terms else problem.d if kind is BallConvex else 1
    return min(count, max(FEWEST, count * TERMS // max(TERMS, size)))


def _near(problem: Problem, kind: type[Assumption], seed: int) -> tuple[Tensor, ...]:
    """Samples in the ball around x0 that reaches twice as far as the minimiser (or 1)."""
    x0 = problem.x0
    distance = float((x0 - getattr(problem, "x_star")).norm()) if problem.offers("x_star") else 0.0  # noqa: B009
    region: Region = Ball(tuple(x0.tolist()), 2 * max(distance, 0.5))
    try:
        return kind.sample(problem, _affordable(SAMPLES, problem, kind), seed, region)
    except ValueError:  # a statement about the whole space
        return kind.sample(problem, SAMPLES // 20, seed)


def _seen(seen: Mapping[str, Any], name: str) -> Any:
    return seen.get(f"{name}_next_seen", seen[f"{name}_seen"])


def _roomy(value: Any, sense: int) -> Any:
    """A constant weaker than what was seen, entry by entry."""
    if isinstance(value, tuple | list):
        return tuple(_roomy(entry, sense) for entry in value)
    return value * ROOM if sense < 0 else value / ROOM


def _at_least(value: Any, least: float) -> Any:
    if isinstance(value, tuple):
        return tuple(_at_least(entry, least) for entry in value)
    return value if least <= value < math.inf else least
