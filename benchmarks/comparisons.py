"""The comparisons by name: what runs, at which size, what it needs, and how its numbers become rows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.report import Row, finished

Numbers = Mapping[str, Any]


def own_rows(numbers: Numbers) -> list[dict[str, Any]]:
    """Rows that the script has written itself."""
    return list(numbers["rows"])


def falsifier_rows(numbers: Numbers) -> list[dict[str, Any]]:
    """Share of the exact worst case reached by the search, and of the false variants refuted."""
    rows = []
    for row in numbers["worst"]:
        setting = f"{row['theorem']}, share of the exact worst case"
        rows.append(Row(setting, "exact", "", (1.0,)))
        note = f"{row['cpu_seconds']} CPU s"
        rows.append(Row(setting, "search", "", (float(row["share"]),), headline=True, note=note))
    verdicts = [row["verdict"] for row in numbers["mutants"]]
    if verdicts:
        setting = "false variants refuted without the instance that refutes them"
        rows.append(Row(setting, "all", "variants", (float(len(verdicts)),)))
        rows.append(Row(setting, "refuted", "variants", (float(verdicts.count("refuted")),), headline=True))
    return finished(rows)


@dataclass(frozen=True)
class Comparison:
    """A script of this folder. peers: distributions without which a part of it is left out.

    options: of a full run. quick: of a run that only shows that it works. rows: its numbers -> rows.
    """

    module: str
    title: str
    peers: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    quick: tuple[str, ...] = ()
    rows: Callable[[Numbers], list[dict[str, Any]]] = own_rows

    def call(self, quick: bool) -> tuple[str, ...]:
        """What follows the name of the interpreter."""
        return ("-m", f"benchmarks.{self.module}", *(self.quick if quick else self.options))


def words(text: str) -> tuple[str, ...]:
    """Options as they are typed."""
    return tuple(text.split())


COMPARISONS: dict[str, Comparison] = {
    "broximal": Comparison(
        "broximal",
        "Minimisation over balls: SciPy, cvxpy",
        quick=words("--dimension 12 --steps 10 --repeats 2 --instances 2"),
    ),
    "seeds": Comparison(
        "seeds",
        "Many seeds: a loop in NumPy, a loop over optimiser objects, a process per seed",
        quick=words("--terms 40 --dimension 5 --steps 50 --seeds 4 40 --repeats 2 --processes 0"),
    ),
    "worst-cases": Comparison(
        "worst_case",
        "Exact worst cases: PEPit",
        peers=("PEPit",),
        quick=words("--steps 2 3 --repeats 2"),
    ),
    "orthogonalise": Comparison(
        "orthogonalise",
        "Polar factors: SVD, torch.optim.Muon's iteration",
        quick=words("--quick --repeats 2"),
    ),
    "muon": Comparison(
        "muon",
        "A step of Muon: torch.optim.Muon",
        quick=words("--shapes 32x32 16x48 --steps 3 --repeats 2"),
    ),
    "refuter": Comparison(
        "refute",
        "Search for violations of an inequality: SciPy's optimisers",
        options=words("--repeats 3"),
        quick=words("--budget 20 --repeats 1"),
    ),
    "falsifier": Comparison(
        "falsifier",
        "Search for the worst instance of a theorem: known worst cases, false variants",
        options=words("--budget 2000 --every 20"),
        quick=words("--budget 20 --every 400"),
        rows=falsifier_rows,
    ),
    "probe": Comparison(
        "probe_overhead",
        "What a probe costs a training: the same training without it",
        quick=words("--size 0.1M --rows 2 --blocks 1 --every 2"),
    ),
    "curvature": Comparison(
        "curvature",
        "What a probe costs beside curvature: curvlinops",
        peers=("curvlinops-for-pytorch",),
        quick=words("--rows 2 --every 2 --repeats 1"),
    ),
    "bytes": Comparison(
        "bytes",
        "Bytes of EF21-Muon over two processes: no compression",
        quick=words("--steps 3"),
    ),
    "start-up": Comparison(
        "startup",
        "Start-up of commands and imports: benchopt, PEPit, curvlinops",
        peers=("benchopt", "PEPit", "curvlinops-for-pytorch"),
        quick=words("--repeats 1"),
    ),
}


def chosen(names: Sequence[str]) -> dict[str, Comparison]:
    """Those named, in the order of the list; all without names. ValueError names those unknown."""
    unknown = sorted(set(names) - set(COMPARISONS))
    if unknown:
        raise ValueError(f"no comparison is called {', '.join(unknown)}; there are: {', '.join(COMPARISONS)}")
    return {name: c for name, c in COMPARISONS.items() if not names or name in names}
