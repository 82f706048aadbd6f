"""Whether an optimizer class makes the published update of Muon, case by case.

``check(torch.optim.Muon)`` in Python; ``python -m workbench.optim.conformance torch.optim.Muon`` in a shell.
"""

import argparse
import importlib
import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from workbench.optim.conformance_cases import BAD, CASES, Bad, Case
from workbench.optim.conformance_reference import FACTORS, Reference, Settings
from workbench.orthogonal.base import PRECISIONS

Translate = Callable[[Settings], dict[str, Any] | None]
DTYPES = ("float64", "float32")


@dataclass(frozen=True)
class Row:
    """One case: the largest |step - reference step|_F / |reference step|_F, and the step k where it is.

    outcome: "compared"; "not offered", where the class has no such option; or what it raised. deviation: nan
    unless compared. Steps of 0 are compared absolutely, so that any move is inf.
    """

    case: str
    dtype: str
    deviation: float
    k: int
    outcome: str


@dataclass(frozen=True)
class Refusal:
    """One bad input and what the class did with it."""

    case: str
    outcome: str


@dataclass(frozen=True)
class Report:
    """What ``check`` found. ``str`` gives two tables in Markdown."""

    optimizer: str
    reference: str
    rows: tuple[Row, ...]
    refusals: tuple[Refusal, ...]

    def worst(self, dtype: str = "float64") -> float:
        """The largest deviation of the cases that were compared, nan above all; nan if none was."""
        found = [row.deviation for row in self.rows if row.dtype == dtype and row.outcome == "compared"]
        return max(found, key=_badness, default=math.nan)

    def __str__(self) -> str:
        """Markdown."""
        cases = list(dict.fromkeys(row.case for row in self.rows))
        found = {(row.case, row.dtype): _shown(row) for row in self.rows}
        table = [[case, *(found[case, dtype] for dtype in DTYPES)] for case in cases]
        bad = [[refusal.case, refusal.outcome] for refusal in self.refusals]
        return "\n".join(
            [
                f"{self.optimizer} against {self.reference}: largest relative deviation of a step",
                "",
                *_table(["case", *DTYPES], table),
                "",
                *_table(["bad input", "outcome"], bad),
            ]
        )


def check(
    optimizer_class: Callable[..., Any],
    *,
    reference: Reference | None = None,
    translate: Translate | None = None,
    **arguments: Any,
) -> Report:
    """Compare a class with the published update on all ``CASES``, and show it all ``BAD`` inputs.

    reference: float64 and Newton-Schulz by default. translate: makes the options of the class from
    ``Settings``, None where it has no such option; by default they are recognised by their names. arguments:
    further options of the class.
    """
    reference = reference or Reference()
    options = translate or by_signature(optimizer_class)

    def make(params: list[Tensor], settings: Settings) -> Any:
        translated = options(settings)
        return None if translated is None else optimizer_class(params, **{**translated, **arguments})

    name = f"{optimizer_class.__module__}.{optimizer_class.__qualname__}"
    given = ", ".join(f"{key}={value!r}" for key, value in arguments.items())
    return Report(
        f"{name}({given})" if given else name,
        repr(reference),
        tuple(_compare(make, case, dtype, reference) for case in CASES for dtype in DTYPES),
        tuple(_show(make, bad) for bad in BAD),
    )


def by_signature(optimizer_class: Callable[..., Any]) -> Translate:
    """Options by name: lr; beta or momentum; nesterov; weight_decay; adjust_lr_fn or norm for the scale.

    A class without one of them is taken to do what it means at its plain value: no Nesterov, no decay, the
    original scale. Write a ``translate`` for a class where that is wrong, or whose momentum is the weight of
    the new gradient.
    """
    known = inspect.signature(optimizer_class).parameters
    norms = {"original": "muon", "match_rms_adamw": "adamw_rms", "none": "operator"}
    fns = {"original": "original", "match_rms_adamw": "match_rms_adamw"}

    def translate(settings: Settings) -> dict[str, Any] | None:
        options: dict[str, Any] = {"lr": settings.lr}
        options["beta" if "beta" in known else "momentum"] = settings.beta
        for name, plain in (("nesterov", False), ("weight_decay", 0.0)):
            value = getattr(settings, name)
            if name in known:
                options[name] = value
            elif value != plain:
                return None
        if "norm" in known:
            return {**options, "norm": norms[settings.scale]}
        if "adjust_lr_fn" in known:
            return {**options, "adjust_lr_fn": fns[settings.scale]} if settings.scale in fns else None
        return options if settings.scale == "original" else None

    return translate


