"""Folders of results for the tests of the report: real ones from short runs, and records made by hand."""

import dataclasses
import itertools
import math
from functools import cache
from pathlib import Path

from problems import AbsAffine, Huber, Quadratic
from tests.made_record import RECORD
from workbench.records import Store, source_hash
from workbench.theorems import THEOREMS
from workbench.verify import QUICK, Record, verify

_numbers = itertools.count()


def made(**changes) -> Record:
    """A record of a unit of its own."""
    return dataclasses.replace(RECORD, **{"unit": f"u{next(_numbers)}", **changes})


def absent(theorem: str, problem: str, reason: str = "Smooth is not certified") -> Record:
    return made(
        theorem=theorem,
        problem=problem,
        verdict="not applicable",
        expected=None,
        reason=reason,
        parameters={},
        certificate=(),
        tightness=None,
        measured=None,
        bound=None,
        checked=0,
        replicates=0,
        steps=0,
    )


def write(folder: Path, *records: Record) -> Path:
    """Each in one write, as a run does it."""
    store = Store(folder)
    for record in records:
        store.write([record])
    return folder


def witness(**changes) -> dict:
    told = {"theorem": "bpm/line", "problem": "Huber()", "k": 3, "measured": 2.0, "bound": 1.0, "x0": [1.0]}
    return {**told, "hyperparameters": {"radius": 0.5}, **changes}


def verified(folder: Path) -> Path:
    """Three theorems on three problems, as ``workbench verify`` writes them; computed once."""
    Store(folder).write(_records())
    return folder


@cache
def _records() -> tuple[Record, ...]:
    chosen = [t for t in THEOREMS if t.id in ("bpm/distance", "bpm/line", "sgd/noise-descent-step")]
    problems = [AbsAffine(a=(1.0,), start=(5.3,)), Huber(), Quadratic((1.0, 10.0))]
    return tuple(verify(chosen, problems, budget=QUICK, code=source_hash()))


def odd_numbers() -> tuple[Record, ...]:
    """What tightness may be, besides a number between 0 and 1."""
    values = (math.inf, -math.inf, math.nan, 0.0, -2.0, 1e-30, 1.0000001)
    return tuple(made(problem=f"Huber(d={i + 1})", tightness=v) for i, v in enumerate(values))
