"""``workbench check``: an assumption on a problem, with four verbs, or along a run."""

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from assumptions import EVERYWHERE, Assumption, Certificate, Check, Inequality, Region, closure
from assumptions.inequality import steps_of
from assumptions.sampling import grid_points
from problems import Problem, SymbolicProblem
from problems.symbolic.proof import Proof
from problems.symbolic.twins import TWINS
from workbench.cli.check_report import print_report
from workbench.cli.output import WrongUseError, plain, require_writable, write_json, wrong_use
from workbench.registry import Registry, load_user_file
from workbench.trace import Trace


@dataclass(frozen=True)
class Options:
    """What the command line says, besides the assumption and the problem."""

    estimate: bool = False
    refute: bool = False
    certify: bool = False
    along: Path | None = None
    points: int = 10_000
    grid: int | None = None
    budget: int = 20_000
    seed: int = 0
    region: str | None = None
    norm: str | None = None
    file: Path | None = None
    json: str | None = None

    @property
    def verb(self) -> str:
        """One of check, estimate, refute, certify, along. WrongUseError if several are asked for."""
        chosen = {"refute": self.refute, "certify": self.certify, "along": self.along is not None}
        verbs = [verb for verb, wanted in chosen.items() if wanted]
        alone = ["estimate"] if self.estimate and verbs != ["along"] else []
        if len(verbs) + len(alone) > 1:
            raise WrongUseError(f"choose one of {', '.join(f'--{v}' for v in (*alone, *verbs))}")
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

    def tuples(self, region: Region) -> tuple[Tensor, ...]:
        """Points for ``check`` and ``estimate``: a grid if one is asked for, else a sample."""
        if self.options.grid is not None:
            return grid_points(self.problem, self.options.grid, getattr(self.kind, "arity", 1), region)
        return self.kind.sample(self.problem, self.options.points, self.options.seed, region)


def main(assumption: str, problem: str, **options: Any) -> int:
    """Ask, show, write. 0 if nothing was refuted, 1 if something was."""
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
    return 1 if any(r.get("verdict") == "refuted" for r in results) else 0


@contextlib.contextmanager
def _lacking() -> Iterator[None]:
    """A TypeError here says which oracle or option is missing, and what would help."""
    try:
        yield
    except TypeError as error:
        raise WrongUseError(str(error)) from error


def _asked(assumption: str, problem: str, options: Options, verb: str) -> Asked:
    registry = Registry(load_user_file(options.file) if options.file else None)
    on = registry.problem(problem)
    kind, fields = registry.assumption_class(assumption)
    if options.norm is not None:
        fields["norm"] = registry.norm(options.norm)
    known = tuple(
        c
        for c in closure(on.certified, registry.implications)
        if type(c.assumption) is kind and all(getattr(c.assumption, n, v) == v for n, v in fields.items())
    )
    region = registry.region(options.region) if options.region is not None else EVERYWHERE
    asked = Asked(kind, on, options, fields, (), known, region)
    if verb == "estimate" or (verb == "along" and options.estimate):
        return asked
    return Asked(kind, on, options, fields, _statements(registry, assumption, asked), known, region)


def _statements(registry: Registry, text: str, asked: Asked) -> tuple[Assumption, ...]:
    """The statement that the text writes out, or those certified of the class that it names."""
    kind = asked.kind
    if text.strip() != kind.__name__:
        return (registry.assumption(text),)
    if asked.known:
        return tuple(c.assumption for c in asked.known)
    if not kind.constants():
        return (kind(**asked.fields),)
    example = ", ".join(f"{name}=1.0" for name in kind.constants())
    raise ValueError(
        f"{kind.__name__} is not certified for {asked.problem!r}: give its constants, as in "
        f"'{kind.__name__}({example})', or ask what samples need with --estimate"
    )


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
    budget, seed = asked.options.budget, asked.options.seed
    return [
        _checked(s.refute(asked.problem, budget=budget, seed=seed, region=asked.region_of(s)))
        for s in asked.statements
    ]


def _estimate(asked: Asked) -> list[dict[str, Any]]:
    asked.kind.require(asked.problem)
    points = asked.tuples(asked.region)
    return [_estimated(asked, points)]


def _estimated(asked: Asked, points: tuple[Tensor, ...]) -> dict[str, Any]:
    seen = asked.kind.estimate(asked.problem, *points, **asked.fields)
    return {"assumption": asked.kind.__name__, "points": points[0].shape[0], "seen": seen}


def _certify(asked: Asked) -> list[dict[str, Any]]:
    """Of the expression itself, or of the one that stands for a problem of the library."""
    formula = asked.problem if isinstance(asked.problem, SymbolicProblem) else _formula(asked.problem)
    return [_proved(formula.certify(statement)) for statement in asked.statements]


def _formula(problem: Problem) -> SymbolicProblem:
    for twin in TWINS:
        if twin.problem == problem:
            return twin.formula
    known = ", ".join(sorted({repr(twin.problem) for twin in TWINS}))
    raise TypeError(
        f"--certify needs a function given as an expression, such as SymbolicProblem('x**4/4', "
        f"box=((-2.0, 2.0),)), or one of which the expression is known: {known}; got {problem!r}"
    )


def _along(asked: Asked) -> list[dict[str, Any]]:
    path = asked.options.along
    assert path is not None
    trace = Trace.load(path)
    if trace.x is None:
        raise ValueError(
            f"{path} holds no iterates; make it with `workbench run ... --iterates --out {path}`"
        )
    x = trace.x
    if x.shape[-1] != asked.problem.d:
        raise ValueError(
            f"{path} is a run in dimension {x.shape[-1]}, {asked.problem!r} has {asked.problem.d}"
        )
    run = {
        "run": f"{trace.method} on {trace.problem}",
        "every": int(trace.k[1] - trace.k[0]) if len(trace.k) > 1 else 1,
    }
    if asked.options.estimate:
        points = steps_of(x, getattr(asked.kind, "arity", 1))
        points = tuple(p.reshape(-1, p.shape[-1]) for p in points)
        kept = torch.stack([p.isfinite().all(dim=-1) for p in points]).all(dim=0)
        return [{**_estimated(asked, tuple(p[kept] for p in points)), **run}]
    found = []
    for statement in asked.statements:
        if not isinstance(statement, Inequality):
            raise TypeError(f"{asked.kind.__name__} is no inequality between neighbouring points of a run")
        ratio = statement.along(asked.problem, x)
        ratio = ratio if ratio.dim() > 2 else ratio.unsqueeze(-1)
        points = tuple(p.reshape(-1, p.shape[-1]) for p in steps_of(x, statement.arity))
        checked = _checked(statement.check(asked.problem, *points))
        found.append({**checked, **run, "k": trace.k[: ratio.shape[1]].tolist(), "along": ratio.tolist()})
    return found


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
