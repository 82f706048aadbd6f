"""Claims of theorems: verified, replayed, attacked; what is known of each; how often the statistics err."""

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.commands.options import (
    DrawsSeed,
    Jobs,
    Json,
    JsonFile,
    SearchSeed,
    Selectors,
    UserFile,
    folder,
)


def verify(
    selectors: Selectors,
    file: UserFile = None,
    mutants: Annotated[
        bool, typer.Option("--mutants", help="Only the false variants (they always run as well).")
    ] = False,
    quick: Annotated[bool, typer.Option("--quick", help="One instance per family, 50 steps.")] = False,
    full: Annotated[bool, typer.Option("--full", help="The long list of instances, 500 steps.")] = False,
    json: Annotated[
        str | None, typer.Option("--json", metavar="FILE|-", help="Also write all records; '-': only these.")
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", parser=folder, metavar="PATH", help="Folder of records and witnesses.")
    ] = Path("results"),
    seed: Annotated[int, typer.Option("--seed", min=0, max=2**63 - 1, help="Seed of starts and draws.")] = 0,
    fresh: Annotated[bool, typer.Option("--fresh", help="Redo what is already in the folder.")] = False,
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", "-j", metavar="N", help="Processes for the work; 1, or -1: all cores."),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option("--scheduler", metavar="tcp://HOST:PORT", help="Share it on a Dask cluster instead."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List what would be run.")] = False,
    not_applicable: Annotated[
        bool, typer.Option("--not-applicable", help="List where theorems do not apply, and why.")
    ] = False,
) -> None:
    """Verify theorems on every problem that satisfies their assumptions."""


def replay(
    witness: Annotated[Path, typer.Argument(help="A witness file, or a record as JSON.")],
    json: Json = False,
) -> None:
    """Rerun exactly the case that refuted a claim, and show it."""


def falsify(
    name: Annotated[str, typer.Argument(metavar="ID", help="A theorem.")],
    budget: Annotated[
        int,
        typer.Option("--budget", metavar="N", help="Evaluations: runs of the method, or states of a step."),
    ] = 20_000,
    drop: Annotated[
        str | None, typer.Option("--drop", metavar="ASSUMPTION", help="Search outside this assumption.")
    ] = None,
    mutants: Annotated[
        bool, typer.Option("--mutants", help="Search the false variants, without being told where they fail.")
    ] = False,
    exact: Annotated[
        bool,
        typer.Option("--exact", help="The worst case over the whole class, proved, instead of a search."),
    ] = False,
    steps: Annotated[
        int | None, typer.Option("--steps", metavar="K", help="Length of the runs; --exact: of the chain.")
    ] = None,
    file: UserFile = None,
    seed: SearchSeed = 0,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", parser=folder, metavar="PATH", help="Folder for what was found and its witness."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Search the instance that comes closest to breaking a claim, or breaks it; --exact: the worst case."""


def evidence(
    selectors: Selectors,
    budget: Annotated[
        int, typer.Option("--budget", metavar="N", help="Evaluations of the search, for each theorem.")
    ] = 2_000,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE.MD", help="Also write a page; beside it what is done."),
    ] = None,
    seed: SearchSeed = 0,
    json: Json = False,
) -> None:
    """For each theorem: its bound, the best found by search, the exact worst case, the rate that follows."""


def calibrate(
    studies: Annotated[int, typer.Option("--studies", min=1, help="Studies of each claim.")] = 1000,
    replicates: Annotated[int, typer.Option("--replicates", min=1, help="Runs of each study.")] = 4096,
    seed: DrawsSeed = 0,
    jobs: Jobs = 1,
    json: JsonFile = None,
) -> None:
    """How often a true claim about a mean is refuted, and how soon a false one: many studies of exact claims.

    Exit status 1 if a study refuted a claim that is true.
    """
