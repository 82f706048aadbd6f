"""``workbench check``: an assumption on a problem, with four verbs, or along a run."""

import contextlib
import sys
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from assumptions import Certificate, Check, Inequality
from assumptions.moments.bound import MomentBound
from assumptions.moments.noise_law import is_drawn
from problems import Problem, SymbolicProblem
from problems.symbolic.proof import Proof
from problems.symbolic.twins import TWINS
from workbench.cli.check_along import Steps
from workbench.cli.check_asked import BUDGET, Asked, Options, read
from workbench.cli.check_report import print_report
from workbench.cli.output import WrongUseError, plain, write_json, wrong_use
from workbench.cli.targets import require_targets


def main(assumption: str, problem: str, **options: Any) -> int:
    """Ask, show, write. 0 if nothing was refuted and everything could be told, else 1."""
    chosen = Options(**options)
    verb = chosen.verb
    require_targets({"--json": chosen.json})
    with wrong_use(), _lacking(), contextlib.redirect_stdout(sys.stderr):
        torch.set_num_threads(1)
        asked = read(assumption, problem, chosen, verb)
        results = _VERBS[verb](asked)
    document = {
        "verb": verb,
        "assumption": assumption.strip(),
        "problem": repr(asked.problem),
        "seed": chosen.seed,
        "certified": [_certificate(c) for c in asked.known],
        "results": results,
    }
    if chosen.json != "-":
        print_report(document)
    if chosen.json is not None:
        write_json(plain(document), chosen.json)
    return 1 if any(r.get("verdict") in ("refuted", "undefined") for r in results) else 0


@contextlib.contextmanager
def _lacking() -> Iterator[None]:
    """A TypeError here says which oracle or option is missing, and what would help."""
    try:
        yield
    except TypeError as error:
        raise WrongUseError(str(error)) from error


# -- the verbs --------------------------------------------------------------------------------------


def _check(asked: Asked) -> list[dict[str, Any]]:
    found = []
    for statement in asked.statements:
        statement.require(asked.problem)
        points = asked.tuples(asked.region_of(statement))
        if isinstance(statement, Inequality):
            points = statement.admissible(asked.problem, *points)
        found.append(_checked(statement.check(asked.problem, *points)))
    return found


def _refute(asked: Asked) -> list[dict[str, Any]]:
    budget, seed = asked.affordable(asked.options.budget, BUDGET), asked.options.seed
    return [
        _checked(s.refute(asked.problem, budget=budget, seed=seed, region=asked.region_of(s)))
        for s in asked.statements
    ]


def _estimate(asked: Asked) -> list[dict[str, Any]]:
    asked.kind.require(asked.problem)
    return [_estimated(asked, asked.tuples(asked.region))]


def _estimated(asked: Asked, points: tuple[Tensor, ...]) -> dict[str, Any]:
    seen = asked.kind.estimate(asked.problem, *points, **asked.fields)
    # a moment of draws is near the moment of the noise, on either side
    drawn = issubclass(asked.kind, MomentBound) and is_drawn(asked.problem)
    return {
        "assumption": asked.kind.__name__,
        "points": points[0].shape[0],
        "seen": seen,
        "senses": {} if drawn else dict(asked.kind.sense),
    }


def _certify(asked: Asked) -> list[dict[str, Any]]:
    """Of the expression itself, or of the one that stands for a problem of the library."""
    formula = asked.problem if isinstance(asked.problem, SymbolicProblem) else _formula(asked.problem)
    if asked.statements:
        return [_proved(formula.certify(statement)) for statement in asked.statements]
    low, high = formula.enclose(asked.kind, **asked.fields)
    (name,) = asked.kind.constants()
    best = "largest" if asked.kind.sense[name] > 0 else "smallest"
    said = f"the {best} {name} that holds on {formula.box!r} lies in [{low:.10g}, {high:.10g}]: proved"
    return [
        {"assumption": asked.kind.__name__, "verdict": "enclosed", "low": low, "high": high, "said": said}
    ]


def _formula(problem: Problem) -> SymbolicProblem:
    for twin in TWINS:
        if twin.problem == problem:
            return twin.formula
    raise TypeError(
        "--certify needs a function given as an expression, such as SymbolicProblem('x**4/4', "
        f"box=((-2.0, 2.0),)); no expression is known for {problem!r}"
    )


def _along(asked: Asked) -> list[dict[str, Any]]:
    assert asked.options.along is not None
    steps = Steps(asked.options.along, asked.problem)
    asked.kind.require(asked.problem)
    if asked.options.estimate:
        points, kept = steps.points(asked.kind, asked.region)
        if not bool(kept.any()):
            raise ValueError(f"no step of {asked.options.along} is finite and in the region")
        found = _estimated(asked, tuple(p[kept] for p in points))
        return [{**found, **steps.said(), "left_out": int((~kept).sum()), **_each_step(asked, steps, kept)}]
    found = []
    for statement in asked.statements:
        if not isinstance(statement, Inequality):
            raise TypeError(f"{asked.kind.__name__} is no inequality between neighbouring points of a run")
        region = asked.region_of(statement)
        points, kept = steps.points(asked.kind, region)
        if not bool(kept.any()):
            raise ValueError(f"no step of {asked.options.along} is finite and in the region of {statement!r}")
        checked = _checked(statement.check(asked.problem, *(p[kept] for p in points)))
        found.append({**checked, **steps.said(), **steps.steps(statement, kept)})
    return found


def _each_step(asked: Asked, steps: Steps, kept: Tensor) -> dict[str, Any]:
    """What each step needs, for a class with one number as its constant."""
    constants = asked.kind.constants()
    if len(constants) != 1 or constants[0] == "h" or constants[0].endswith("_i"):
        return {}
    unit = asked.kind(**{constants[0]: 1.0}, **asked.fields)
    return steps.steps(unit, kept) if isinstance(unit, Inequality) else {}


_VERBS = {"check": _check, "refute": _refute, "estimate": _estimate, "certify": _certify, "along": _along}


# -- as plain data ----------------------------------------------------------------------------------


def _checked(check: Check) -> dict[str, Any]:
    return {
        "assumption": repr(check.assumption),
        "verdict": check.verdict,
        "ratio": check.ratio,
        "points": check.points,
        "witness": [point.tolist() for point in check.witness],
        "said": str(check),
    }


def _proved(proof: Proof) -> dict[str, Any]:
    return {
        "assumption": repr(proof.assumption),
        "verdict": "refuted" if proof.outcome == "disproved" else proof.outcome,
        "proved": repr(proof.proved_assumption) if proof.proved else None,
        "box": proof.box,
        "boxes": proof.boxes,
        "where": proof.where,
        "said": str(proof),
    }


def _certificate(certificate: Certificate) -> dict[str, Any]:
    return {
        "assumption": repr(certificate.assumption),
        "status": certificate.status,
        "proof": certificate.proof,
        "region": repr(certificate.region),
    }
