"""``workbench check``: an assumption on a problem, with four verbs, or along a run."""

import contextlib
import dataclasses
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from assumptions import EVERYWHERE, Assumption, Certificate, Check, Inequality, Norm, Region, closure
from assumptions.sampling import grid_points
from problems import Problem, SymbolicProblem
from problems.symbolic.proof import Proof
from problems.symbolic.twins import TWINS
from workbench.cli.check_along import Steps
from workbench.cli.check_report import print_report
from workbench.cli.output import WrongUseError, plain, require_writable, write_json, wrong_use
from workbench.registry import Registry, load_user_file

POINTS, BUDGET = 10_000, 20_000
"""Tuples of a sample and evaluations of a search, where every evaluation is one of f."""
NUMBERS = 4_000_000
"""Where it is one of all terms of f: at most so many numbers, terms times d, but at least ``FEW`` tuples."""
FEW = 200
MOST = 10**6


@dataclass(frozen=True)
class Options:
    """What the command line says, besides the assumption and the problem."""

    estimate: bool = False
    refute: bool = False
    certify: bool = False
    along: Path | None = None
    points: int | None = None
    grid: int | None = None
    budget: int | None = None
    seed: int = 0
    region: str | None = None
    norm: str | None = None
    file: Path | None = None
    json: str | None = None

    @property
    def verb(self) -> str:
        """One of check, estimate, refute, certify, along. WrongUseError where options contradict."""
        chosen = {"refute": self.refute, "certify": self.certify, "along": self.along is not None}
        verbs = [verb for verb, wanted in chosen.items() if wanted]
        alone = ["estimate"] if self.estimate and verbs != ["along"] else []
        if len(verbs) + len(alone) > 1:
            raise WrongUseError(f"choose one of {', '.join(f'--{v}' for v in (*alone, *verbs))}")
        if self.certify and self.region is not None:
            raise WrongUseError("--certify proves on the box of the problem; leave out --region")
        if (self.points or 0) > MOST or (self.budget or 0) > 100 * MOST:
            raise WrongUseError(f"--points must be at most {MOST:,}, --budget {100 * MOST:,}")
        return (*verbs, *alone, "check")[0]


