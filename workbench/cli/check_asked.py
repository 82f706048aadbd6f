"""What ``workbench check`` is asked: options, assumption and problem, parsed."""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from assumptions import EVERYWHERE, Assumption, Certificate, Norm, Region, closure
from assumptions.sampling import grid_points
from problems import Problem
from workbench.cli.output import WrongUseError
from workbench.registry import Registry
from workbench.user_file import load_user_file

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


def read(assumption: str, problem: str, options: Options, verb: str) -> Asked:
    """ValueError for a text that is not accepted, naming it and what is."""
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