def _compare(make: Callable[..., Any], case: Case, dtype: str, reference: Reference) -> Row:
    """Run a case in one type; what is rounded to it is given to the reference as well."""
    kind = getattr(torch, dtype)
    points, grads = case.data()
    points = [x.to(kind) for x in points]
    grads = [[g.to(kind) for g in row] for row in grads]
    params = [torch.nn.Parameter(x.clone()) for x in points]
    paths = [[x.double()] for x in points]
    try:
        optimizer = make(params, case.settings)
        if optimizer is None:
            return Row(case.name, dtype, math.nan, 0, "not offered")
        for k in range(case.steps):
            for p, row in zip(params, grads, strict=True):
                p.grad = row[k].clone()
            optimizer.step()
            for p, path in zip(params, paths, strict=True):
                path.append(p.detach().double().clone())
    except Exception as error:  # whatever a class raises is its answer
        return Row(case.name, dtype, math.nan, 0, f"{type(error).__name__}: {error}")
    found = []
    for x, row, path in zip(points, grads, paths, strict=True):
        expected = reference.run(x.double(), [g.double() for g in row], case.settings)
        for k in range(case.steps):
            found.append((_deviation(path[k + 1] - path[k], expected[k + 1] - expected[k]), k))
    deviation, k = max(found, key=lambda pair: _badness(pair[0]))
    return Row(case.name, dtype, deviation, k, "compared")


def _badness(deviation: float) -> tuple[bool, float]:
    """What grows with it: nan is worse than any number."""
    return math.isnan(deviation), 0.0 if math.isnan(deviation) else deviation


def _deviation(move: Tensor, expected: Tensor) -> float:
    """|move - expected| / |expected|, inf where the one moves and the other does not; nan stays."""
    error, size = (move - expected).norm().item(), expected.norm().item()
    if size > 0 or math.isnan(error):
        return error / size if size > 0 else math.nan
    return 0.0 if error == 0 else math.inf


def _show(make: Callable[..., Any], bad: Bad) -> Refusal:
    """Give a class a bad input."""
    x, grad = bad.data()
    p = torch.nn.Parameter(x.clone())
    try:
        optimizer = make([p], bad.settings)
    except Exception as error:
        return Refusal(bad.name, f"refused when made: {type(error).__name__}")
    if optimizer is None:
        return Refusal(bad.name, "not offered")
    p.grad = grad
    try:
        optimizer.step()
    except Exception as error:
        state = getattr(optimizer, "state", None)
        clean = torch.equal(p.detach(), x) and not (isinstance(state, dict) and state.get(p))
        return Refusal(
            bad.name,
            f"refused by step, {'nothing' if clean else 'something'} changed: {type(error).__name__}",
        )
    found = "stay" if torch.equal(p.detach(), x) else "move"
    return Refusal(bad.name, f"taken: weights {found if bool(p.isfinite().all()) else 'become nan'}")


def _shown(row: Row) -> str:
    return f"{row.deviation:.1e}" if row.outcome == "compared" else row.outcome.split(":")[0]


def _table(head: list[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Markdown, in columns."""
    lines = [head, ["---"] * len(head), *rows]
    widths = [max(len(line[j]) for line in lines) for j in range(len(head))]
    return ["| " + " | ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) + " |" for line in lines]


def main(arguments: Sequence[str] | None = None) -> None:
    """The command: a report for each class."""
    parser = argparse.ArgumentParser(prog="python -m workbench.optim.conformance", description=__doc__)
    parser.add_argument("classes", nargs="+", metavar="CLASS", help="as torch.optim.Muon")
    parser.add_argument("--factor", default="newton-schulz", choices=FACTORS, help="of the reference")
    parser.add_argument(
        "--dtype", default="float64", choices=PRECISIONS, help="of the reference's Newton-Schulz iterations"
    )
    given = parser.parse_args(arguments)
    for path in given.classes:
        module, _, name = path.rpartition(".")
        try:
            found = getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError, ValueError):
            parser.error(f"no class {path}")
        if not isinstance(found, type) or not callable(getattr(found, "step", None)):
            parser.error(f"{path} is not an optimizer: it must be a class with a method step")
        print(check(found, reference=Reference(given.factor, dtype=given.dtype)), end="\n\n")


if __name__ == "__main__":
    main()