@dataclass(frozen=True)
class Asked:
    """What is asked, parsed. ``fields`` are those given to an estimate; ``known`` what is certified."""

    kind: type[Assumption]
    problem: Problem
    options: Options
    fields: dict[str, Any] = field(default_factory=dict)
    statements: tuple[Assumption, ...] = ()
    known: tuple[Certificate, ...] = ()
    region: Region = EVERYWHERE

    def region_of(self, statement: Assumption) -> Region:
        """The region asked for, else the one on which the statement is certified."""
        certified = [c.region for c in self.known if c.assumption == statement]
        return certified[0] if certified and self.region == EVERYWHERE else self.region

    def affordable(self, wanted: int | None, usual: int) -> int:
        """The number asked for, else the usual one, smaller where each evaluation is one of all terms."""
        if wanted is not None or not {"part_grads", "part_values"} & set(self.kind.needs):
            return wanted or usual
        return max(min(usual, NUMBERS // (self.problem.n_terms * self.problem.d)), FEW)

    def tuples(self, region: Region) -> tuple[Tensor, ...]:
        """Points for ``check`` and ``estimate``: a grid if one is asked for, else a sample."""
        if self.options.grid is not None:
            return grid_points(self.problem, self.options.grid, getattr(self.kind, "arity", 1), region)
        n = self.affordable(self.options.points, POINTS)
        return self.kind.sample(self.problem, n, self.options.seed, region)


def main(assumption: str, problem: str, **options: Any) -> int:
    """Ask, show, write. 0 if nothing was refuted and everything could be told, else 1."""
    chosen = Options(**options)
    verb = chosen.verb
    require_writable(chosen.json)
    with wrong_use(), _lacking(), contextlib.redirect_stdout(sys.stderr):
        torch.set_num_threads(1)
        asked = _asked(assumption, problem, chosen, verb)
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


# -- what is asked ----------------------------------------------------------------------------------


def _asked(assumption: str, problem: str, options: Options, verb: str) -> Asked:
    registry = Registry(load_user_file(options.file) if options.file else None)
    on = registry.problem(problem)
    kind, fields = registry.assumption_class(assumption)
    if options.norm is not None:
        fields = _with_norm(kind, fields, registry.norm(options.norm))
    every = [c for c in closure(on.certified, registry.implications) if type(c.assumption) is kind]
    known = tuple(c for c in every if all(getattr(c.assumption, n, v) == v for n, v in fields.items()))
    region = registry.region(options.region) if options.region is not None else EVERYWHERE
    asked = Asked(kind, on, options, fields, (), known, region)
    if verb == "estimate" or (verb == "along" and options.estimate):
        _require_fields(asked)
        return asked
    if verb == "certify" and assumption.strip() == kind.__name__ and kind.constants() and not known:
        return asked
    statements = _statements(registry, assumption, asked, [c for c in every if c not in known])
    return dataclasses.replace(asked, statements=statements)


def _with_norm(kind: type[Assumption], fields: dict[str, Any], norm: Norm) -> dict[str, Any]:
    """ValueError if the class has no norm, or if the text names another one."""
    if "norm" not in {f.name for f in dataclasses.fields(kind)}:  # pyright: ignore[reportArgumentType]
        raise ValueError(f"{kind.__name__} has no norm; leave out --norm")
    if fields.get("norm", norm) != norm:
        raise ValueError(f"--norm is {norm!r}, but the assumption says {fields['norm']!r}")
    return {**fields, "norm": norm}


def _statements(
    registry: Registry, text: str, asked: Asked, others: list[Certificate]
) -> tuple[Assumption, ...]:
    """The statement that the text writes out, or those certified of the class that it names."""
    kind = asked.kind
    if text.strip() != kind.__name__:
        written = registry.assumption(text)
        norm = {"norm": asked.fields["norm"]} if "norm" in asked.fields else {}
        return (dataclasses.replace(written, **norm),)  # pyright: ignore[reportArgumentType]
    if asked.known:
        return tuple(c.assumption for c in asked.known)
    if not kind.constants():
        return (kind(**asked.fields),)
    known = f"; certified is {', '.join(repr(c.assumption) for c in others)}" if others else ""
    raise ValueError(
        f"{kind.__name__} is not certified for {asked.problem!r}{known}: give its constants, as in "
        f"'{_example(asked)}', or ask what samples need with --estimate"
    )


def _require_fields(asked: Asked) -> None:
    """ValueError if a field that is no constant, and has no default, was not given."""
    plain_fields = [f for f in dataclasses.fields(asked.kind) if f.init]  # pyright: ignore[reportArgumentType]
    missing = [
        f.name
        for f in plain_fields
        if f.default is dataclasses.MISSING and f.name not in {*asked.kind.constants(), *asked.fields}
    ]
    if missing:
        raise ValueError(f"{asked.kind.__name__} needs {', '.join(missing)}, as in '{_example(asked)}'")


def _example(asked: Asked) -> str:
    """A call that makes one, in the shape that its constants have for this problem."""
    n = asked.problem.layers.n_layers
    given = []
    if "phi" in {f.name for f in dataclasses.fields(asked.kind)}:  # pyright: ignore[reportArgumentType]
        given.append("phi=ExponentialPhi(a=1.0, b=1.0)")
    for name in asked.kind.constants():
        value = (1.0,) * n if name.endswith("_i") else ((1.0,) * n,) * n if name == "h" else 1.0
        given.append(f"{name}={value!r}")
    return f"{asked.kind.__name__}({', '.join(given)})"


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
    return {
        "assumption": asked.kind.__name__,
        "points": points[0].shape[0],
        "seen": seen,
        "senses": dict(asked.kind.sense),
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
        return [{**found, **steps.said(), "left_out": int((~kept).sum()), **_each_step(asked, steps)}]
    found = []
    for statement in asked.statements:
        if not isinstance(statement, Inequality):
            raise TypeError(f"{asked.kind.__name__} is no inequality between neighbouring points of a run")
        region = asked.region_of(statement)
        points, kept = steps.points(asked.kind, region)
        if not bool(kept.any()):
            raise ValueError(f"no step of {asked.options.along} is finite and in the region of {statement!r}")
        checked = _checked(statement.check(asked.problem, *(p[kept] for p in points)))
        found.append({**checked, **steps.said(), **steps.steps(statement, region)})
    return found


def _each_step(asked: Asked, steps: Steps) -> dict[str, Any]:
    """What each step needs, for a class with one number as its constant."""
    constants = asked.kind.constants()
    if len(constants) != 1 or constants[0] == "h" or constants[0].endswith("_i"):
        return {}
    unit = asked.kind(**{constants[0]: 1.0}, **asked.fields)
    return steps.steps(unit, asked.region) if isinstance(unit, Inequality) else {}


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
