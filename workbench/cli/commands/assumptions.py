"""Assumptions on problems: one pair closely, all of them in a table."""

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.commands.options import Jobs, JsonFile, SamplesSeed, UserFile


def check(
    assumption: Annotated[
        str, typer.Argument(metavar="ASSUMPTION", help="As 'Smooth(L=2.0)'; 'Smooth' alone: as certified.")
    ],
    problem: Annotated[str, typer.Argument(metavar="PROBLEM", help="As 'Huber(L=2.0, d=4)'.")],
    estimate: Annotated[
        bool, typer.Option("--estimate", help="The constants that samples need, with the front of pairs.")
    ] = False,
    refute: Annotated[bool, typer.Option("--refute", help="Search for a violation.")] = False,
    certify: Annotated[
        bool, typer.Option("--certify", help="Prove it by ball arithmetic (SymbolicProblem).")
    ] = False,
    along: Annotated[
        Path | None, typer.Option("--along", metavar="TRACE", help="At each step of a saved run.")
    ] = None,
    points: Annotated[
        int | None, typer.Option("--points", min=1, help="Sampled tuples of points; 10000, fewer for terms.")
    ] = None,
    grid: Annotated[
        int | None, typer.Option("--grid", min=1, help="Instead: an even grid with so many numbers per axis.")
    ] = None,
    budget: Annotated[
        int | None, typer.Option("--budget", min=1, help="Evaluations of a search; 20000, fewer for terms.")
    ] = None,
    seed: SamplesSeed = 0,
    region: Annotated[
        str | None, typer.Option("--region", metavar="REGION", help="As 'Ball(center=(0.0,), radius=1.0)'.")
    ] = None,
    norm: Annotated[str | None, typer.Option("--norm", metavar="NORM", help="As 'Lp(p=1.0)'.")] = None,
    file: UserFile = None,
    json: JsonFile = None,
) -> None:
    """Does a problem satisfy an assumption? Check, estimate, search for a violation, prove.

    A class alone, such as Smooth, means each statement of it that is certified; with --estimate its constants
    are estimated, with --certify the best one is enclosed. Exit status 1 if something was refuted, or could
    not be told for nan or an overflow.
    """


def table(
    problem: Annotated[
        list[str] | None, typer.Option("--problem", metavar="GLOB", help="Problems or families; repeat it.")
    ] = None,
    assumption: Annotated[
        list[str] | None, typer.Option("--assumption", metavar="GLOB", help="Assumptions; repeat it.")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="All instances, not one of each family.")] = False,
    budget: Annotated[int, typer.Option("--budget", min=1, help="Evaluations of each search.")] = 4000,
    seed: SamplesSeed = 0,
    jobs: Jobs = 1,
    file: UserFile = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.MD", help="Also write it as Markdown.")
    ] = None,
    json: Annotated[
        str | None, typer.Option("--json", metavar="FILE|-", help="Also write all cells; '-': only these.")
    ] = None,
) -> None:
    """Every problem against every assumption: certified, not refuted, refuted."""
