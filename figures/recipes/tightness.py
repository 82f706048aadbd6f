"""Tightness: how near to its bound each theorem comes, over problems."""

from collections.abc import Iterable
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from figures.numbers import Numbers, NumbersError, table
from figures.recipe import Recipe
from figures.style import looks
from problems import Problem
from workbench.records import ResultsError
from workbench.registry import Registry
from workbench.report.results import read_results
from workbench.theorem import Theorem
from workbench.verify import Budget, Record, Verdict, verify

QUICK = Budget("tightness", 20, 8, first_only=True, replicates=64, states=16, ascent=5, pairs=2**12)
FULL = Budget("tightness in full", 100, 32, replicates=1024, states=64, ascent=20)
SOME = (
    "bpm/distance",
    "bpm/product",
    "gd/pl",
    "gd/nonconvex",
    "subgradient/horizon",
    "gluon/average",
    "gluon/pl",
    "gluon/stochastic*",
    "gluon/schedule",
    "inexact-gluon/rate",
    "inexact-lmo/stochastic",
    "drop-muon/squares",
    "kovalev/theorem-2",
    "adago/deterministic",
    "adago/growth",
    "adago/untuned",
    "ef21-muon/layers",
    "ef21-muon/frobenius",
    "sgd/convex",
    "sppm/lipschitz",
)
"""Theorems at quick size."""
FAMILIES = (
    "CoupledQuadratic",
    "Huber",
    "LayerSum",
    "LogCoshRidge",
    "MatrixSum",
    "MaxAffine",
    "Noisy",
    "Quadratic",
)
"""Problems at quick size: the first of each."""
FLOOR, TOP = 1e-3, 10.0
"""Smaller and larger tightness is drawn here; above 1 a claim is refuted."""
COUNTED = (Verdict.NOT_REFUTED, Verdict.CERTIFIED, Verdict.CONSISTENT, Verdict.REFUTED)
ROW = 1.5
"""Height of a row in units of the font size."""


class Tightness(Recipe):
    """Tightness of theorems: the largest measured / bound on each problem, one row per theorem, sorted."""

    name = "tightness"
    paper = ""
    status = "own"
    see = (
        "A diamond at 1 is a bound that some problem attains, circles to the left are problems on which it "
        "is looser; nothing is right of 1."
    )
    ratio = 0.9

    def compute(self, full: bool = False, seed: int = 0) -> Numbers:
        """Verify a handful of theorems on their own problems and a few others, or in full all on all."""
        registry = Registry()
        theorems = registry.select_theorems(["*"] if full else SOME)
        problems = registry.instances()
        if not full:
            firsts = {problem.family: problem for problem in reversed(problems)}
            problems = tuple(firsts[family] for family in FAMILIES)
        records = checked(theorems, problems, FULL if full else QUICK, seed)
        return _numbers(*by_theorem(records), full, seed)

    @classmethod
    def from_saved(cls, path: Path) -> Numbers:
        """Numbers of this figure, or a folder that ``workbench verify --out`` wrote: of it every theorem.

        NumbersError for neither, for a line that is no record of this version, and where no record says how
        tight its theorem is.
        """
        if not path.is_dir() or (path / f"{cls.name}.json").exists():
            return super().from_saved(path)
        try:
            found = read_results(path)
        except ResultsError as error:
            raise NumbersError(f"{cls.name} can be drawn from results of verify: {error}") from None
        names, rows = by_theorem(found.records)
        if not names:
            raise NumbersError(f"{path} holds {len(found.records)} records, none of which has a tightness")
        seeds = {record.seed for record in found.records}
        return _numbers(names, rows, seed=min(seeds))

    def draw(self, numbers: Numbers, figure: Figure) -> None:
        """Rows from the loosest below to the tightest above; as high as they need."""
        names = numbers.facts["theorems"]
        size = mpl.rcParams["font.size"]
        figure.set_figheight((len(names) + 4) * ROW * size / 72)
        ax = figure.subplots()
        theorem, found = numbers["theorem"], np.clip(numbers["tightness"], FLOOR, TOP)
        most = np.array([found[theorem == i].max() for i in range(len(names))])
        circle, diamond = looks(2)
        ax.plot(
            found, theorem, linestyle="", marker="o", fillstyle="none", color=circle.color, label="a problem"
        )
        ax.plot(
            most, range(len(names)), linestyle="", marker="D", color=diamond.color, label="tightest", zorder=4
        )
        ax.axvline(1.0, color="0.25", linestyle=":", linewidth=0.9, zorder=1)
        ax.set(xscale="log", xlabel="measured / bound", xlim=(FLOOR / 1.5, max(2, 1.5 * most.max())))
        ax.set_ylim(-0.7, len(names) - 0.3)
        ax.set_yticks(range(len(names)), names)
        ax.grid(axis="y", visible=True)
        ax.legend(loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0.2, ncols=2)


def _numbers(names: list[str], rows: list[list[float]], full: bool = False, seed: int = 0) -> Numbers:
    """One entry for each theorem and problem."""
    tables = {"theorem": table([i for i, row in enumerate(rows) for _ in row])}
    tables["tightness"] = table([value for row in rows for value in row])
    return Numbers(Tightness.name, tables, {"theorems": names}, full, seed)


def checked(
    theorems: Iterable[Theorem], problems: Iterable[Problem], budget: Budget, seed: int
) -> list[Record]:
    """The theorems on these problems and on their own; without mutants."""
    return verify(theorems, tuple(problems), budget=budget, seed=seed, mutants=False, report_untested=False)


def by_theorem(records: Iterable[Record]) -> tuple[list[str], list[list[float]]]:
    """Theorems, the loosest first, and of each the tightness on every problem where it was measured.

    records: of a check just made, or saved ones; those of mutants and those without a verdict do not count.
    """
    found: dict[str, dict[str, float]] = {}
    for record in records:
        if record.mutant is None and record.verdict in COUNTED and record.tightness is not None:
            row = found.setdefault(record.theorem, {})
            row[record.problem] = max(record.tightness, row.get(record.problem, 0.0))
    names = sorted(found, key=lambda name: (max(found[name].values()), name))
    return names, [sorted(found[name].values()) for name in names]
